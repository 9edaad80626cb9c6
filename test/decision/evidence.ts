/** Evidence that is allowed by itself, so that a test shows only what it changes. */
import { decide } from "../../src/decision/decide.ts";
import type { Decision, Evidence, TargetFacts, Verdict } from "../../src/decision/decision.ts";
import { type CommitId, commitId, type TreeId } from "../../src/git/object.ts";
import type { Finding } from "../../src/policy/finding.ts";
import type { Rejected, Rejection, Verified } from "../../src/signature/verification.ts";

export const NOW = Date.parse("2026-11-21T10:00:00Z");
export const ID = "01JD7K00000000000000000000";

export const HEAD = commit("a");
export const BASE = commit("b");
export const PARENT = commit("c");
export const TREE = "d".repeat(40) as TreeId;

export function commit(digit: string): CommitId {
  return commitId(digit.repeat(40));
}

export function verified(id: CommitId = HEAD, person = "ada"): Verified {
  const signer = { person, class: "person", key: `SHA256:${person}`, roles: [], hardware: null } as const;
  return { kind: "verified", commit: id, format: "ssh", signer, timeBasis: "receipt", payloadSha256: "0".repeat(64) };
}

export function rejected(id: CommitId = HEAD, reason: Rejection = "unsigned-commit"): Rejected {
  const detail = `${id.slice(0, 7)} is ${reason}.`;
  return {
    kind: "rejected",
    commit: id,
    reason,
    detail,
    format: null,
    signer: null,
    timeBasis: "now",
    payloadSha256: null,
  };
}

export function finding(change: Partial<Finding> = {}): Finding {
  return {
    rule: "k8s-privileged",
    policy: "sluice.kubernetes.privileged",
    kind: "deny",
    level: "high",
    message: 'container "web" is privileged',
    fix: "remove it",
    resource: { group: "apps", version: "v1", kind: "Deployment", namespace: "apps", name: "web" },
    at: "/spec",
    position: null,
    waivedBy: null,
    baseline: false,
    waivable: true,
    role: null,
    ...change,
  };
}

export function given(person: string, ...roles: readonly string[]) {
  const [at, expiresAt] = ["2026-11-21T09:00:00.000Z", "2026-11-28T09:00:00.000Z"];
  const [key, envelope] = [`SHA256:${person}`, person.padEnd(64, "0")];
  return { person, roles, at, via: "signature", key, envelope, expiresAt } as const;
}

export const TARGET: TargetFacts = {
  name: "prod",
  repository: "shop",
  branch: "main",
  path: "clusters/prod",
  labels: {},
  mode: "enforce",
  signatures: { require: "every-commit", signer: "either", touch: false },
  approvals: { count: 0, roles: [], accept: ["signed"], bind: "tree" },
  unruled: "report",
};

export function target(change: Partial<TargetFacts>): Pick<Evidence, "target"> {
  return { target: { ...TARGET, ...change } };
}

export function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    subject: "proposed",
    authority: "gate",
    target: TARGET,
    base: BASE,
    head: HEAD,
    judge: BASE,
    tree: TREE,
    receivedAt: "2026-11-21T09:30:00.000Z",
    verifications: [verified(PARENT), verified(HEAD)],
    requiredCommits: [PARENT, HEAD],
    standIn: [],
    uncovered: [],
    ignored: [],
    renderFailures: [],
    objects: [],
    findings: [],
    waivers: [],
    rulesExpected: 3,
    rulesEvaluated: 3,
    unruled: [],
    notEvaluated: [],
    approvals: { given: [], ignored: [] },
    governance: null,
    carried: null,
    refusals: [],
    digests: { policies: null, trust: null, configuration: null, waivers: null, manifests: null, input: null },
    failure: null,
    ...change,
  };
}

export function decided(change: Partial<Evidence> = {}): Decision {
  return decide(evidence(change), ID, NOW);
}

/** The verdict and the codes of its reasons. */
export function outcome(change: Partial<Evidence> = {}): readonly [Verdict, ...string[]] {
  const { verdict, reasons } = decided(change);
  return [verdict, ...reasons.map((reason) => reason.code)];
}
