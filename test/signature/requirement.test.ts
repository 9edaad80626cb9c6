import assert from "node:assert/strict";
import { test } from "node:test";
import { type Commit, type CommitId, commitId } from "../../src/git/object.ts";
import {
  applySignatureRule,
  DEFAULT_SIGNATURE_RULE,
  type RuledSignatures,
  type SignatureRule,
} from "../../src/signature/requirement.ts";
import type { ChangeKind, Trust } from "../../src/signature/trust.ts";
import type { Signer, Verification } from "../../src/signature/verification.ts";
import { commitOf, HEADERS, MESSAGE, trustOf } from "../support/signing.ts";

const FORGE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github";
const trust: Trust = await trustOf({
  people: {
    ada: { email: ["ada@example.com", "ada@home.example"], keys: [] },
    kim: { email: ["kim@example.com"], keys: [] },
  },
  robots: { renovate: { forge: "github", email: ["bot@example.com"], may: ["image"] } },
  forges: {
    github: {
      keys: [FORGE_KEY],
      may: ["squash"],
    },
  },
});

const ADA = signer("ada", "person");
const FORGE = signer("github", "forge");

function signer(person: string, kind: Signer["class"], touch: boolean | null = null): Signer {
  return { person, class: kind, key: "SHA256:x", roles: [], hardware: touch === null ? null : { touch, pin: false } };
}

let count = 0;
function commit(author: string, committer = author, parents = 1): Commit {
  count += 1;
  const raw = Buffer.from(HEADERS + MESSAGE + count);
  const ident = (email: string) => ({ name: "", email, seconds: 0 });
  return commitOf(raw, {
    author: ident(author),
    committer: ident(committer),
    parents: Array.from({ length: parents }, (_, index) => commitId(`${index}`.repeat(40))),
  });
}

function verified(one: Commit, by: Signer): Verification {
  const common = { commit: one.id, format: "ssh", timeBasis: "now", payloadSha256: "" } as const;
  return { kind: "verified", ...common, signer: by };
}

function unsigned(one: Commit): Verification {
  const common = { commit: one.id, format: null, timeBasis: "now", payloadSha256: null } as const;
  return { kind: "rejected", ...common, reason: "unsigned-commit", detail: "", signer: null };
}

interface Given {
  readonly rule?: Partial<SignatureRule>;
  readonly remerge?: "equal" | "differs" | "unrelated";
  readonly carried?: boolean;
  readonly kinds?: readonly ChangeKind[];
  readonly trust?: Trust;
  readonly isGovernance?: boolean;
}

function judge(one: Commit, verification: Verification, given: Given = {}): RuledSignatures {
  return applySignatureRule({
    commits: [one],
    verifications: [verification],
    rule: { ...DEFAULT_SIGNATURE_RULE, ...given.rule },
    trust: given.trust ?? trust,
    head: one.id,
    remerges: new Map<CommitId, "equal" | "differs" | "unrelated">(
      given.remerge === undefined ? [] : [[one.id, given.remerge]],
    ),
    carried: new Set(given.carried === true ? [one.id] : []),
    ...(given.kinds === undefined ? {} : { kinds: given.kinds }),
    isGovernance: given.isGovernance === true,
  });
}

function outcome(one: Commit, by: Signer, given: Given = {}): string {
  const { verifications, isSatisfied } = judge(one, verified(one, by), given);
  const [found] = verifications;
  assert.equal(isSatisfied, found?.kind === "verified");
  return found?.kind === "rejected" ? found.reason : "verified";
}

test("the signer is the author or the committer, as the rule says, compared exactly", () => {
  assert.equal(outcome(commit("ada@example.com"), ADA), "verified");
  assert.equal(outcome(commit("ADA@Example.com"), ADA), "verified");
  assert.equal(outcome(commit("ceo@example.com", "ada@home.example"), ADA), "verified");
  assert.equal(outcome(commit("ceo@example.com"), ADA), "signer-mismatch");
  assert.equal(outcome(commit("ada@example.com.evil"), ADA), "signer-mismatch");
  assert.equal(outcome(commit(""), ADA), "signer-mismatch");
  const byAuthor = { rule: { signer: "author" } } as const;
  assert.equal(outcome(commit("ceo@example.com", "ada@example.com"), ADA, byAuthor), "signer-mismatch");
  assert.equal(outcome(commit("ada@example.com", "ceo@example.com"), ADA, byAuthor), "verified");
  const byCommitter = { rule: { signer: "committer" } } as const;
  assert.equal(outcome(commit("ada@example.com", "ceo@example.com"), ADA, byCommitter), "signer-mismatch");
  assert.equal(outcome(commit("ceo@example.com"), ADA, { rule: { signer: "any" } }), "verified");
});

test("a letter that only looks alike in lower case is another address", () => {
  assert.equal(outcome(commit("\u212aim@example.com"), signer("kim", "person")), "signer-mismatch");
});

test("a signer that the trust no longer knows is a mismatch, even where the rule says any", () => {
  assert.equal(
    outcome(commit("eve@example.com"), signer("eve", "person"), { rule: { signer: "any" } }),
    "signer-mismatch",
  );
});

