import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { openApiDocument } from "../../../src/server/http/openapi.ts";
import { ROUTES } from "../../../src/server/http/routes.ts";
import { CHECK, COMMIT, entry, HOLD, LANDINGS, METRICS, RELEASE, REVIEW, target, ULID, WAIVER } from "./samples.ts";
import { FILE_SCOPE, serve } from "./served.ts";
import { expects } from "./strict-view.ts";

const holding = { index: 9, targets: ["prod"] };

describe("routes", async () => {
  const served = await serve(FILE_SCOPE);
  const { tokens } = served;
  const reader = { token: tokens.reader };
  const operator = (body: unknown) => ({ token: tokens.operator, method: "POST", body });
  const staging = { token: tokens["staging-reader"] };
  afterEach(() => served.finish());

  describe("GET /v1/decisions", () => {
    it("asks for decisions, newest first, fifty of them, where nothing is said", async () => {
      const asked = { kinds: ["decision"], terms: [], order: "newest", limit: 50 };
      served.expect(expects("entries", [asked, null], { entries: [entry()], count: 1 }));
      const { json } = await served.ask("/v1/decisions", reader);
      assert.deepEqual([json["kind"], json["count"], json["next"]], ["Entries", 1, null]);
    });

    it("asks with every filter of `log list`", async () => {
      const asked = {
        target: "prod",
        verdict: "deny",
        from: Date.parse("2026-10-01T00:00:00Z"),
        to: Date.parse("2026-11-01T10:00:00Z"),
        after: 40,
        kinds: ["decision", "hold"],
        terms: [
          { kind: "resource", value: "Deployment/apps/web" },
          { kind: "person", value: "ada" },
          { kind: "rule", value: "k8s-privileged" },
          { kind: "release", value: "3" },
          { kind: "waiver", value: "w" },
          { kind: "key", value: "SHA256:a+b/c" },
          { kind: "commit", value: COMMIT },
        ],
        text: "payment gateway",
        order: "oldest",
        limit: 2,
      };
      served.expect(expects("entries", [asked, null], { entries: [entry({}, 30), entry({}, 20)], count: 9 }));
      const query =
        "target=prod&verdict=deny&from=2026-10-01&to=2026-11-01T10:00:00Z&after=40&kind=decision&kind=hold&kind=hold" +
        `&resource=Deployment/apps/web&person=ada&rule=k8s-privileged&commit=${COMMIT}&release=3&waiver=w&key=SHA256:a%2Bb/c&limit=2&text=payment+gateway&sort=oldest`;
      const { json } = await served.ask(`/v1/decisions?${query}`, reader);
      assert.deepEqual([json["count"], json["next"]], [9, 20]);
    });

    it("asks by a commit's first digits, by a repository, for the number alone, and answers an entry a line", async () => {
      const asked = { kinds: ["decision"], terms: [], order: "newest", limit: 50, commitPrefix: "9be1" };
      served.expect(expects("targets", [], [target("prod"), { ...target("lab"), repository: "other" }]));
      served.expect(expects("entries", [asked, ["prod"]], { entries: [entry({}, 30), entry({}, 20)], count: 9 }));
      const lines = await served.ask("/v1/decisions?commit=9be1&repository=shop&format=ndjson", reader);
      assert.equal(lines.headers["content-type"], "application/x-ndjson");
      const found = lines.text.trimEnd().split("\n");
      assert.deepEqual(
        found.map((line) => (JSON.parse(line) as { index: number }).index),
        [30, 20],
      );
      const { commitPrefix: _, ...counted } = { ...asked, limit: 0 };
      served.expect(expects("entries", [counted, null], { entries: [], count: 412 }));
      assert.deepEqual((await served.ask("/v1/decisions?only=count", reader)).json["count"], 412);
    });

    for (const query of [
      "targets=prod",
      "commit=9be",
      "sort=older",
      "only=some",
      "format=csv",
      "target=prod&target=staging",
      "target=Prod",
      "kind=decisions",
      "verdict=maybe",
      "from=yesterday",
      "from=2026-02-31",
      "from=2026-11-21T10:00:00%2B01:00",
      "limit=0",
      "limit=1001",
      "limit=1e2",
      "limit=-1",
      "after=-1",
      "after=01",
      "after=9007199254740993",
      "person=",
      "__proto__=x",
      "constructor=x",
      "=x",
      "verdict",
    ]) {
      it(`is refused with ${query}`, async () => {
        const { status, json } = await served.ask(`/v1/decisions?${query}`, reader);
        assert.deepEqual([status, json["code"]], [400, "request-invalid"]);
      });
    }

    it("shows an access for some targets nothing of others", async () => {
      served.expect(
        expects("entries", [{ kinds: ["decision"], terms: [], order: "newest", limit: 50 }, ["staging"]], {
          entries: [],
          count: 0,
        }),
      );
      assert.equal((await served.ask("/v1/decisions", staging)).status, 200);
      assert.equal((await served.ask("/v1/decisions?target=prod", staging)).json["code"], "not-permitted");
    });
  });

  describe("GET /v1/decisions/{id}", () => {
    it("shows an entry by its index and by its id, with what was erased as null", async () => {
      served.expect(expects("entry", [{ index: 7 }], entry()), expects("entry", [{ id: ULID }], entry()));
      const { json } = await served.ask("/v1/decisions/7", reader);
      assert.deepEqual(json["disclosed"], { evidence: { documents: 12 }, persons: null });
      assert.deepEqual((await served.ask(`/v1/decisions/${ULID}`, reader)).json, json);
    });

    it("knows no entry that there is not, nor one of a target that the access leaves out, nor of the whole gate", async () => {
      served.expect(
        expects("entry", null, null),
        expects("entry", null, entry({ target: "prod" })),
        expects("entry", null, entry({ target: null })),
        expects("entry", null, entry({ target: "prod" })),
      );
      const replies = [
        await served.ask("/v1/decisions/8", reader),
        await served.ask("/v1/decisions/8", staging),
        await served.ask("/v1/decisions/8", staging),
        await served.ask("/v1/decisions/8/proof", staging),
      ];
      for (const { status, json } of replies) assert.deepEqual([status, json["code"]], [404, "route-unknown"]);
      const [first, ...others] = replies.map(({ json }) => ({ ...json, requestId: "" }));
      for (const other of others) assert.deepEqual(other, first, "both look alike");
    });

    for (const id of ["-1", "1.0", "01", "x", "01JD7K", "1%2F2", ULID.toLowerCase(), "7%00"]) {
      it(`knows no ${id}`, async () => {
        assert.equal((await served.ask(`/v1/decisions/${id}`, reader)).status, 404);
      });
    }
  });

  describe("targets, releases, holds and waivers", () => {
    it("are those that the access names", async () => {
      served.expect(
        expects("targets", [], [target("prod"), target("staging")]),
        expects("releases", [{ targets: ["staging"], after: null, limit: 50 }], []),
        expects(
          "holds",
          [],
          [HOLD, { ...HOLD, scope: "all" }, { ...HOLD, scope: "repository:shop" }, { ...HOLD, scope: "staging" }],
        ),
        expects("targets", [], [target("prod"), target("staging")]),
        expects("waivers", [["staging"]], [{ ...WAIVER, target: "staging" }]),
      );
      const targets = (await served.ask("/v1/targets", staging)).json["targets"] as { target: string }[];
      assert.deepEqual(
        targets.map((one) => one.target),
        ["staging"],
      );
      assert.equal((await served.ask("/v1/releases", staging)).status, 200);
      const holds = (await served.ask("/v1/holds", staging)).json["holds"] as { scope: string }[];
      assert.deepEqual(
        holds.map(({ scope }) => scope),
        ["all", "repository:shop", "staging"],
      );
      assert.equal((await served.ask("/v1/waivers", staging)).status, 200);
      for (const path of [
        "/v1/releases?target=prod",
        "/v1/waivers?target=prod",
        "/metrics",
        "/releases/prod/head.json",
        "/log/tile/entries/000",
      ])
        assert.equal((await served.ask(path, staging)).json["code"], "not-permitted", path);
    });

    it("go on below the page before", async () => {
      served.expect(expects("releases", [{ targets: ["prod"], after: 9, limit: 1 }], [RELEASE]));
      const { json } = await served.ask("/v1/releases?target=prod&after=9&limit=1", reader);
      assert.equal(json["next"], RELEASE.index);
    });
  });

  describe("what is ordered", () => {
    it("is ordered by the person of the token, whatever the body says", async () => {
      const by = "operator-ada";
      served.expect(
        expects("hold", [{ scope: "prod", reason: "migration", by }], holding),
        expects("resume", [{ scope: "all", reason: "done", by }], holding),
        expects("release", [{ target: "prod", by }], LANDINGS),
        expects("check", [{ repository: "shop", head: COMMIT, targets: ["prod", "staging"], by }], CHECK),
      );
      const { json } = await served.ask("/v1/holds", operator({ scope: "prod", reason: "migration" }));
      assert.deepEqual(json, {
        apiVersion: "sluice/v1",
        kind: "Hold",
        state: "held",
        scope: "prod",
        reason: "migration",
        by,
        ...holding,
      });
      assert.equal(
        (await served.ask("/v1/resumes", operator({ scope: "all", reason: "done" }))).json["state"],
        "resumed",
      );
      assert.equal((await served.ask("/v1/releases", operator({ target: "prod" }))).status, 200);
      const asked = { repository: "shop", head: COMMIT, targets: ["staging", "prod", "prod"] };
      assert.equal((await served.ask("/v1/checks", operator(asked))).json["verdict"], "deny");
      assert.equal((await served.ask("/v1/holds", operator({ scope: "prod", reason: "x", by: "sam" }))).status, 400);
    });

    it("is not what OPA uploads: that is refused in so many words", async () => {
      for (const path of ["/logs", "/logs/partition"]) {
        const { status, json } = await served.ask(path, operator([{ decision_id: "1" }]));
        assert.deepEqual([status, json["code"]], [501, "not-supported"], path);
      }
    });

    it("is reviewed by the person of the token, by the index that the decision has", async () => {
      const order = { outcome: "contested", reason: "it was no emergency" } as const;
      const reviewed = { ...REVIEW, state: "contested" } as const;
      served.expect(
        expects("entry", [{ id: ULID }], entry()),
        expects("review", [{ entry: 7, ...order, by: "operator-ada" }], reviewed),
        expects("entry", [{ index: 999 }], null),
      );
      const { status, json } = await served.ask("/v1/reviews", operator({ entry: ULID, ...order }));
      assert.deepEqual([status, json], [200, { apiVersion: "sluice/v1", kind: "Review", ...reviewed }]);
      const unknown = await served.ask("/v1/reviews", operator({ entry: "999", ...order }));
      assert.deepEqual([unknown.status, unknown.json["code"]], [404, "route-unknown"]);
      served.expect(expects("entry", [{ index: 7 }], entry()));
      const limited = { token: tokens["staging-operator"], method: "POST", body: { entry: "7", ...order } };
      assert.equal((await served.ask("/v1/reviews", limited)).status, 404, "what may not be known is not there");
    });

    it("is counted until it is reviewed, and apart when that is overdue", async () => {
      for (const [review, owed, overdue] of [
        [null, 0, 0],
        ["due", 1, 0],
        ["overdue", 1, 1],
      ] as const) {
        const targets = [{ target: "prod", sequence: 3, held: false, review, headNotAfter: null }];
        served.expect(expects("metrics", [], { ...METRICS, targets }));
        const { text } = await served.ask("/metrics", reader);
        assert.match(text, new RegExp(`^sluice_target_review_owed\\{target="prod"\\} ${owed}$`, "m"));
        assert.match(text, new RegExp(`^sluice_target_review_overdue\\{target="prod"\\} ${overdue}$`, "m"));
      }
    });

    it("says that one operator is alone only where it is said", async () => {
      const words = { reason: "the shop is down", ticket: "INC-77" };
      const by = "operator-ada";
      served.expect(
        expects("release", [{ target: "prod", by, emergency: { ...words, alone: false } }], LANDINGS),
        expects("release", [{ target: "prod", by, emergency: { ...words, alone: true } }], LANDINGS),
      );
      for (const emergency of [words, { ...words, alone: true }])
        assert.equal((await served.ask("/v1/releases", operator({ target: "prod", emergency }))).status, 200);
    });

    it("stays within the targets of the access", async () => {
      const limited = (body: unknown) => ({ token: tokens["staging-operator"], method: "POST", body });
      for (const [path, body] of [
        ["/v1/holds", { scope: "prod", reason: "x" }],
        ["/v1/holds", { scope: "all", reason: "x" }],
        ["/v1/holds", { scope: "repository:shop", reason: "x" }],
        ["/v1/resumes", { scope: "all", reason: "x" }],
        ["/v1/releases", { target: "prod" }],
        ["/v1/checks", { repository: "shop", head: COMMIT }],
        ["/v1/checks", { repository: "shop", head: COMMIT, targets: ["staging", "prod"] }],
      ] as const)
        assert.equal((await served.ask(path, limited(body))).json["code"], "not-permitted", JSON.stringify(body));
      const alert = { version: "4", status: "firing", commonLabels: { sluice_scope: "prod" } };
      const hook = await served.ask("/hooks/alertmanager", {
        token: tokens["staging-caller"],
        method: "POST",
        body: alert,
      });
      assert.equal(hook.json["code"], "not-permitted");
    });

    for (const [path, body] of [
      ["/v1/holds", { scope: "prod" }],
      ["/v1/holds", { scope: "prod", reason: "  " }],
      ["/v1/holds", { scope: "../prod", reason: "x" }],
      ["/v1/holds", { scope: "prod", reason: "x".repeat(1001) }],
      ["/v1/holds", { scope: "prod", reason: "x", force: true }],
      ["/v1/holds", ["prod"]],
      ["/v1/holds", null],
      ["/v1/releases", { target: "prod", emergency: true }],
      ["/v1/releases", { target: "prod", emergency: { reason: "x", ticket: "I", alone: "yes" } }],
      ["/v1/reviews", { entry: "7", reason: "x" }],
      ["/v1/reviews", { entry: "7", reason: "x", outcome: "fine" }],
      ["/v1/reviews", { entry: "7", reason: " ", outcome: "accepted" }],
      ["/v1/reviews", { entry: 7, reason: "x", outcome: "accepted" }],
      ["/v1/reviews", { entry: "7", reason: "x", outcome: "accepted", by: "jo" }],
      ["/v1/checks", { repository: "shop", head: COMMIT.slice(0, 12) }],
      ["/v1/checks", { repository: "shop", head: "refs/heads/main" }],
      ["/v1/checks", { repository: "https://evil.example/shop.git", head: COMMIT }],
      ["/v1/checks", { repository: "shop", head: COMMIT, targets: "prod" }],
      ["/v1/checks", { repository: "shop", head: COMMIT, url: "https://evil.example" }],
    ] as const) {
      it(`is refused in another form: ${path} ${JSON.stringify(body).slice(0, 60)}`, async () => {
        served.clock.now += 60_000; // nobody is refused for haste here
        const { status, json } = await served.ask(path, operator(body));
        assert.deepEqual([status, json["code"]], [400, "request-invalid"]);
      });
    }
  });

  describe("an alert", () => {
    const alert = (change: object = {}) => ({
      token: tokens.caller,
      method: "POST",
      body: {
        version: "4",
        groupKey: "{}",
        status: "firing",
        receiver: "sluice",
        commonLabels: { alertname: "ErrorBudget", sluice_scope: "prod" },
        commonAnnotations: { summary: "too many \u001b[31merrors" },
        alerts: [],
        ...change,
      },
    });

    it("that fires sets a hold, in the name of its token", async () => {
      served.expect(
        expects("holds", [], []),
        expects(
          "hold",
          [{ scope: "prod", reason: "alert ErrorBudget: too many \\u{1b}[31merrors", by: "caller-ada" }],
          holding,
        ),
      );
      const { json } = await served.ask("/hooks/alertmanager", alert());
      assert.deepEqual([json["state"], json["index"]], ["held", 9]);
    });

    it("that fires again changes nothing", async () => {
      served.expect(expects("holds", [], [HOLD]));
      assert.equal((await served.ask("/hooks/alertmanager", alert())).json["state"], "unchanged");
    });

    it("that ends never ends a hold, and asks the service for nothing", async () => {
      const { status, json } = await served.ask("/hooks/alertmanager", alert({ status: "resolved" }));
      assert.deepEqual([status, json["state"]], [200, "unchanged"]);
    });

    it("that names no scope holds nothing, and says so", async () => {
      for (const commonLabels of [{}, { sluice_scope: "" }, { sluice_scope: "prod,staging" }]) {
        const { json } = await served.ask("/hooks/alertmanager", alert({ commonLabels }));
        assert.deepEqual([json["state"], json["scope"]], ["unchanged", null]);
      }
    });

    it("of another version is refused", async () => {
      for (const change of [{ version: "5" }, { status: "open" }, { commonLabels: { sluice_scope: 1 } }])
        assert.equal((await served.ask("/hooks/alertmanager", alert(change))).json["code"], "request-invalid");
    });
  });

  describe("files", () => {
    it("of a tile are kept for ever, and a checkpoint and a head are not kept at all", async () => {
      const bytes = new Uint8Array([0, 255, 10]);
      served.expect(
        expects("resource", ["tile/entries/x001/234.p/9"], bytes),
        expects("resource", ["checkpoint"], bytes),
        expects("releaseFile", ["prod", "head.json"], bytes),
        expects("releaseFile", ["prod", "releases/3/objects/apps_Deployment_apps_web"], bytes),
      );
      const caching = async (path: string): Promise<string | undefined> => {
        const { headers, body } = await served.ask(path, reader);
        assert.deepEqual(new Uint8Array(body), bytes);
        return headers["cache-control"];
      };
      const forEver = "private, max-age=31536000, immutable";
      assert.equal(await caching("/log/tile/entries/x001/234.p/9"), forEver);
      assert.equal(await caching("/log/checkpoint"), "no-store");
      assert.equal(await caching("/releases/prod/head.json"), "no-store");
      assert.equal(await caching("/releases/prod/releases/3/objects/apps_Deployment_apps_web"), forEver);
    });

    for (const path of [
      "/log/tile/0/0",
      "/log/tile/0/000.p/256",
      "/log/tile/64/000",
      "/log/tile/0/001/x000",
      "/log/tile/../checkpoint",
      "/log/tile/0/%2e%2e/checkpoint",
      "/log/tile",
      "/releases/prod/../../etc/passwd",
      "/releases/prod/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
      "/releases/prod/releases/3/objects/..",
      "/releases/prod/releases/3/objects/a%2Fb",
      "/releases/prod/releases/03/release.json",
      "/releases/prod/head.json/",
      "/releases/prod/log.db",
      "/releases/prod",
    ]) {
      it(`are not looked for at ${path}`, async () => {
        assert.equal((await served.ask(path, reader)).status, 404);
      });
    }

    it("that are not there are not kept as such", async () => {
      served.expect(expects("resource", null, null), expects("releaseFile", null, null));
      for (const path of ["/log/tile/0/000", "/releases/prod/head.json"]) {
        const { status, headers } = await served.ask(path, reader);
        assert.deepEqual([status, headers["cache-control"]], [404, "no-store"]);
      }
    });
  });

  describe("probes", () => {
    it("say why it is not ready, to those whom the service knows", async () => {
      const facts = [{ what: "disk", code: "log-full" as const, message: "no space is left" }];
      served.expect(
        expects("readiness", [], { ready: false, facts }),
        expects("readiness", [], { ready: false, facts }),
      );
      const [known, unknown] = [await served.ask("/readyz", reader), await served.ask("/readyz")];
      assert.deepEqual([known.status, known.json["facts"]], [503, facts]);
      assert.deepEqual([unknown.status, unknown.json["facts"]], [503, []]);
    });

    it("serve the document that is made from the list of routes", async () => {
      assert.deepEqual((await served.ask("/openapi.json")).json, JSON.parse(JSON.stringify(openApiDocument(ROUTES))));
    });
  });

  describe("an auditor's call", () => {
    it("is logged before anything is asked, and refused where it cannot be", async () => {
      const route = "GET /v1/decisions";
      served.expect(
        expects(
          "recordRead",
          [{ person: "auditor-ada", route, asked: "/v1/decisions?target=prod", target: "prod" }],
          undefined,
        ),
        expects("entries", null, { entries: [], count: 0 }),
      );
      const auditor = { token: tokens.auditor };
      assert.equal((await served.ask("/v1/decisions?target=prod", auditor)).status, 200);
      served.finish();
      served.expect(expects("recordRead", null, () => Promise.reject(new Error("disk"))));
      const { status, text } = await served.ask("/v1/decisions", auditor);
      assert.equal(status, 500);
      assert.ok(!text.includes("disk"));
    });
  });
});
