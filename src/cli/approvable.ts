/** What no yes can count for is said before anything is signed; the gate says the same of what is handed in. */
import type { SluiceYaml } from "../config/sluice-yaml.ts";
import { whoHadAHand } from "../gate/approvals.ts";
import { possibleApprovers } from "../gate/approvers.ts";
import { type Commit, type CommitId, commitId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import type { Trust } from "../signature/trust.ts";
import { openVerifier } from "../signature/verify.ts";

export interface WantedApproval {
  readonly target: string;
  readonly rule: SluiceYaml["targets"][string];
  /** Tip of the target's branch. */
  readonly base: CommitId;
  readonly head: CommitId;
  /** Id of a person. */
  readonly approver: string;
  readonly at: Instant;
}

/** @throws SluiceError `approval-by-author`, `approval-landed` */
export async function refuseUncountable(
  wanted: WantedApproval,
  repository: GitRepository,
  trust: Trust,
): Promise<void> {
  const isLanded = await repository.isAncestor(wanted.head, wanted.base);
  if (isLanded) refuseLanded(wanted);
  const commits = isLanded ? [await repository.commit(wanted.head)] : await proposedCommits(wanted, repository);
  const hands = whoHadAHand(commits, await verifyAll(commits, repository, trust, wanted.at), trust);
  if (hands.has(wanted.approver)) throw byAuthor(wanted, hands, trust);
}

/** The tip itself may wait for a yes to what landed; a tree that another one has replaced waits for none. */
function refuseLanded({ target, rule, base, head }: WantedApproval): void {
  if (head !== base) {
    const message = `${shown(head)} is on ${rule.branch} already, and ${shown(base)} has landed on it: an approval of it cannot count.`;
    throw new SluiceError("approval-landed", message, {
      fix: `where ${shown(base)} waits for one: sluice approve ${shown(base)} --target ${target}`,
    });
  }
  if (rule.approvals.bind === "tree") return;
  const message = `${shown(head)} is on ${rule.branch} already, and ${target} counts approvals of a change, not of what landed.`;
  throw new SluiceError("approval-landed", message, { fix: "propose a commit on top, which others approve" });
}

function proposedCommits({ rule, base, head }: WantedApproval, repository: GitRepository): Promise<readonly Commit[]> {
  return repository.range(rule.after === undefined ? [base] : [base, commitId(rule.after)], head);
}

async function verifyAll(commits: readonly Commit[], { objectFormat }: GitRepository, trust: Trust, instant: Instant) {
  const verifier = await openVerifier(trust, objectFormat);
  return Promise.all(commits.map((commit) => verifier.verify(commit, { instant, basis: "now" })));
}

/** Names in a message; the rest is a number. */
const MOST_NAMES = 5;

function byAuthor(
  { target, head, approver, at }: WantedApproval,
  hands: ReadonlySet<string>,
  trust: Trust,
): SluiceError {
  const able = possibleApprovers(trust, at).filter(({ id }) => !hands.has(id));
  const names = able.map(({ id, roles }) => (roles.length === 0 ? id : `${id} (${[...roles].sort().join(", ")})`));
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const who = names.length === 0 ? "nobody who is listed" : `${names.slice(0, MOST_NAMES).join(", ")}${more}`;
  const message = `${approver} had a hand in ${shown(head)}, so an approval by ${approver} cannot count for ${target}; nothing is signed. Who can: ${who}.`;
  return new SluiceError("approval-by-author", message, {
    fix:
      names.length === 0
        ? "list a colleague in the trust folder"
        : `one of them runs: sluice approve ${shown(head)} --target ${target}`,
  });
}

function shown(commit: CommitId): string {
  return commit.slice(0, 7);
}
