import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { entry, HOLD, HOSTILE, SHOWN, target } from "./samples.ts";
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
    assert.match(text, /<td>enforce<\/td><td>#3 <time datetime="2026-11-21T10:00:00.000Z">2026-11-21 10:00<\/time>/);
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

  it("show what stays of an entry whose parts were erased", async () => {
    served.expect(expects("entry", null, entry()));
    const { status, text } = await served.ask("/changes/7", reader);
    assert.ok(status === 200 && text.includes("was erased") && text.includes("leaf hash"));
  });

  it("run nothing and load nothing but their style sheet", async () => {
    served.expect(expects("targets", [], []));
    const { text, headers } = await served.ask("/", reader);
    assert.deepEqual(text.match(/(?:src|href)="[^"]*"/g), ['href="/style.css"', 'href="/"', 'href="/changes"']);
    assert.doesNotMatch(text, /<(?:script|img|iframe|object|style)| on[a-z]+=| style=/);
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'; style-src 'self'/);
    assert.match((await served.ask("/style.css", reader)).text, /@media print/);
  });
});
