import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Emergency, Evidence } from "../../src/decision/decision.ts";
import { CODES, codeEntry, isCode } from "../../src/lib/codes.ts";
import type { Rejection } from "../../src/signature/verification.ts";
import {
  commit,
  decided,
  evidence,
  finding,
  given,
  HEAD,
  ID,
  outcome,
  PARENT,
  rejected,
  TARGET,
  target,
  verified,
} from "./evidence.ts";

const APPROVALS = { count: 2, roles: ["platform"], accept: ["signed"], bind: "tree" } as const;
const GOVERNANCE = {
  paths: ["policies/privileged/policy.rego"],
  rule: { ...APPROVALS, count: 1, roles: ["security"] },
  given: [given("jo", "security")],
  unusable: null,
};

function approvals(...list: readonly ReturnType<typeof given>[]): Pick<Evidence, "approvals"> {
  return { approvals: { given: list, ignored: [] } };
}

function signatures(require: Evidence["target"]["signatures"]["require"]): Pick<Evidence, "target"> {
  return target({ signatures: { ...TARGET.signatures, require } });
}

test("a signed, covered, judged change without a finding is allowed, with no reason", () => {
  const decision = decided();
  assert.deepEqual([decision.verdict, decision.reasons], ["allow", []]);
  assert.deepEqual([decision.id, decision.decidedAt], [ID, "2026-11-21T10:00:00.000Z"]);
});

test("a decision keeps all the evidence, frozen", () => {
  const decision = decided({ uncovered: ["tools/run.sh"] });
  const { id, verdict, reasons, decidedAt, ...kept } = decision;
  assert.deepEqual(kept, evidence({ uncovered: ["tools/run.sh"] }));
  assert.deepEqual([id, verdict, reasons.length, typeof decidedAt], [ID, "deny", 1, "string"]);
  assert.ok(Object.isFrozen(decision) && Object.isFrozen(reasons));
});

/** One sentence for each reason code, with the least that produces it and nothing else. */
const REASONS: readonly (readonly [string, Partial<Evidence>, ...string[]])[] = [
  ["no-judge: a change without a landed state to judge it is an error", { judge: null }, "error", "no-judge"],
  ["no-tree: a change without a merged tree is an error", { tree: null }, "error", "no-tree"],
  [
    "unsigned-commit: an unsigned commit of the range denies",
    { verifications: [rejected(PARENT), verified()] },
    "deny",
    "unsigned-commit",
  ],
  [
    "merge-not-judged: a forge's landing that nothing carries denies under a name of its own",
    { subject: "landed", verifications: [verified(PARENT), rejected(HEAD, "forge-not-permitted")] },
    "deny",
    "merge-not-judged",
  ],
  [
    "forge-not-permitted: the same on a proposal keeps its own name",
    { verifications: [verified(PARENT), rejected(HEAD, "forge-not-permitted")] },
    "deny",
    "forge-not-permitted",
  ],
  [
    "signatures-missing: a required commit that nobody looked at is an error",
    { verifications: [verified(PARENT)] },
    "error",
    "signatures-missing",
  ],
  [
    "path-not-covered: a path that no target covers denies",
    { uncovered: ["tools/run.sh"] },
    "deny",
    "path-not-covered",
  ],
  [
    "yaml-malformed: a file that could not be rendered denies under its own code",
    { renderFailures: [{ code: "yaml-malformed", message: "not YAML", file: "a.yaml", line: 3, column: 1 }] },
    "deny",
    "yaml-malformed",
  ],
  [
    "rules-missing: fewer rules than expected is an error",
    { rulesExpected: 3, rulesEvaluated: 2 },
    "error",
    "rules-missing",
  ],
  [
    "rules-missing: more rules than expected is an error as well",
    { rulesExpected: 3, rulesEvaluated: 4 },
    "error",
    "rules-missing",
  ],
  [
    "policy-deadline: a rule that could not be evaluated is an error under its own code",
    {
      rulesEvaluated: 2,
      notEvaluated: [{ what: "loop on Pod/a", code: "policy-deadline", message: "took too long" }],
    },
    "error",
    "policy-deadline",
  ],
  [
    "no-rule-evaluated: a change that no rule looked at denies",
    { rulesExpected: 0, rulesEvaluated: 0 },
    "deny",
    "no-rule-evaluated",
  ],
  [
    "object-unruled: an object without a rule denies where the target says so",
    { unruled: ["Service/apps/web"], ...target({ unruled: "deny" }) },
    "deny",
    "object-unruled",
  ],
  ["policy-denied: a deny finding denies", { findings: [finding()] }, "deny", "policy-denied"],
  ["ask-unanswered: an ask waits for somebody", { findings: [finding({ kind: "ask" })] }, "wait", "ask-unanswered"],
  [
    "approval-missing: a target that requires people waits for them",
    target({ approvals: APPROVALS }),
    "wait",
    "approval-missing",
  ],
  [
    "governance-approval-missing: a change to what judges waits for those who may change it",
    { governance: { ...GOVERNANCE, given: [given("lin", "platform")] } },
    "wait",
    "governance-approval-missing",
  ],
  [
    "new-judge-unusable: a change that leaves no usable judge denies",
    { governance: { ...GOVERNANCE, unusable: "The new policies do not compile." } },
    "deny",
    "new-judge-unusable",
  ],
  [
    "merge-conflict: a refusal found before judging denies by its own code, and says why there is no tree",
    {
      tree: null,
      rulesExpected: 0,
      rulesEvaluated: 0,
      refusals: [{ code: "merge-conflict", message: "a conflicts", fix: null }],
    },
    "deny",
    "merge-conflict",
  ],
  [
    "internal: a stage that failed is an error",
    { failure: { stage: "render", code: "internal", message: "it broke", fix: null } },
    "error",
    "internal",
  ],
];

