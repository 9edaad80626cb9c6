/**
 * The approvals that a repository carries. Whoever may push may write there what they like, so it is read within bounds
 * and never stops a verdict: what is beyond them, or no approval at all, is told, and only counts for nothing.
 */
import type { IgnoredApproval } from "../decision/approval.ts";
import { type Envelope, readEnvelope } from "../decision/envelope.ts";
import { APPROVAL_REFS } from "../git/approval-ref.ts";
import { blobId } from "../git/object.ts";
import type { GitRepository, RefEntry } from "../git/repository.ts";
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
  /** What is beyond the bounds, as one line of its own; null where all was read. */
  readonly unread: IgnoredApproval | null;
}

export async function findEnvelopes(repository: GitRepository, bounds = BOUNDS): Promise<FoundEnvelopes> {
  const refs = await listOrNull(repository);
  if (refs === null) return { envelopes: [], malformed: [], unread: unread("the approvals cannot be listed") };
  const distinct = [...new Map(refs.map((ref) => [ref.id, ref])).values()];
  const envelopes: Envelope[] = [];
  const malformed: IgnoredApproval[] = [];
  let bytes = 0;
  for (const [index, ref] of distinct.entries()) {
    if (index === bounds.references || bytes > bounds.bytes) {
      const message = `${distinct.length - index} of ${distinct.length} approvals were not read: there are too many`;
      return { envelopes, malformed, unread: unread(message) };
    }
    const blob = await blobOrNull(repository, ref);
    const envelope = blob === null ? null : readEnvelope(blob);
    if (envelope === null) malformed.push(unreadable(sha256Hex(blob ?? ref.id)));
    else envelopes.push(envelope);
    bytes += blob?.length ?? 0;
  }
  return { envelopes, malformed, unread: null };
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

/** null for what is no blob, or too large a one. */
async function blobOrNull(repository: GitRepository, { id }: RefEntry): Promise<Uint8Array | null> {
  try {
    return await repository.blob(blobId(id));
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
