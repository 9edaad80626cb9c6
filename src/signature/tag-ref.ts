/** A reference under refs/tags/: the tag object, its own name against the reference's, and what it leads to. */
import type { GitRepository, RefEntry } from "../git/repository.ts";
import { printable } from "../lib/printable.ts";
import { type Refusal, refusal } from "./format.ts";
import type { TagVerification } from "./verification.ts";
import type { Moment, Verifier } from "./verify.ts";

const TAGS = "refs/tags/";
/** git follows tags of tags without bound; nobody nests them deeper than this. */
const MAXIMUM_DEPTH = 5;

export interface TagRefVerification extends TagVerification {
  readonly ref: string;
}

/** Whatever the tags hold is a verdict. @throws SluiceError where the repository cannot be read */
export async function verifyTagRef(
  ref: RefEntry,
  repository: GitRepository,
  verifier: Verifier,
  at: Moment,
): Promise<TagRefVerification> {
  const raw = await repository.tag(ref.id);
  if (raw === null) return { ...notATag(ref, at), ref: ref.name };
  const found = await verifier.verifyTag(raw, at);
  if (found.kind === "rejected") return { ...found, ref: ref.name };
  const objection = nameObjection(ref, found) ?? (await targetObjection(found, repository, verifier, at));
  if (objection === null) return { ...found, ref: ref.name };
  return { ...found, ref: ref.name, kind: "rejected", reason: objection.reason, detail: objection.detail };
}

function notATag(ref: RefEntry, at: Moment): TagVerification {
  return {
    kind: "rejected",
    reason: "unsigned-tag",
    detail: `${printable(ref.name)} is a bare name for ${ref.id.slice(0, 7)}, which nobody signs.`,
    tag: ref.id,
    name: null,
    target: null,
    format: null,
    signer: null,
    timeBasis: at.basis,
    payloadSha256: null,
  };
}

function nameObjection(ref: RefEntry, { name }: TagVerification): Refusal | null {
  if (`${TAGS}${name}` === ref.name) return null;
  return refusal("tag-mismatch", `${printable(ref.name)} holds the signed tag ${printable(name ?? "")}.`);
}

/** Follows tags of tags to a commit; each on the way must verify too, whatever its name. */
async function targetObjection(
  outer: TagVerification,
  repository: GitRepository,
  verifier: Verifier,
  at: Moment,
): Promise<Refusal | null> {
  let { target } = outer;
  for (let depth = 1; target?.type === "tag"; depth++) {
    const raw = depth < MAXIMUM_DEPTH ? await repository.tag(target.id) : null;
    if (raw === null) return notTrusted(outer, `leads through something that is not one of ${MAXIMUM_DEPTH} tags`);
    const inner = await verifier.verifyTag(raw, at);
    if (inner.kind === "rejected") return notTrusted(outer, `names a tag that is rejected: ${inner.reason}`);
    target = inner.target;
  }
  return target?.type === "commit" ? null : notTrusted(outer, `names a ${target?.type}, not a commit`);
}

function notTrusted({ name }: TagVerification, clause: string): Refusal {
  return refusal("tag-target", `The tag ${printable(name ?? "")} ${clause}.`);
}