for (const [name, change, ...expected] of REASONS) {
  test(name, () => assert.deepEqual(outcome(change), expected));
}

test("every code that a reason names is in the catalogue", () => {
  const codes = REASONS.flatMap(([, change]) => decided(change).reasons.map((reason) => reason.code));
  assert.deepEqual(
    codes.filter((code) => !isCode(code)),
    [],
  );
});

test("the worst of error, deny, wait and allow decides, and all reasons are kept, sorted", () => {
  const change = { uncovered: ["z", "a"], ...target({ approvals: APPROVALS }) };
  assert.deepEqual(outcome(change), ["deny", "approval-missing", "path-not-covered", "path-not-covered"]);
  assert.deepEqual(outcome({ ...change, judge: null })[0], "error");
  const messages = decided(change).reasons.map((reason) => reason.message);
  assert.deepEqual(messages, [...messages.slice(0, 1), ...messages.slice(1).sort()]);
});

describe("signatures", () => {
  test("a rejected commit denies with the reason of its rejection, whichever it is", () => {
    const reasons: readonly Rejection[] = ["bad-signature", "unknown-signer", "key-expired", "signer-mismatch"];
    for (const reason of reasons) {
      assert.deepEqual(outcome({ verifications: [rejected(PARENT, reason), verified()] }), ["deny", reason]);
    }
  });

  test("an unsigned commit's message says what the target requires", () => {
    const [reason] = decided({ verifications: [rejected(PARENT), verified()] }).reasons;
    assert.equal(reason?.message, "ccccccc is unsigned-commit; prod requires every commit to be signed.");
  });

  test("no verification at all is an error, however few are required", () => {
    for (const require of ["every-commit", "merge-and-head", "head"] as const) {
      const nobody = { verifications: [], requiredCommits: [], ...signatures(require) };
      assert.deepEqual(outcome(nobody), ["error", "signatures-missing"], require);
    }
  });

  test("a head outside of the required commits is an error", () => {
    for (const require of ["every-commit", "merge-and-head", "head"] as const) {
      const headless = { verifications: [verified(PARENT)], requiredCommits: [PARENT], ...signatures(require) };
      assert.deepEqual(outcome(headless), ["error", "signatures-missing"], require);
    }
  });

  test("every-commit requires each commit that was looked at", () => {
    assert.deepEqual(outcome({ requiredCommits: [HEAD] }), ["error", "signatures-missing"]);
  });

  test("head looks at the newest commit only", () => {
    const change = { verifications: [rejected(PARENT), verified()], requiredCommits: [HEAD], ...signatures("head") };
    assert.deepEqual(outcome(change), ["allow"]);
    assert.equal(outcome({ ...change, verifications: [verified(PARENT), rejected()] })[0], "deny");
  });

  test("a commit that is verified once and rejected once is rejected", () => {
    assert.equal(outcome({ verifications: [verified(PARENT), verified(), rejected()] })[0], "deny");
  });

  test("none asks for nothing", () => {
    assert.deepEqual(outcome({ verifications: [], requiredCommits: [], ...signatures("none") }), ["allow"]);
  });

  test("an approval stands in for a signature on a landed change only", () => {
    const change = { verifications: [verified(PARENT), rejected()], standIn: [HEAD], ...approvals(given("lin")) };
    assert.deepEqual(outcome({ ...change, subject: "landed" }), ["allow"]);
    for (const subject of ["proposed", "admission", "scan", "drift", "file"] as const) {
      assert.deepEqual(outcome({ ...change, subject }), ["deny", "unsigned-commit"], subject);
    }
  });

  test("nothing stands in for a signature where nobody approved", () => {
    const change = { verifications: [verified(PARENT), rejected()], standIn: [HEAD], subject: "landed" } as const;
    assert.deepEqual(outcome(change), ["deny", "unsigned-commit"]);
  });

  test("a stand-in for one commit is none for another", () => {
    const verifications = [rejected(PARENT), rejected()];
    const change = { verifications, standIn: [HEAD], subject: "landed", ...approvals(given("lin")) } as const;
    assert.deepEqual(outcome(change), ["deny", "unsigned-commit"]);
  });
});

