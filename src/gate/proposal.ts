/** Step 1 for proposals: turns a revision and a target into a subject, in a gate or in a preview. */
import { type CommitId, commitId } from "../git/object.ts";
import type { PreviewRepository } from "../git/preview.ts";
import { SluiceError } from "../lib/errors.ts";
import { readBaselineCopy, readSluiceConfiguration, targetYaml } from "./judge.ts";
import type { Subject } from "./subject.ts";
import type { Gate } from "./wiring.ts";

/** A proposal to a gate: base is the branch tip, the range begins at the last released commit. */
export async function gateProposal(gate: Gate, target: string, head: CommitId): Promise<Subject> {
  const { repository: repositoryName, branch, minimum } = gate.target(target);
  const history = await gate.histories.of(target);
  await gate.activations.record(target, history);
  const repository = await gate.repository(target);
  await repository.fetchCommit(head);
  const base = await repository.resolve(`refs/heads/${branch}`);
  const { released } = history;
  await refuseEmptyRange(repository, base, head);
  return {
    kind: "proposed",
    authority: "gate",
    target,
    repositoryName,
    repository,
    base,
    head,
    judge: history.judge,
    branch,
    released,
    excluded: [history.adopted, history.judge, released],
    minimum,
    revokedKeys: gate.configuration.gate.revoked,
    baseline: history.baseline,
    carried: null,
  };
}

export interface PreviewRequest {
  readonly repository: PreviewRepository;
  readonly repositoryName: string;
  readonly base: string | null;
  readonly head: string;
  /** Empty = all targets of the branch. */
  readonly targets: readonly string[];
}

/** A preview of each target: the same verdict as a gate's, as far as one clone can know. */
export async function previewProposals(request: PreviewRequest): Promise<readonly Subject[]> {
  const { repository, repositoryName } = request;
  const head = await repository.resolve(request.head);
  const main = await mainTip(repository);
  const configuration = await readSluiceConfiguration(repository, main);
  const names = request.targets.length > 0 ? request.targets : Object.keys(configuration.targets).sort();
  const subjects: Subject[] = [];
  for (const target of names) {
    const { branch, after } = targetYaml({ configuration }, target);
    const judge = await branchTip(repository, branch);
    const base = request.base === null ? judge : await repository.resolve(request.base);
    await (request.base === null ? refuseEmptyRange : refuseEmptyGivenRange)(repository, base, head);
    const excluded = after === undefined ? [base] : [base, commitId(after)];
    subjects.push({
      kind: "proposed",
      authority: "preview",
      target,
      repositoryName,
      repository,
      base,
      head,
      judge,
      branch: null,
      released: null,
      excluded,
      minimum: {},
      revokedKeys: [],
      baseline: await readBaselineCopy(repository, judge, target),
      carried: null,
    });
  }
  return subjects;
}

async function refuseEmptyRange(repository: Subject["repository"], base: CommitId, head: CommitId): Promise<void> {
  if (head !== base && !(await repository.isAncestor(head, base))) return;
  throw new SluiceError(
    "empty-range",
    `${head.slice(0, 7)} is already on the target's branch; there is no change to judge.`,
    {
      fix: "commit on a branch of your own, or name it: sluice check --head REV",
    },
  );
}

/** Of a base that was named, which need not be on any branch. */
async function refuseEmptyGivenRange(repository: Subject["repository"], base: CommitId, head: CommitId): Promise<void> {
  const [from, to] = [base.slice(0, 7), head.slice(0, 7)];
  const fix = "name an older base, as --base HEAD~1, or leave --base out";
  if (head === base) {
    throw new SluiceError("empty-range", `The base and the head are one commit, ${to}; there is no change to judge.`, {
      fix,
    });
  }
  if (!(await repository.isAncestor(head, base))) return;
  throw new SluiceError("empty-range", `The base ${from} holds the head ${to} already; there is no change to judge.`, {
    fix,
  });
}

/** The remote's idea of the branch where there is one, so that a local commit never judges itself. */
export async function branchTip(repository: PreviewRepository, branch: string): Promise<CommitId> {
  return firstOf(repository, [`refs/remotes/origin/${branch}`, `refs/heads/${branch}`], branch);
}

export async function mainTip(repository: PreviewRepository): Promise<CommitId> {
  const names = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
  ];
  return firstOf(repository, [...names, "HEAD"], "main");
}

async function firstOf(repository: PreviewRepository, names: readonly string[], wanted: string): Promise<CommitId> {
  for (const name of names) {
    try {
      return await repository.resolve(name);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== "unknown-revision") throw thrown;
    }
  }
  throw new SluiceError("unknown-revision", `There is no branch ${wanted}, neither here nor from origin.`, {
    fix: "git fetch origin",
  });
}
