/**
 * What a target asks of the signatures in a range (`signatures:` in sluice.yaml), on top of what each signature is worth:
 * who a commit names, what forges may carry, and that merges hide nothing.
 */
import type { Commit, CommitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { asciiLower } from "./email.ts";
import { type Refusal, refusal } from "./format.ts";
import { matchesPatternList } from "./pattern.ts";
import type { ChangeKind, ForgePermission, Owner, Trust } from "./trust.ts";
import type { Rejected, Signer, Verification, Verified } from "./verification.ts";

export interface SignatureRule {
  /** Which commits of the range must verify. */
  readonly require: "every-commit" | "merge-and-head" | "head" | "none";
  /** Whose e-mail must be the signer's. */
  readonly signer: "author" | "committer" | "either" | "any";
  /** Persons and robots must prove a touch of a security key. */
  readonly touch: boolean;
}

export const DEFAULT_SIGNATURE_RULE: SignatureRule = { require: "every-commit", signer: "either", touch: false };

export interface RuleInput {
  /** The range: every commit reachable from the head and not from where the last release stood. */
  readonly commits: readonly Commit[];
  /** One for each commit of the range, as Verifier.verify() gave it. */
  readonly verifications: readonly Verification[];
  readonly rule: SignatureRule;
  readonly trust: Trust;
  readonly head: CommitId;
  /**
   * For each merge of two: whether merging its parents again gives its tree, or that they have nothing in common. A merge
   * that is missing counts as differing.
   */
  readonly remerges: ReadonlyMap<CommitId, "equal" | "differs" | "unrelated">;
  /** Forge-signed commits that an allowed proposal's verdict carries. */
  readonly carried: ReadonlySet<CommitId>;
  /** Those of them that a forge rebased together. */
  readonly rebased?: ReadonlySet<CommitId>;
  /**
   * The kinds of the change as in the policy input, which are known only once it was rendered: until the rule is applied
   * with them, a robot's commits are rejected.
   */
  readonly kinds?: readonly ChangeKind[];
  /** True when the change edits files that judge changes: of no kind that a robot may be given. */
  readonly isGovernance?: boolean;
}

export interface RuledSignatures {
  /** In the order of the commits. */
  readonly verifications: readonly Verification[];
  /** The commits that must verify; other commits' rejections do not count. Holds the head even where the range lacks it. */
  readonly required: ReadonlySet<CommitId>;
  /** True when the rule asks for no signature at all; the decision is marked by it. */
  readonly unsignedAllowed: boolean;
  /** True when every required commit is there and verified. */
  readonly isSatisfied: boolean;
}

/** @throws SluiceError `internal` where a commit of the range has no verification: absence must never read as approval */
export function applySignatureRule(input: RuleInput): RuledSignatures {
  const byCommit = new Map(input.verifications.map((verification) => [verification.commit, verification]));
  const verifications = input.commits.map((commit) => {
    const verification = byCommit.get(commit.id);
    if (verification === undefined) throw new SluiceError("internal", `${commit.id} of the range was not verified.`);
    return verification.kind === "rejected" ? verification : ruleOn(commit, verification, input);
  });
  const required = requiredCommits(input);
  const verified = new Set(verifications.filter((one) => one.kind === "verified").map((one) => one.commit));
  return {
    verifications,
    required,
    unsignedAllowed: input.rule.require === "none",
    isSatisfied: [...required].every((id) => verified.has(id)),
  };
}

function requiredCommits({ commits, rule, head }: RuleInput): ReadonlySet<CommitId> {
  switch (rule.require) {
    case "every-commit":
      return new Set([...commits.map((commit) => commit.id), head]);
    case "merge-and-head":
      return new Set([...commits.filter((commit) => commit.parents.length > 1).map((commit) => commit.id), head]);
    case "head":
      return new Set([head]);
    case "none":
      return new Set();
  }
}

function ruleOn(commit: Commit, verified: Verified, input: RuleInput): Verification {
  const signer = robotBehindForge(commit, verified.signer, input.trust) ?? verified.signer;
  const found = { ...verified, signer };
  const objection =
    mergeObjection(commit, input) ??
    (signer.class === "forge" ? forgeObjection(commit, signer, input) : ownerObjection(commit, signer, input));
  return objection === null ? found : rejected(found, objection);
}

function rejected(verified: Verified, { reason, detail }: Refusal): Rejected {
  return { ...verified, kind: "rejected", reason, detail };
}

function mergeObjection(commit: Commit, { remerges }: RuleInput): Refusal | null {
  if (commit.parents.length < 2) return null;
  if (commit.parents.length > 2) {
    return refusal(
      "octopus-merge",
      `${short(commit)} merges ${commit.parents.length} parents; at most two are allowed.`,
    );
  }
  const outcome = remerges.get(commit.id);
  if (outcome === "equal") return null;
  if (outcome === "unrelated") {
    return refusal("unrelated-merge", `${short(commit)} merges a history that has nothing in common with its own.`);
  }
  return refusal("evil-merge", `${short(commit)} holds content that merging its parents does not give.`);
}

/** `robots: {renovate: {forge: github}}`: the forge signs for the robot, whose address is the commit's author. */
function robotBehindForge(commit: Commit, signer: Signer, trust: Trust): Signer | null {
  if (signer.class !== "forge" || commit.parents.length > 1) return null;
  const owner = trust.owners.find(
    (one) => one.class === "robot" && one.forge === signer.person && owns(one, commit.author.email),
  );
  return owner === undefined ? null : { ...signer, person: owner.id, class: "robot", roles: owner.roles };
}

/** A forge's key says that a change passed through the forge; only a carried verdict says who wanted it. */
function forgeObjection(commit: Commit, signer: Signer, { trust, carried, rebased }: RuleInput): Refusal | null {
  if (!carried.has(commit.id)) {
    return refusal(
      "forge-not-permitted",
      `${short(commit)} is signed by ${signer.person} alone, and no judged proposal carries it.`,
    );
  }
  const mayCarry = ownerOf(signer, trust)?.mayCarry ?? [];
  const isMerge = commit.parents.length > 1;
  // The rebase of a single commit looks like a squash; an edit made on the forge is judged by nobody before it lands.
  const isRebase = rebased?.has(commit.id) === true;
  const alone: readonly ForgePermission[] = isRebase ? ["rebase"] : ["squash", "rebase"];
  const needed: readonly ForgePermission[] = isMerge ? ["merge"] : alone;
  if (mayCarry.some((permission) => needed.includes(permission))) return null;
  const kind = isMerge ? "merge" : (alone[0] ?? "squash");
  return refusal("forge-not-permitted", `${short(commit)} is signed by ${signer.person}, which may not ${kind}.`);
}

function ownerObjection(commit: Commit, signer: Signer, input: RuleInput): Refusal | null {
  const { rule, trust } = input;
  const owner = ownerOf(signer, trust);
  if (owner === null || !isNamed(commit, owner, rule)) {
    const named = rule.signer === "either" ? "author or committer" : rule.signer;
    return refusal("signer-mismatch", `${short(commit)} is signed by ${signer.person}, who is not its ${named}.`);
  }
  const robot = robotObjection(commit, owner, input);
  if (robot !== null) return robot;
  if (!rule.touch || signer.hardware?.touch === true) return null;
  return refusal("touch-required", `${short(commit)} is signed by ${signer.person} without a touch of a security key.`);
}

function isNamed(commit: Commit, owner: Owner, rule: SignatureRule): boolean {
  switch (rule.signer) {
    case "author":
      return owns(owner, commit.author.email);
    case "committer":
      return owns(owner, commit.committer.email);
    case "either":
      return owns(owner, commit.author.email) || owns(owner, commit.committer.email);
    case "any":
      return true;
  }
}

function owns(owner: Owner, email: string): boolean {
  const lower = asciiLower(email);
  return (
    owner.emails.includes(lower) || (owner.principals !== undefined && matchesPatternList(email, owner.principals))
  );
}

function ownerOf(signer: Signer, trust: Trust): Owner | null {
  return trust.owners.find((owner) => owner.id === signer.person && owner.class === signer.class) ?? null;
}

/** A robot's commits verify only where its `may` holds every kind of the change; unknown kinds are permitted to nobody. */
function robotObjection(commit: Commit, owner: Owner, { kinds, isGovernance }: RuleInput): Refusal | null {
  if (owner.class !== "robot") return null;
  const who = `${short(commit)} is signed by ${owner.id}, which may change ${owner.mayChange.join(", ") || "nothing"}`;
  if (isGovernance === true) {
    return refusal("robot-not-permitted", `${who}; this change edits files that judge, which no robot may.`);
  }
  if (kinds === undefined || kinds.length === 0) {
    return refusal("robot-not-permitted", `${who}; of what kind this change is is not known.`);
  }
  const beyond = kinds.filter((kind) => !owner.mayChange.includes(kind));
  if (beyond.length === 0) return null;
  return refusal("robot-not-permitted", `${who}; this change is of kind ${beyond.join(", ")}.`);
}

function short(commit: Commit): string {
  return commit.id.slice(0, 7);
}
