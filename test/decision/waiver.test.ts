import assert from "node:assert/strict";
import { test } from "node:test";
import { findingKey, markBaseline } from "../../src/decision/baseline.ts";
import { applyWaivers, checkWaivers, readWaivers } from "../../src/decision/waiver.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import type { Finding } from "../../src/policy/finding.ts";
import { finding, NOW } from "./evidence.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const WAIVER = {
  rule: "k8s-privileged",
  target: "prod",
  resource: "Deployment/apps/web",
  reason: "needs it",
  owner: "ada",
  until: "2026-12-31",
};

function waivers(...changes: readonly object[]) {
  return readWaivers(JSON.stringify(changes.map((change) => ({ ...WAIVER, ...change }))), "waivers.yaml");
}

function isWaived(change: object, found: Partial<Finding> = {}, at = NOW): boolean {
  const { findings, applied } = applyWaivers([finding(found)], waivers(change), "prod", at);
  assert.equal(findings.length, 1);
  assert.equal(applied.length, findings[0]?.waivedBy === null ? 0 : 1);
  return findings[0]?.waivedBy !== null;
}

function refusal(run: () => unknown): { readonly code: string; readonly message: string } {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
    throw thrown;
  }
  throw new Error("was not refused");
}

test("a waiver marks the finding of exactly its rule, target and resource, and removes nothing", () => {
  const [waiver] = waivers({ ticket: "SEC-12" });
  const { findings, applied } = applyWaivers([finding()], waivers({ ticket: "SEC-12" }), "prod", NOW);
  assert.deepEqual(findings, [finding({ waivedBy: waiver?.id ?? "" })]);
  const { rule, resource, owner } = WAIVER;
  assert.deepEqual(applied, [{ id: waiver?.id, rule, resource, owner, until: "2026-12-31", ticket: "SEC-12" }]);
});

test("a waiver of something nearly the same marks nothing", () => {
  const others: readonly object[] = [
    { rule: "k8s-privilege" },
    { rule: "K8S-PRIVILEGED" },
    { rule: "*" },
    { target: "staging" },
    { target: "Prod" },
    { resource: "Deployment/apps/web2" },
    { resource: "Deployment/web" },
    { resource: "Deployment/*/web" },
    { resource: "apps/Deployment/apps/web" },
    { resource: "change" },
  ];
  for (const other of others) assert.equal(isWaived(other), false, JSON.stringify(other));
});

test("a cluster-scoped object is named without a namespace, a rule about the change by the word change", () => {
  const role = { group: "rbac", version: "v1", kind: "ClusterRole", namespace: "", name: "admin" };
  assert.equal(isWaived({ resource: "ClusterRole/admin" }, { resource: role }), true);
  assert.equal(isWaived({ resource: "ClusterRole//admin" }, { resource: role }), false);
  assert.equal(isWaived({ resource: "change" }, { resource: null }), true);
});

test("a kind without its group is one of Kubernetes, never somebody else's of the same name", () => {
  const of = (group: string, kind = "Deployment") => ({ group, version: "v1", kind, namespace: "apps", name: "web" });
  const waived = (resource: string, found: ReturnType<typeof of>) => isWaived({ resource }, { resource: found });
  for (const group of ["apps", "extensions", "apps.k8s.io"]) {
    assert.deepEqual(
      [waived("Deployment/apps/web", of(group)), waived(`Deployment.${group}/apps/web`, of(group))],
      [true, true],
    );
  }
  assert.equal(waived("Secret/apps/web", of("", "Secret")), true);
  assert.equal(waived("Deployment/apps/web", of("mallory.example")), false);
  assert.equal(waived("Deployment.apps/apps/web", of("mallory.example")), false);
  assert.equal(waived("Deployment/apps/web", of("xk8s.io")), false);
  assert.equal(waived("Deployment.mallory.example/apps/web", of("mallory.example")), true);
});

test("a waiver ends at the first instant of its day", () => {
  const end = Date.parse("2026-12-31T00:00:00Z");
  assert.deepEqual([isWaived({}, {}, end - 1), isWaived({}, {}, end), isWaived({}, {}, end + 1)], [true, false, false]);
});

