import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { processMemo } from "../../src/lib/memo.ts";
import type { PolicyInput } from "../../src/policy/input.ts";
import type { Evaluated, PolicyEngine, PolicySet, Rule } from "../../src/policy/policy-set.ts";
import { mayAsk, readsOnlyOwnParts, remembering } from "../../src/policy/verdict-memo.ts";

const rule: Rule = {
  id: "r1",
  package: "sluice.r1",
  file: "r1.rego",
  title: "r1",
  description: "",
  level: "low",
  fix: null,
  controls: [],
  scope: "resource",
  match: { kinds: ["ConfigMap"], namespaces: null },
  waivable: true,
  role: null,
  mode: "enforce",
  kinds: ["deny"],
  imported: null,
};

function policySet(digest: string, readsOnly = true): PolicySet {
  return {
    rules: [rule],
    wasm: new Uint8Array(),
    digest,
    readsOnlyOwnParts: readsOnly,
    readsInventory: false,
    data: [],
    external: [],
  };
}

function document(name: string, kind = "ConfigMap", time = "2026-01-01T00:00:00.000Z"): PolicyInput {
  const id = { group: "", version: "v1", kind, namespace: "apps", name };
  const target = { name: "prod", repository: "shop", branch: "main", path: "p", labels: {}, mode: "enforce" as const };
  return {
    version: 1,
    subject: { kind: "proposed", target, time },
    resource: { id, action: "create", object: { kind }, previous: null, origin: null },
    pod: null,
    change: null,
    commits: [],
    approvals: [],
    checks: [],
    request: null,
  };
}

/** An engine at our own interface that counts what it is asked and denies every ConfigMap named `bad`. */
function countingEngine(fails = false): PolicyEngine & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    prepare: () => undefined,
    close: async () => undefined,
    async evaluate(set, documents): Promise<Evaluated> {
      asked.push(...documents.map((one) => one.resource?.id.name ?? "change"));
      const selected = documents.filter((one) => one.resource?.id.kind === "ConfigMap");
      const bad = selected.filter((one) => one.resource?.id.name === "bad");
      const [first] = set.rules;
      assert.ok(first);
      const findings = bad.map((one) => ({
        rule: first.id,
        policy: first.package,
        kind: "deny" as const,
        level: first.level,
        message: "is bad",
        fix: null,
        resource: one.resource?.id ?? null,
        at: "",
        position: null,
        waivedBy: null,
        baseline: false,
        waivable: true,
        role: null,
      }));
      const notEvaluated = fails ? [{ what: "r1", code: "policy-deadline", message: "too slow" }] : [];
      const unruled = documents
        .filter((one) => one.resource?.id.kind === "Other")
        .map((one) => `Other/apps/${one.resource?.id.name}`);
      return {
        findings,
        rulesExpected: selected.length,
        rulesEvaluated: fails ? 0 : selected.length,
        unruled,
        notEvaluated,
      };
    },
  };
}