test("touch is asked of persons and robots where the rule says so", () => {
  const touch = { rule: { touch: true } };
  assert.equal(outcome(commit("ada@example.com"), ADA, touch), "touch-required");
  assert.equal(outcome(commit("ada@example.com"), signer("ada", "person", false), touch), "touch-required");
  assert.equal(outcome(commit("ada@example.com"), signer("ada", "person", true), touch), "verified");
});

test("a forge's key alone never counts, and a carried one only for what it may carry", () => {
  assert.equal(outcome(commit("ada@example.com"), FORGE), "forge-not-permitted");
  assert.equal(outcome(commit("ada@example.com"), FORGE, { rule: { signer: "any" } }), "forge-not-permitted");
  assert.equal(outcome(commit("ada@example.com"), FORGE, { carried: true }), "verified");
  const merge = commit("ada@example.com", "ada@example.com", 2);
  assert.equal(outcome(merge, FORGE, { carried: true, remerge: "equal" }), "forge-not-permitted");
});

test("a forge that may only edit or merge carries no squash", async () => {
  for (const may of [["edit"], ["merge"], ["edit", "merge"], []] as const) {
    const only = await trustOf({ people: {}, forges: { github: { keys: [FORGE_KEY], may: [...may] } } });
    const one = commit("ada@example.com");
    const [found] = judge(one, verified(one, FORGE), { carried: true, trust: only }).verifications;
    assert.equal(found?.kind === "rejected" ? found.reason : found?.kind, "forge-not-permitted", may.join());
  }
});

test("a commit of a robot that the forge signs for counts as the robot's", () => {
  const one = commit("bot@example.com", "noreply@forge.example");
  const [found] = judge(one, verified(one, FORGE), { kinds: ["image"] }).verifications;
  assert.deepEqual([found?.kind, found?.signer?.person, found?.signer?.class], ["verified", "renovate", "robot"]);
  const merge = commit("bot@example.com", "x@forge.example", 2);
  assert.equal(outcome(merge, FORGE, { kinds: ["image"], remerge: "equal" }), "forge-not-permitted");
});

test("a robot's commits verify only where it may make every kind of the change, and the kinds are known", () => {
  const robot = signer("renovate", "robot");
  assert.equal(outcome(commit("bot@example.com"), robot, { kinds: ["image"] }), "verified");
  for (const given of [{ kinds: ["image", "cluster-configuration"] }, { kinds: [] }, {}] as const) {
    assert.equal(outcome(commit("bot@example.com"), robot, given), "robot-not-permitted");
  }
  assert.equal(outcome(commit("ada@example.com"), ADA, { kinds: ["cluster-configuration"] }), "verified");
});

test("a merge must give what merging its parents gives, and have two of them", () => {
  const merge = () => commit("ada@example.com", "ada@example.com", 2);
  assert.equal(outcome(merge(), ADA, { remerge: "equal" }), "verified");
  assert.equal(outcome(merge(), ADA, { remerge: "differs" }), "evil-merge");
  assert.equal(outcome(merge(), ADA), "evil-merge");
  assert.equal(outcome(merge(), ADA, { remerge: "unrelated" }), "unrelated-merge");
  assert.equal(outcome(commit("ada@example.com", "ada@example.com", 3), ADA, { remerge: "equal" }), "octopus-merge");
});

test("which commits must verify follows require; others' rejections do not count", () => {
  const [first, merge, head] = [
    commit("ada@example.com"),
    commit("ada@example.com", "ada@example.com", 2),
    commit("ada@example.com"),
  ];
  const given = (require: SignatureRule["require"], bad: readonly Commit[]) =>
    applySignatureRule({
      commits: [first, merge, head],
      verifications: [first, merge, head].map((one) => (bad.includes(one) ? unsigned(one) : verified(one, ADA))),
      rule: { ...DEFAULT_SIGNATURE_RULE, require },
      trust,
      head: head.id,
      remerges: new Map([[merge.id, "equal"]]),
      carried: new Set(),
    });
  for (const [require, required] of [
    ["every-commit", [first, merge, head]],
    ["merge-and-head", [merge, head]],
    ["head", [head]],
    ["none", []],
  ] as const) {
    assert.deepEqual(given(require, []).required, new Set(required.map((one) => one.id)));
    assert.equal(given(require, []).unsignedAllowed, require === "none");
    for (const one of [first, merge, head]) {
      assert.equal(given(require, [one]).isSatisfied, !required.some((other) => other === one), require);
    }
  }
});

test("an empty range never satisfies a rule that asks for a signature, and a missing verification throws", () => {
  const head = commit("ada@example.com");
  const empty = { verifications: [], trust, head: head.id, remerges: new Map(), carried: new Set<CommitId>() };
  for (const require of ["every-commit", "merge-and-head", "head"] as const) {
    const rule = { ...DEFAULT_SIGNATURE_RULE, require };
    assert.equal(applySignatureRule({ ...empty, commits: [], rule }).isSatisfied, false);
  }
  assert.throws(() => applySignatureRule({ ...empty, commits: [head], rule: DEFAULT_SIGNATURE_RULE }), {
    code: "internal",
  });
});

test("a robot edits no files that judge, whatever else the change may be", () => {
  const edits = { kinds: ["image"], isGovernance: true } as const;
  assert.equal(outcome(commit("bot@example.com"), signer("renovate", "robot"), edits), "robot-not-permitted");
  assert.equal(outcome(commit("ada@example.com"), ADA, edits), "verified");
});