describe("findings", () => {
  test("a waived finding and one of the baseline do not decide", () => {
    assert.deepEqual(outcome({ findings: [finding({ waivedBy: "w1" }), finding({ baseline: true })] }), ["allow"]);
    assert.deepEqual(outcome({ findings: [finding({ kind: "ask", baseline: true })] }), ["allow"]);
  });

  test("a warning never decides", () => {
    assert.deepEqual(outcome({ findings: [finding({ kind: "warn" })] }), ["allow"]);
  });

  test("an ask is answered by anybody's approval where it names no role, else by that role's", () => {
    const anybody = { findings: [finding({ kind: "ask" })] };
    const security = { findings: [finding({ kind: "ask", role: "security" })] };
    assert.deepEqual(outcome({ ...anybody, ...approvals(given("lin")) }), ["allow"]);
    assert.deepEqual(outcome({ ...security, ...approvals(given("lin", "platform")) }), ["wait", "ask-unanswered"]);
    assert.deepEqual(outcome({ ...security, ...approvals(given("jo", "security")) }), ["allow"]);
  });

  test("a policy's own fix stays as it is, also where it says BASE or TARGET", () => {
    const fix = "set DATABASE_URL in BASE, then TARGET";
    assert.equal(decided({ findings: [finding({ fix })] }).reasons[0]?.fix, fix);
  });

  test("the catalogue's fix names this change, and only whole words of it are filled in", () => {
    const change = { ...target({ approvals: APPROVALS, name: "$&" }) };
    assert.match(decided(change).reasons[0]?.fix ?? "", /sluice approve [0-9a-f]{7} --target \$&/);
    const conflict = { code: "merge-conflict", message: "", fix: "git rebase BASE; keep DATABASE" };
    assert.equal(decided({ refusals: [conflict] }).reasons[0]?.fix, "git rebase bbbbbbb; keep DATABASE");
  });
});

describe("approvals", () => {
  const required = target({ approvals: APPROVALS });

  test("enough people with the roles allow", () => {
    assert.deepEqual(outcome({ ...required, ...approvals(given("lin", "platform"), given("jo")) }), ["allow"]);
  });

  test("enough people without the role wait for the role", () => {
    const { reasons, verdict } = decided({ ...required, ...approvals(given("max"), given("jo")) });
    assert.equal(verdict, "wait");
    assert.equal(reasons[0]?.message, "2 of 2 approvals are given; prod still requires one of platform.");
  });

  test("one person who is listed twice is one person", () => {
    const twice = approvals(given("lin", "platform"), given("lin", "platform"));
    assert.deepEqual(outcome({ ...required, ...twice }), ["wait", "approval-missing"]);
  });
});

test("the mode of a target changes nothing about the verdict", () => {
  for (const [name, change, ...expected] of REASONS) {
    for (const mode of ["observe", "warn"] as const) {
      const facts = change.target ?? TARGET;
      assert.deepEqual(outcome({ ...change, target: { ...facts, mode } }), expected, `${mode}: ${name}`);
    }
  }
});

