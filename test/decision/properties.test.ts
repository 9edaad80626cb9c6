import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CountedApproval } from "../../src/decision/approval.ts";
import { decide } from "../../src/decision/decide.ts";
import type { Evidence, Verdict } from "../../src/decision/decision.ts";
import { CODES, isCode } from "../../src/lib/codes.ts";
import { BASE, commit, evidence, finding, given, HEAD, ID, NOW, rejected, TARGET, TREE, verified } from "./evidence.ts";

const RUNS = 2000;
const SEVERITY: Record<Verdict, number> = { allow: 0, wait: 1, deny: 2, error: 3 };

const id = fc.constantFrom(HEAD, BASE, commit("c"), commit("e"));
const code = fc.oneof(fc.constantFrom(...Object.keys(CODES)), fc.string({ maxLength: 12 }));
const words = fc.string({ maxLength: 12 });
const role = fc.constantFrom("platform", "security");
const person = fc.constantFrom("ada", "lin", "jo");
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
const reason = fc.record({ code, message: words, fix: fc.option(words) });
const number = fc.oneof(fc.integer({ min: -1, max: 3 }), fc.constant(Number.NaN));
const verification = fc.oneof(
  id.map((one) => verified(one)),
  fc
    .tuple(id, fc.constantFrom("unsigned-commit", "bad-signature", "forge-not-permitted"))
    .map(([one, why]) => rejected(one, why as "bad-signature")),
);
const approval = fc.tuple(person, some(role)).map(([who, roles]) => given(who, ...roles));
const rule = fc.record({
  count: fc.integer({ min: 0, max: 3 }),
  roles: some(role),
  accept: fc.constant(["signed"] as const),
  bind: fc.constantFrom("tree", "change"),
});
const anyFinding = fc
  .record({
    kind: fc.constantFrom("deny", "warn", "ask"),
    waivedBy: fc.option(words),
    baseline: fc.boolean(),
    role: fc.option(role),
  })
  .map((change) => finding(change as Parameters<typeof finding>[0]));
const place = fc.option(fc.integer({ min: 1, max: 9 }));
const renderFailure = fc.record({ code, message: words, file: words, line: place, column: place });
const facts = fc
  .record({
    name: words,
    mode: fc.constantFrom("observe", "warn", "enforce"),
    unruled: fc.constantFrom("report", "deny"),
    approvals: rule,
    require: fc.constantFrom("every-commit", "merge-and-head", "head", "none"),
  })
  .map(({ require, ...rest }) => ({ ...TARGET, ...rest, signatures: { ...TARGET.signatures, require } }));

/** What decide() looks at, as hostile as its types allow. */
const parts: fc.Arbitrary<Partial<Evidence>> = fc.record({
  subject: fc.constantFrom("proposed", "landed", "admission", "scan", "drift", "file"),
  target: facts,
  base: fc.option(id),
  head: id,
  judge: fc.option(id),
  tree: fc.option(fc.constant(TREE)),
  verifications: some(verification),
  requiredCommits: some(id),
  standIn: some(id),
  uncovered: some(words),
  renderFailures: some(renderFailure),
  findings: some(anyFinding),
  rulesExpected: number,
  rulesEvaluated: number,
  unruled: some(words),
  notEvaluated: some(fc.record({ what: words, code, message: words })),
  approvals: some(approval).map((list) => ({ given: list, ignored: [] })),
  governance: fc.option(fc.record({ paths: some(words), rule, given: some(approval), unusable: fc.option(words) })),
  refusals: some(reason),
  failure: fc.option(fc.record({ stage: fc.constant("git" as const), code, message: words, fix: fc.option(words) })),
}) as fc.Arbitrary<Partial<Evidence>>;

const PART_NAMES = Object.keys(evidence()).filter((name) => !["authority", "receivedAt", "digests"].includes(name));

/** Allowed evidence with a few parts replaced: near the border between allow and the rest. */
const nearly = fc.tuple(parts, fc.subarray(PART_NAMES, { maxLength: 4 })).map(([change, names]) => {
  const kept = Object.entries(change).filter(([name]) => names.includes(name));
  return evidence(Object.fromEntries(kept) as Partial<Evidence>);
});
const anyEvidence = fc.oneof(
  { weight: 3, arbitrary: nearly },
  { weight: 1, arbitrary: parts.map((all) => evidence(all)) },
);

/** What an allow requires, said a second time and in the plainest words. */
function deserves(e: Evidence): boolean {
  return (
    e.failure === null &&
    e.refusals.length === 0 &&
    e.judge !== null &&
    e.tree !== null &&
    e.rulesExpected >= 1 &&
    e.rulesEvaluated === e.rulesExpected &&
    e.notEvaluated.length === 0 &&
    e.uncovered.length === 0 &&
    e.renderFailures.length === 0 &&
    (e.target.unruled === "report" || e.unruled.length === 0) &&
    e.findings.every((one) => isHarmless(one, e.approvals.given)) &&
    isMet(e.target.approvals, e.approvals.given) &&
    (e.governance === null || (e.governance.unusable === null && isMet(e.governance.rule, e.governance.given))) &&
    isSigned(e)
  );
}

function isHarmless(one: Evidence["findings"][number], approvals: readonly CountedApproval[]): boolean {
  if (one.kind === "warn" || one.waivedBy !== null || one.baseline) return true;
  return one.kind === "ask" && approvals.some(({ roles }) => one.role === null || roles.includes(one.role));
}

function isMet(wanted: Evidence["target"]["approvals"], approvals: readonly CountedApproval[]): boolean {
  const people = new Set(approvals.map((one) => one.person)).size;
  const roles = new Set(approvals.flatMap((one) => one.roles));
  return people >= wanted.count && wanted.roles.every((one) => roles.has(one));
}

