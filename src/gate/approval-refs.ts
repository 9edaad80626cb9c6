/**
 * The approvals that a repository carries. Whoever may push may write there what they like, so it is read within bounds
 * and never stops a verdict: what is beyond them, or no approval at all, is told, and only counts for nothing.
 */
import type { IgnoredApproval } from "../decision/approval.ts";
import { type Envelope, MAXIMUM_ENVELOPE_BYTES, readEnvelope } from "../decision/envelope.ts";
import type { GitRepository, RefEntry } from "../git/repository.ts";
import { APPROVAL_REFS } from "../git/source-refs.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";

export interface ApprovalBounds {
  /** References that are looked up. */
  readonly references: number;
  /** Of what lies behind them, together. */
  readonly bytes: number;
}

const BOUNDS: ApprovalBounds = { references: 10_000, bytes: 64 * 1024 * 1024 };
const MAXIMUM_LISTED = 100_000;

export interface FoundEnvelopes {
  readonly envelopes: readonly Envelope[];
  readonly malformed: readonly IgnoredApproval[];
  /** What is beyond the bounds, counted; empty where all was read. */
  readonly unread: readonly IgnoredApproval[];
}

/** `handed`: those that came in another way; what was pushed too is one and the same. */
export async function findEnvelopes(
  repository: GitRepository,
  bounds = BOUNDS,
  handed: readonly Envelope[] = [],
): Promise<FoundEnvelopes> {
  const refs = await listOrNull(repository);
  if (refs === null) return { envelopes: handed, malformed: [], unread: [unread("the approvals cannot be listed")] };
  const distinct = [...new Set(refs.map((ref) => ref.id))];
  const asked = distinct.slice(0, bounds.references);
  const blobs = await repository.smallBlobs(asked, { each: MAXIMUM_ENVELOPE_BYTES, together: bounds.bytes });
  const read = blobs.map((blob, index) => {
    const envelope = blob === null ? null : readEnvelope(blob);
    return envelope ?? unreadable(sha256Hex(blob ?? asked[index] ?? ""));
  });
  const left = distinct.length - blobs.length;
  const message = `${left} of ${distinct.length} approvals were not read: there are too many`;
  const pushed = read.filter((one) => "statement" in one);
  const names = new Set(pushed.map(({ digest }) => digest));
  return {
    envelopes: [...pushed, ...handed.filter(({ digest }) => !names.has(digest))],
    malformed: [...read.filter((one) => "code" in one), ...refusedByGit(repository)],
    unread: [...(left === 0 ? [] : [unread(message)]), ...notFetched(repository)],
  };
}

function refusedByGit({ unfetched }: GitRepository): readonly IgnoredApproval[] {
  return unfetched.flatMap(({ ref, why }) => {
    if (ref === null) return [];
    const message = `an approval is not read: ${why}.`;
    return [{ person: null, code: "approval-malformed", message, envelope: sha256Hex(ref) }];
  });
}

function notFetched({ unfetched }: GitRepository): readonly IgnoredApproval[] {
  return unfetched.filter(({ ref }) => ref === null).map(({ count, why }) => unread(`${count} approvals ${why}`));
}

/** null for more than anybody has, or for names that no file system takes. */
async function listOrNull(repository: GitRepository): Promise<readonly RefEntry[] | null> {
  try {
    return await repository.refs(APPROVAL_REFS, MAXIMUM_LISTED);
  } catch (thrown) {
    if (thrown instanceof SluiceError) return null;
    throw thrown;
  }
}

function unreadable(envelope: string): IgnoredApproval {
  const message = "an approval is not one signed statement of the right form.";
  return { person: null, code: "approval-malformed", message, envelope };
}

/** Named by what it says, since it stands for no envelope of its own. */
export function unread(message: string): IgnoredApproval {
  return { person: null, code: "approval-unread", message: `${message}.`, envelope: sha256Hex(message) };
}