describe("remembered verdicts", () => {
  it("asks for an object once and gives the same answer again", async () => {
    const engine = countingEngine();
    const memory = remembering(engine, processMemo());
    const documents = [document("good"), document("bad"), document("x", "Other")];
    const first = await memory.evaluate(policySet("a"), documents);
    const second = await memory.evaluate(policySet("a"), documents);
    assert.deepEqual(second, first);
    assert.equal(first.findings.length, 1);
    assert.deepEqual(first.unruled, ["Other/apps/x"]);
    assert.deepEqual(engine.asked, ["good", "bad", "x"]);
  });

  it("asks again under another policy set", async () => {
    const engine = countingEngine();
    const memory = remembering(engine, processMemo());
    await memory.evaluate(policySet("a"), [document("good")]);
    await memory.evaluate(policySet("b"), [document("good")]);
    assert.deepEqual(engine.asked, ["good", "good"]);
  });

  it("asks again when the object differs, and not when only the time does", async () => {
    const engine = countingEngine();
    const memory = remembering(engine, processMemo());
    await memory.evaluate(policySet("a"), [document("good")]);
    await memory.evaluate(policySet("a"), [document("good", "ConfigMap", "2027-01-01T00:00:00.000Z")]);
    await memory.evaluate(policySet("a"), [document("other")]);
    assert.deepEqual(engine.asked, ["good", "other"]);
  });

  it("remembers nothing where a rule can see more than the object", async () => {
    const engine = countingEngine();
    const memory = remembering(engine, processMemo());
    for (const _ of [1, 2]) await memory.evaluate(policySet("a", false), [document("good")]);
    assert.deepEqual(engine.asked, ["good", "good"]);
  });

  it("asks again about a request where rules of another engine may look at more of it than the object", async () => {
    const engine = countingEngine();
    const memory = remembering(engine, processMemo());
    const request = { ...document("good"), request: { operation: "CREATE" } };
    const { rules, ...set } = policySet("a");
    const other = { dialect: "conftest", package: "p", asks: "deny", form: "results", hasExceptions: false } as const;
    const imported = {
      ...set,
      rules: rules.map((one): Rule => ({ ...one, imported: { ...other, constraint: null } })),
    };
    for (const one of [policySet("b"), imported]) {
      await memory.evaluate(one, [request]);
      await memory.evaluate(one, [request]);
    }
    assert.deepEqual(engine.asked, ["good", "good", "good"]);
  });

  it("always asks about the change itself", async () => {
    const engine = countingEngine();
    const memory = remembering(engine, processMemo());
    const change = { ...document("good"), resource: null };
    for (const _ of [1, 2]) await memory.evaluate(policySet("a"), [change]);
    assert.deepEqual(engine.asked, ["change", "change"]);
  });

  it("remembers nothing of a batch in which a rule did not answer", async () => {
    const engine = countingEngine(true);
    const memory = remembering(engine, processMemo());
    for (const _ of [1, 2]) {
      const { notEvaluated } = await memory.evaluate(policySet("a"), [document("good")]);
      assert.equal(notEvaluated.length, 1);
    }
    assert.deepEqual(engine.asked, ["good", "good"]);
  });
});

describe("what a policy can see", () => {
  const own = ["input.resource.id.kind", "some c in input.pod.containers", "x := input.resource", "no_input_here := 1"];
  const more = [
    "input.subject.time",
    'input["resource"]',
    "x := input",
    "import input",
    "import input.change as c",
    "f(input)",
    "data.x with input as {}",
    "input\n.resource",
    "input.resources",
    "input .resource",
    "# a comment about input",
  ];
  for (const text of own)
    it(`is only the object in ${JSON.stringify(text)}`, () =>
      assert.equal(readsOnlyOwnParts({ path: "p", text }), true));
  for (const text of more)
    it(`may be more in ${JSON.stringify(text)}`, () => assert.equal(readsOnlyOwnParts({ path: "p", text }), false));
});

describe("whether a policy may ask a rule of scope change", () => {
  const asks = (text: string) => mayAsk({ path: "p.rego", text }, "team.changes");

  it("says yes for the package, what lies below it, folders above it, aliases and computed names", () => {
    for (const text of [
      "data.team.changes.approved",
      "import data.team.changes",
      "import data.team",
      "import data as d",
      'data["team"].changes.approved',
      'data.team["changes"].approved',
      "data.team[name].approved",
      '$"{data.team.changes.who}"',
    ])
      assert.equal(asks(text), true, text);
  });

  it("says no for other packages, for fields and for texts", () => {
    for (const text of [
      "data.team.library.approved",
      "data.team.changesets.x",
      "input.resource.object.data.key",
      'some section in ["data", "stringData"]',
      "`^ENC\\[AES256_GCM,data:x`",
      "metadata.name",
    ])
      assert.equal(asks(text), false, text);
  });
});