function isSigned(e: Evidence): boolean {
  const { require } = e.target.signatures;
  if (require === "none") return true;
  const approved = e.subject === "landed" && e.approvals.given.length > 0;
  const isRequired = (one: string): boolean => (e.requiredCommits as readonly string[]).includes(one);
  const isFine = (one: string): boolean => {
    const seen = e.verifications.filter(({ commit: of }) => of === one);
    const stoodFor = approved && (e.standIn as readonly string[]).includes(one);
    return seen.length > 0 && (stoodFor || seen.every(({ kind }) => kind === "verified"));
  };
  const range = require === "every-commit" ? e.verifications.map((one) => one.commit) : [];
  return isRequired(e.head) && e.requiredCommits.every(isFine) && range.every(isRequired);
}

test("decide allows exactly what deserves it: signed, judged by rules, covered, rendered, agreed to, and nothing against it", () => {
  const seen = { allow: 0, wait: 0, deny: 0, error: 0 };
  fc.assert(
    fc.property(anyEvidence, (one) => {
      const { verdict } = decide(one, ID, NOW);
      seen[verdict] += 1;
      assert.equal(verdict === "allow", deserves(one));
    }),
    { numRuns: RUNS },
  );
  for (const [verdict, count] of Object.entries(seen)) assert.ok(count > RUNS / 100, `only ${count} ${verdict}`);
});

test("decide never throws, changes nothing it is given, and gives the same answer twice", () => {
  fc.assert(
    fc.property(anyEvidence, (one) => {
      const before = JSON.stringify(one);
      const decision = decide(deepFrozen(one), ID, NOW);
      assert.deepEqual(decide(one, ID, NOW), decision);
      assert.equal(JSON.stringify(one), before);
      assert.ok(Object.isFrozen(decision));
    }),
    { numRuns: RUNS },
  );
});

test("only an allow is without reasons, and reasons are sorted by code and message", () => {
  fc.assert(
    fc.property(anyEvidence, (one) => {
      const { verdict, reasons } = decide(one, ID, NOW);
      assert.equal(reasons.length === 0, verdict === "allow");
      const keys = reasons.map((each) => [each.code, each.message] as const);
      const sorted = [...keys].sort((a, b) => (a[0] === b[0] ? compare(a[1], b[1]) : compare(a[0], b[0])));
      assert.deepEqual(keys, sorted);
    }),
    { numRuns: RUNS },
  );
});

test("no refusal that is added turns a verdict milder; a conflict explains a missing tree, and still denies", () => {
  fc.assert(
    fc.property(anyEvidence, reason, (one, refusal) => {
      const before = decide(one, ID, NOW).verdict;
      const after = decide({ ...one, refusals: [...one.refusals, refusal] }, ID, NOW).verdict;
      assert.notEqual(after, "allow");
      const explains = refusal.code === "merge-conflict" && one.tree === null;
      assert.ok(SEVERITY[after] >= (explains ? SEVERITY.deny : SEVERITY[before]), `${before} became ${after}`);
    }),
    { numRuns: RUNS },
  );
});

test("nothing that is held against a change turns a verdict milder", () => {
  const against: fc.Arbitrary<(one: Evidence) => Evidence> = fc.oneof(
    anyFinding.map((more) => (one: Evidence) => ({ ...one, findings: [...one.findings, more] })),
    words.map((more) => (one: Evidence) => ({ ...one, uncovered: [...one.uncovered, more] })),
    words.map((more) => (one: Evidence) => ({ ...one, unruled: [...one.unruled, more] })),
    id.map((more) => (one: Evidence) => ({ ...one, verifications: [...one.verifications, rejected(more)] })),
    fc.constant((one: Evidence) => ({ ...one, approvals: { given: [], ignored: [] } })),
    fc.constant((one: Evidence) => ({ ...one, standIn: [] })),
  );
  const judged = anyEvidence.filter((one) => one.verifications.length > 0);
  fc.assert(
    fc.property(judged, against, (one, add) => {
      const before = decide(one, ID, NOW).verdict;
      const after = decide(add(one), ID, NOW).verdict;
      // A rejection of a commit that nobody had looked at answers the error about that, but never by an allow.
      const answered = before === "error" && add(one).verifications.length > one.verifications.length;
      assert.ok(SEVERITY[after] >= (answered ? SEVERITY.deny : SEVERITY[before]), `${before} became ${after}`);
    }),
    { numRuns: RUNS },
  );
});

test("a refusal or a failure whose code nobody knows is an error", () => {
  const unknown = fc.string().filter((text) => !isCode(text));
  fc.assert(
    fc.property(anyEvidence, unknown, (one, name) => {
      const refusal = { code: name, message: "", fix: null };
      assert.equal(decide({ ...one, refusals: [refusal] }, ID, NOW).verdict, "error");
      assert.equal(decide({ ...one, failure: { stage: "gate", ...refusal } }, ID, NOW).verdict, "error");
    }),
    { numRuns: RUNS },
  );
});

test("the mode never changes the verdict or its reasons", () => {
  fc.assert(
    fc.property(anyEvidence, (one) => {
      const [observe, warn, enforce] = (["observe", "warn", "enforce"] as const).map((mode) => {
        const { verdict, reasons } = decide({ ...one, target: { ...one.target, mode } }, ID, NOW);
        return { verdict, reasons };
      });
      assert.deepEqual([observe, warn], [enforce, enforce]);
    }),
    { numRuns: RUNS },
  );
});

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFrozen);
  return value;
}
