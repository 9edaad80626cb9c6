import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { ReviewState } from "../../../src/gate/review.ts";
import { entry, HOLD, HOSTILE, REVIEW, RULES, SHOWN, target, WAIVER } from "./samples.ts";
import { FILE_SCOPE, serve } from "./served.ts";
import { expects } from "./strict-view.ts";

/** Every part of a decision that a stranger may have written. */
function hostileEntry() {
  const value = (part: unknown) => ({ salt: "AAAAAAAAAAAAAAAAAAAAAA==", value: part as never });
  const signer = { person: HOSTILE, class: "person", key: HOSTILE, roles: [], hardware: null };
  const id = { group: "apps", version: "v1", kind: "Deployment", namespace: "apps", name: HOSTILE };
  return {
    ...entry({ reasons: ["k8s-privileged"] }),
    disclosed: {
      evidence: value({ head: "x" }),
      reasons: value([{ code: "k8s-privileged", message: HOSTILE, fix: HOSTILE }]),
      verifications: value([{ commit: "a".repeat(40), kind: "verified", signer, format: "ssh", timeBasis: "now" }]),
      approvals: value({ given: [{ person: HOSTILE, roles: [HOSTILE], at: "2026-11-21T10:00:00.000Z" }] }),
      findings: value([{ rule: HOSTILE, kind: "deny", message: HOSTILE, waivedBy: null }]),
      objects: value([{ id, action: "update" }]),
      waivers: value([{ rule: HOSTILE, resource: HOSTILE, owner: HOSTILE, until: "2027-01-01" }]),
    },
  };
}

