/** Evidence before anything was looked at: by itself it is denied, so that a step which never ran approves nothing. */
import type { Evidence, StageFailure } from "../decision/decision.ts";
import type { CommitId } from "../git/object.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import type { AskedSources } from "../policy/external.ts";
import type { SubjectKind } from "../policy/input.ts";
import type { Subject } from "./subject.ts";

export type Stage = StageFailure["stage"];

/** What is known of a subject before anything of it is read. */
type Named = Pick<Subject, "authority" | "target" | "repositoryName" | "branch" | "head" | "judge" | "emergency"> & {
  readonly kind: SubjectKind;
  readonly base: CommitId | null;
};

export function emptyEvidence(subject: Named, now: Instant): Evidence {
  return {
    subject: subject.kind,
    authority: subject.authority,
    target: {
      name: subject.target,
      repository: subject.repositoryName,
      branch: subject.branch ?? "",
      path: "",
      labels: {},
      mode: "enforce",
      signatures: { require: "every-commit", signer: "either", touch: false },
      approvals: { count: 0, roles: [], accept: ["signed"], bind: "tree" },
      unruled: "report",
    },
    base: subject.base,
    head: subject.head,
    judge: subject.judge,
    tree: null,
    receivedAt: formatTime(now),
    verifications: [],
    requiredCommits: [],
    standIn: [],
    uncovered: [],
    ignored: [],
    renderFailures: [],
    objects: [],
    findings: [],
    waivers: [],
    rulesExpected: 0,
    rulesEvaluated: 0,
    unruled: [],
    notEvaluated: [],
    approvals: { given: [], ignored: [] },
    governance: null,
    carried: null,
    ...(subject.emergency === undefined ? {} : { emergency: subject.emergency }),
    refusals: [],
    digests: { policies: null, trust: null, configuration: null, waivers: null, manifests: null, input: null },
    failure: null,
  };
}

/** Nothing is said where nothing was asked. */
export function externalEvidence(asked: AskedSources): Pick<Evidence, "external"> {
  const external = asked.records();
  return external.length === 0 ? {} : { external };
}