test("a code that nobody knows is an error, wherever it comes from", () => {
  const unknown = { code: "looks-fine", message: "all well", fix: null };
  const changes: readonly Partial<Evidence>[] = [
    { refusals: [unknown] },
    { failure: { stage: "git", ...unknown } },
    { renderFailures: [{ code: "looks-fine", message: "", file: "a", line: null, column: null }] },
    { notEvaluated: [{ what: "rule", code: "looks-fine", message: "" }] },
    { refusals: [{ ...unknown, code: "toString" }] },
  ];
  for (const change of changes) assert.equal(decided(change).verdict, "error", JSON.stringify(change));
});

test("each class of code has its verdict as a refusal", () => {
  const verdicts = { deny: "deny", rejected: "deny", refused: "deny", wait: "wait" } as Record<string, string>;
  for (const code of Object.keys(CODES) as (keyof typeof CODES)[]) {
    const refusals = [{ code, message: "", fix: null }];
    assert.deepEqual(outcome({ refusals }), [verdicts[codeEntry(code).class] ?? "error", code], code);
  }
});

test("a render failure says where", () => {
  const failure = { code: "yaml-malformed", message: "is not YAML", file: "a.yaml", line: 3, column: 7 };
  const [placed] = decided({ renderFailures: [failure] }).reasons;
  assert.equal(placed?.message, "a.yaml:3:7  is not YAML");
  const [unplaced] = decided({ renderFailures: [{ ...failure, line: null, column: null }] }).reasons;
  assert.equal(unplaced?.message, "a.yaml  is not YAML");
});

test("a commit outside of the range does not help", () => {
  const change = { verifications: [verified(PARENT), verified(commit("e"))], requiredCommits: [PARENT, HEAD] };
  assert.equal(outcome(change)[0], "error");
});

test("an emergency takes two people, or one whose act is to be reviewed; it never makes an allow of nothing", () => {
  const word = (person: string) => ({ person, reason: "down", ticket: "INC-77", index: 3 });
  const reviewDue = "2026-11-22T10:00:00.000Z";
  const landed = { ...target({ approvals: APPROVALS }), subject: "landed" } as const;
  const said = (emergency: Emergency) => outcome({ ...landed, emergency });
  const [missing, loud, due] = ["approval-missing", "emergency-release", "review-due"];
  assert.deepEqual(said({ operators: [word("sam")] }), ["wait", missing]);
  assert.deepEqual(said({ operators: [word("sam"), word("sam")] }), ["wait", missing]);
  assert.deepEqual(said({ operators: [], reviewDue }), ["wait", missing]);
  assert.deepEqual(said({ operators: [word("sam"), word("jo")] }), ["allow", missing, loud]);
  assert.deepEqual(said({ operators: [word("sam")], reviewDue }), ["allow", missing, loud, due]);
  assert.deepEqual(outcome({ ...landed, subject: "proposed", emergency: { operators: [word("sam")], reviewDue } }), [
    "wait",
    missing,
  ]);
  const reason = decided({ ...landed, emergency: { operators: [word("sam")], reviewDue } }).reasons.at(-1);
  assert.equal(reason?.message, "sam did it alone; another person reviews it by 2026-11-22T10:00:00.000Z.");
});

test("what no rule selects is named by its kinds, and files that judge by their first and their number", () => {
  const said = (change: Partial<Evidence>): readonly string[] => decided(change).reasons.map(({ message }) => message);
  const unruled = ["Kustomization/flux-system/web", "HelmRelease/apps/db", "Kustomization/flux-system/api"];
  assert.deepEqual(said({ rulesExpected: 0, rulesEvaluated: 0, unruled }), [
    "No rule selects anything in prod, whose objects are of kind HelmRelease, Kustomization.",
  ]);
  const many = ["A/a/a", "B/a/a", "C/a/a", "D/a/a", "E/a/a", "F/a/a", "G/a/a"];
  assert.match(
    said({ rulesExpected: 0, rulesEvaluated: 0, unruled: many })[0] ?? "",
    /of kind A, B, C, D, E and 2 more\.$/,
  );
  const rule = { count: 1, roles: [], accept: ["signed"], bind: "tree" } as const;
  const governed = (...paths: readonly string[]) => said({ governance: { paths, rule, given: [], unusable: null } });
  assert.deepEqual(governed("sluice.yaml"), [
    "sluice.yaml judges changes; a change to it still requires one more person.",
  ]);
  const three = "a.rego and 2 more judge changes; a change to them still requires one more person.";
  assert.deepEqual(governed("a.rego", "b.rego", "c.rego"), [three]);
});