describe("pages", async () => {
  const served = await serve(FILE_SCOPE);
  const reader = { token: served.tokens.reader };
  afterEach(() => served.finish());

  it("show targets with who holds them", async () => {
    served.expect(
      expects(
        "targets",
        [],
        [target("prod"), { ...target("staging"), hold: { ...HOLD, reason: HOSTILE }, released: null }],
      ),
    );
    const { status, headers, text } = await served.ask("/", reader);
    assert.deepEqual([status, headers["content-type"]], [200, "text/html; charset=utf-8"]);
    assert.match(
      text,
      /<td data-label="mode">enforce<\/td><td data-label="released">#3 <time datetime="2026-11-21T10:00:00.000Z">2026-11-21 10:00<\/time>/,
    );
    assert.ok(text.includes(`HELD</span> (prod) by sam: “${SHOWN}”`) && text.includes("signed in: reader-ada, reader"));
  });

  it("show decisions with the filter that found them, and lead to older ones with the same", async () => {
    const asked = {
      kinds: ["decision"],
      terms: [{ kind: "person", value: HOSTILE }],
      order: "newest",
      limit: 50,
      target: "prod",
      from: Date.parse("2026-10-01"),
    };
    const entries = Array.from({ length: 50 }, (_, at) => entry({}, 100 - at));
    served.expect(expects("entries", [asked, null], { entries, count: 412 }));
    const query = `target=prod&verdict=&person=${encodeURIComponent(HOSTILE)}&rule=&from=2026-10-01&to=`;
    const { text } = await served.ask(`/changes?${query}`, reader);
    assert.ok(text.includes("412 decisions") && text.includes('<a href="/changes/100">100</a>'));
    assert.ok(text.includes(`<input name="person" type="text" value="${SHOWN}">`));
    assert.match(text, /<a href="\/changes\?target=prod&amp;person=[^"]*&amp;from=2026-10-01&amp;after=51">older<\/a>/);
    assert.ok(!text.includes("<script"));
  });

  it("show one decision with all that strangers wrote, as text", async () => {
    served.expect(expects("entry", [{ index: 7 }], hostileEntry() as never));
    const { text } = await served.ask("/changes/7", reader);
    assert.ok(!/<script|\u202e|\u0000/.test(text));
    assert.equal(text.split(SHOWN).length - 1, 12, "every one of them");
    assert.ok(text.includes('<span class="deny">DENIED</span>') && text.includes('href="/v1/decisions/7/proof"'));
  });

  it("show what one operator alone released, and how its review stands: due, overdue, given, contested", async () => {
    const alone = entry({ verdict: "allow", reasons: ["emergency-release", "review-due"] });
    const owed = { ...REVIEW, review: null, due: "2026-11-22T10:00:00.000Z" };
    for (const [state, ...words] of [
      [{ ...owed, state: "due" }, '<span class="wait">review due</span> by ', ">2026-11-22 10:00<"],
      [{ ...owed, state: "overdue" }, '<span class="deny">REVIEW OVERDUE</span> since ', ">2026-11-22 10:00<"],
      [{ ...owed, state: "overdue", due: null, operator: null }, '<span class="deny">REVIEW OVERDUE</span>'],
      [REVIEW, "reviewed <time", " by jo"],
      [
        { ...REVIEW, state: "contested", review: { ...REVIEW.review, by: HOSTILE, reason: HOSTILE } },
        "contested",
        SHOWN,
      ],
    ] as const) {
      served.expect(
        expects("entries", null, { entries: [alone, entry({}, 6)], count: 2 }),
        expects("reviewState", [alone, served.clock.now], state as ReviewState),
        expects("entry", null, alone),
        expects("reviewState", [alone, served.clock.now], state as ReviewState),
        expects("targets", [], [{ ...target(), review: state as ReviewState }]),
      );
      const list = (await served.ask("/changes", reader)).text;
      const one = (await served.ask("/changes/7", reader)).text;
      const targets = (await served.ask("/", reader)).text;
      assert.ok(list.includes("EMERGENCY") && one.includes("EMERGENCY"));
      for (const text of [list, one, targets]) {
        for (const word of words) assert.ok(text.includes(word), `${word}: ${text}`);
        assert.ok(!text.includes("<script"));
      }
      assert.ok(one.includes(`${state.operator ?? "One operator"} released it alone; `));
      assert.ok(targets.includes('<a href="/changes/7">log 7</a>'));
    }
  });

  it("show what a cluster asked, and for whom", async () => {
    const value = (part: unknown) => ({ salt: "AAAAAAAAAAAAAAAAAAAAAA==", value: part as never });
    const request = { uid: "1", operation: "CREATE", user: HOSTILE, kind: "Pod.v1", resource: "pods", dryRun: true };
    const { disclosed, ...rest } = hostileEntry();
    const asked = { ...rest, disclosed: { ...disclosed, request: value(request) } };
    served.expect(
      expects("entry", null, asked as never),
      expects("entries", null, { entries: [asked as never], count: 1 }),
    );
    const { text } = await served.ask("/changes/7", reader);
    assert.ok(text.includes(`A cluster asked: CREATE Pod.v1 (pods), for ${SHOWN}, as a dry run.`));
    assert.ok((await served.ask("/changes?about=admission", reader)).text.includes(`CREATE Deployment/apps/${SHOWN}`));
  });

  it("show what judges a target, now and as it was", async () => {
    const waiver = { ...WAIVER, reason: HOSTILE, isOver: false };
    const state = { ...RULES, waivers: [waiver, { ...waiver, isOver: true }] };
    served.expect(
      expects("targets", [], [target("prod"), target("staging")]),
      expects("rules", ["staging", Date.parse("2026-08-31")], state),
    );
    const { text } = await served.ask("/rules?target=staging&as-of=2026-08-31", reader);
    assert.ok(text.includes(`<option selected>staging</option>`) && text.includes('value="2026-08-31"'));
    assert.ok(text.includes(SHOWN) && text.includes("never waived") && text.includes("1 of 2"));
    assert.match(text, /<b>1<\/b> waiver, the next ends/);
    const limited = { token: served.tokens["staging-reader"] };
    assert.equal((await served.ask("/rules?target=prod", limited)).json["code"], "not-permitted");
    assert.equal((await served.ask("/evidence?target=prod", limited)).json["code"], "not-permitted");
    assert.equal((await served.ask("/evidence/changes.csv?target=prod", limited)).json["code"], "not-permitted");
  });

  it("count what the log holds of a period, with where each is looked at", async () => {
    const bounds = { target: "prod", from: Date.parse("2026-10-01"), to: Date.parse("2027-01-01") };
    served.expect(
      expects("entries", [{ ...bounds, order: "oldest", limit: 1 }, null], { entries: [entry({}, 12)], count: 9 }),
      expects("entries", [{ ...bounds, order: "newest", limit: 1 }, null], { entries: [entry({}, 99)], count: 9 }),
      expects("entries", [{ ...bounds, limit: 0 }, null], { entries: [], count: 88 }),
      ...Array.from({ length: 15 }, (_, at) => expects("entries", null, { entries: [], count: at })),
    );
    const { text } = await served.ask("/evidence?target=prod&from=2026-10-01&to=2027-01-01", reader);
    assert.match(text, /<b>88<\/b> entries<\/li><li>log <b>12<\/b> to <b>99<\/b>/);
    assert.ok(
      text.includes(
        'href="/changes?target=prod&amp;from=2026-10-01&amp;to=2027-01-01&amp;verdict=allow&amp;about=landed"',
      ),
    );
    assert.ok(text.includes('href="/evidence/changes.csv?target=prod&amp;from=2026-10-01&amp;to=2027-01-01"'));
  });

  it("give the auditor's table, page by page, in which a formula is text", async () => {
    const landed = entry({ subject: { commit: "=1+1" }, verdict: "allow" });
    const many = Array.from({ length: 1000 }, (_, at) => entry({ subject: { head: "x" } }, at));
    const asked = { kinds: ["decision", "release", "applied", "review"], order: "oldest", limit: 1000 };
    served.expect(
      expects("entries", [asked, null], { entries: many, count: 1001 }),
      expects("entries", [{ ...asked, after: 999 }, null], { entries: [landed], count: 1001 }),
    );
    const { text, headers } = await served.ask("/evidence/changes.csv", reader);
    assert.equal(headers["content-type"], "text/csv; charset=utf-8");
    const [head, row, ...rest] = text.trimEnd().split("\r\n");
    assert.match(head ?? "", /^change,target,request,/);
    assert.match(row ?? "", /^"'=1\+1",prod,/);
    assert.deepEqual(rest, []);
  });

  it("show what stays of an entry whose parts were erased", async () => {
    served.expect(expects("entry", null, entry()));
    const { status, text } = await served.ask("/changes/7", reader);
    assert.ok(status === 200 && text.includes("was erased") && text.includes("leaf hash"));
  });

  it("run nothing and load nothing but their style sheet", async () => {
    served.expect(expects("targets", [], []));
    const { text, headers } = await served.ask("/", reader);
    const links = ["/style.css", "/", "/changes", "/rules", "/evidence"].map((to) => `href="${to}"`);
    assert.deepEqual(text.match(/(?:src|href)="[^"]*"/g), links);
    assert.doesNotMatch(text, /<(?:script|img|iframe|object|style)| on[a-z]+=| style=/);
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'; style-src 'self'/);
    assert.match((await served.ask("/style.css", reader)).text, /@media print/);
  });
});