test("a waiver that ends more than 180 days ahead does not count yet, and a change that brings it is refused", () => {
  const until = new Date(Date.parse("2026-11-21T00:00:00Z") + 180 * DAY_MS).toISOString().slice(0, 10);
  const midnight = Date.parse("2026-11-21T00:00:00Z");
  assert.deepEqual([isWaived({ until }, {}, midnight), isWaived({ until }, {}, midnight - 1)], [true, false]);
  checkWaivers(waivers({ until }), midnight);
  assert.equal(refusal(() => checkWaivers(waivers({}, { until }), midnight - 1)).code, "waiver-too-long");
});

test("no waiver helps against a rule that says so", () => {
  assert.equal(isWaived({}, { waivable: false }), false);
});

test("of two waivers for one thing, an expired one does not hide the current one", () => {
  const both = waivers({ until: "2026-01-01" }, {});
  const { findings, applied } = applyWaivers([finding()], both, "prod", NOW);
  assert.equal(findings[0]?.waivedBy, both[1]?.id);
  assert.equal(applied.length, 1);
});

test("a waiver's id changes with anything that it says", () => {
  const changes = [{}, { reason: "other" }, { owner: "jo" }, { ticket: "A" }, { until: "2026-12-30" }, { rule: "r" }];
  const ids = changes.flatMap((change) => waivers(change).map((one) => one.id));
  assert.equal(new Set(ids).size, changes.length);
});

test("an empty waiver file and one of comments hold no waivers", () => {
  assert.deepEqual([readWaivers("", "w"), readWaivers("# none\n", "w"), readWaivers("[]", "w")], [[], [], []]);
});

const LINES = Object.entries(WAIVER).map(([key, value], index) => `${index === 0 ? "- " : "  "}${key}: ${value}\n`);

/** Each with the place that the message has to name. */
const BROKEN: readonly (readonly [string, string, RegExp])[] = [
  ["an unknown key", `${LINES.join("")}  untill: 2026-12-01\n`, /^waivers\.yaml:7:3 unknown key "untill"; .*"until"/],
  ["a missing owner", LINES.filter((line) => !line.includes("owner")).join(""), /^waivers\.yaml:1:\d+ 0\.owner: /],
  ["a missing end", LINES.filter((line) => !line.includes("until")).join(""), /^waivers\.yaml:1:\d+ 0\.until: /],
  ["no list", "rule: a\n", /^waivers\.yaml:1:1 /],
  ["a day that does not exist", LINES.join("").replace("2026-12-31", "2026-02-31"), /^waivers\.yaml:6:\d+ 0\.until: /],
  ["a time in place of a day", LINES.join("").replace("2026-12-31", '"2026-12-31T00:00:00Z"'), /^waivers\.yaml:6:/],
  ["an empty rule", LINES.join("").replace("k8s-privileged", '""'), /^waivers\.yaml:1:\d+ 0\.rule: /],
  ["something that is not YAML", "- {rule\n", /^waivers\.yaml:\d+:\d+ is not valid YAML/],
  ["a repeated key", `${LINES.join("")}  rule: other\n`, /^waivers\.yaml:7:\d+ is not valid YAML/],
];

for (const [name, text, message] of BROKEN) {
  test(`a waiver file with ${name} is refused with its line`, () => {
    const { code, message: said } = refusal(() => readWaivers(text, "waivers.yaml"));
    assert.equal(code, "waivers-invalid");
    assert.match(said, message);
  });
}

test("the baseline marks what was there at adoption and nothing that differs from it", () => {
  const keys = new Set([findingKey(finding())]);
  const others = [
    finding({ rule: "other" }),
    finding({ kind: "ask" }),
    finding({ at: "/spec/other" }),
    finding({ message: "other words" }),
    finding({ resource: null }),
    finding({ resource: { group: "", version: "v1", kind: "Deployment", namespace: "apps", name: "web" } }),
  ];
  const marked = markBaseline([finding({ level: "low", fix: null }), ...others], keys);
  assert.deepEqual(
    marked.map((one) => one.baseline),
    [true, ...others.map(() => false)],
  );
  assert.deepEqual(markBaseline([finding()], new Set()), [finding()]);
});

test("the baseline excuses no finding of a rule that nothing excuses", () => {
  const old = finding({ waivable: false });
  assert.deepEqual(markBaseline([old], new Set([findingKey(old)])), [old]);
});
