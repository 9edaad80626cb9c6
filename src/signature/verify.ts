/**
 * Verifies commits and detached signatures against one trust: first the mathematics, then who, then whether they may.
 * The trust is the current one; `at` is only the instant at which it is evaluated.
 */
import type { Commit, ObjectFormat } from "../git/object.ts";
import { hashObject } from "../git/parse.ts";
import { sha256Hex } from "../lib/digest.ts";
import { printable } from "../lib/printable.ts";
import type { Instant } from "../lib/time.ts";
import { type CommitPayload, mergetagsOf, splitCommit } from "./commit-payload.ts";
import { type Match, type Matched, type Refusal, refusal, type SignedBytes } from "./format.ts";
import { FORMATS } from "./formats.ts";
import { type Answer, isTrue } from "./mathematics.ts";
import { splitTag, type TagPayload } from "./tag-payload.ts";
import { objectionToClaim, turningPointsOfUse } from "./terms.ts";
import type { Certification, Trust } from "./trust.ts";
import type { Rejection, SignatureFormat, Signer, TagVerification, TimeBasis, Verification } from "./verification.ts";

/** The namespace in which git asks `ssh-keygen -Y sign` to sign. */
const GIT_NAMESPACE = "git";

export interface Moment {
  readonly instant: Instant;
  readonly basis: TimeBasis;
}

export interface DetachedSignature {
  readonly format: "ssh" | "openpgp";
  /** The armoured block, or its bare binary content. */
  readonly signature: Uint8Array;
  /** Exactly this one, for SSH; OpenPGP signatures have none. */
  readonly namespace: string;
  readonly payload: Uint8Array;
}

export type DetachedVerification =
  /** `certification` where not the key is listed but the authority that certified it. */
  | { readonly kind: "verified"; readonly signer: Signer; readonly certification: Certification | null }
  | { readonly kind: "rejected"; readonly reason: Rejection; readonly detail: string };

/** A verification, and the instants for which it would be the same. */
export interface LastingVerification {
  readonly verification: Verification;
  /** Inclusive; null for always. */
  readonly from: Instant | null;
  /** Exclusive; null for ever. */
  readonly until: Instant | null;
}

/** MUST NOT throw for anything that a commit or a signature holds: one bad commit never stops a range. */
export interface Verifier {
  verify(commit: Commit, at: Moment): Promise<Verification>;
  /** The same with how long it holds: for a cache. */
  verifyLasting(commit: Commit, at: Moment): Promise<LastingVerification>;
  verifyDetached(signed: DetachedSignature, at: Moment): Promise<DetachedVerification>;
  /** A tag object by its raw body: its signature, and nothing about the reference or what it names. */
  verifyTag(raw: Uint8Array, at: Moment): Promise<TagVerification>;
  /** The tags that a merge commit keeps in `mergetag` headers, in their order: facts, of which git checks none later. */
  verifyMergetags(commit: Commit, at: Moment): Promise<readonly TagVerification[]>;
}

/**
 * `answer` is withPool() for those who verify a range with verifyEach().
 * @throws SluiceError `trust-key-invalid` where a listed key cannot be prepared
 */
export async function openVerifier(
  trust: Trust,
  objectFormat: ObjectFormat,
  answer: Answer = isTrue,
): Promise<Verifier> {
  const judge = openJudge(trust, answer);
  return {
    verify: async (commit, at) => (await verifyCommit(commit, at, objectFormat, judge)).verification,
    verifyLasting: async (commit, at) => {
      const { verification, turningPoints } = await verifyCommit(commit, at, objectFormat, judge);
      return { verification, ...stretchAround(at.instant, turningPoints()) };
    },
    verifyDetached: async (signed, at) => {
      const judged = await judge(signed.format, signed, { at: at.instant, claimed: null });
      const { signer, refusal: found, certification = null } = judged;
      if (found === null && signer !== null) return { kind: "verified", signer, certification };
      const { reason, detail } = found ?? NOBODY;
      return { kind: "rejected", reason, detail };
    },
    verifyTag: (raw, at) => verifyTag(raw, at, objectFormat, judge),
    verifyMergetags: (commit, at) =>
      Promise.all(mergetagsOf(commit.raw).map((raw) => verifyMergetag(raw, commit, at, objectFormat, judge))),
  };
}

interface Judged {
  readonly signer: Signer | null;
  /** null only together with a signer. */
  readonly refusal: Refusal | null;
  readonly certification?: Certification | null;
  /** Instants at which it may become another. Absent: it never does. */
  readonly turningPoints?: () => readonly Instant[];
}

interface Times {
  /** Decides. */
  readonly at: Instant;
  /** What the commit says of itself: only chooses the words of a refusal. null where nothing is said. */
  readonly claimed: Instant | null;
}

type JudgeSignature = (format: SignatureFormat, signed: SignedBytes, times: Times) => Promise<Judged>;

const NOBODY = refusal("unknown-signer", "The signature was made by nobody who is listed.");

function openJudge(trust: Trust, answer: Answer): JudgeSignature {
  const verifiers = new Map(FORMATS.map((format) => [format.name, format.open(trust, answer)]));
  const revokedKeys = new Set(trust.revokedKeys.map(comparableFingerprint));
  return async (format, signed, times) => {
    try {
      const found = (await verifiers.get(format)?.match(signed)) ?? UNSUPPORTED;
      return found.kind === "refused"
        ? { signer: null, refusal: found }
        : judgeMatches(found, signed, times, revokedKeys);
    } catch {
      return UNREADABLE;
    }
  };
}

/** A parser or OpenSSL that throws at hostile bytes is a refusal of these bytes, never of the range. */
const UNREADABLE: Judged = {
  signer: null,
  refusal: refusal("malformed-signature", "The signature could not be read."),
};
const UNSUPPORTED = refusal("not-supported", "Signatures of this format are not supported.");

function judgeMatches(
  { matches }: Matched,
  { namespace }: SignedBytes,
  { at, claimed }: Times,
  revokedKeys: ReadonlySet<string>,
): Judged {
  const judged = matches.map((match) => ({
    signer: toSigner(match),
    refusal: objectionToClaim(match, { at, namespace, revokedKeys }, claimed),
    certification: match.certification ?? null,
  }));
  const best = judged.find((one) => one.refusal === null) ?? judged[0] ?? { signer: null, refusal: NOBODY };
  return { ...best, turningPoints: () => turningPointsOf(matches) };
}

/** Of all matches, since at another instant another one may be the best. */
function turningPointsOf(matches: readonly Match[]): readonly Instant[] {
  return matches.flatMap((match) => [...match.turningPoints(), ...turningPointsOfUse(match)]);
}

/** The stretch around `at` in which no turning point lies. */
function stretchAround(at: Instant, points: readonly Instant[]): { from: Instant | null; until: Instant | null } {
  const [before, after] = [points.filter((one) => one <= at), points.filter((one) => one > at)];
  return {
    from: before.length === 0 ? null : Math.max(...before),
    until: after.length === 0 ? null : Math.min(...after),
  };
}

/** SSH fingerprints keep their case; hexadecimal ones are compared in upper case. */
export function comparableFingerprint(text: string): string {
  return text.startsWith("SHA256:") ? text : text.toUpperCase();
}

function toSigner({ key, hardware }: Match): Signer {
  const { owner, fingerprint } = key;
  return { person: owner.id, class: owner.class, key: fingerprint, roles: owner.roles, hardware };
}

interface Judgement {
  readonly verification: Verification;
  readonly turningPoints: () => readonly Instant[];
}

async function verifyCommit(
  commit: Commit,
  at: Moment,
  objectFormat: ObjectFormat,
  judge: JudgeSignature,
): Promise<Judgement> {
  const split = splitCommit(commit.raw, objectFormat);
  const format = split.kind === "signed" ? split.format : null;
  const payloadSha256 = split.kind === "refused" ? null : sha256Hex(split.payload);
  const common = { commit: commit.id, timeBasis: at.basis };
  const { signer, refusal: reason, turningPoints = () => [] } = await judgeSplit(split, commit, at.instant, judge);
  if (reason === null && signer !== null && format !== null && payloadSha256 !== null) {
    return { verification: { kind: "verified", ...common, format, signer, payloadSha256 }, turningPoints };
  }
  const { reason: code, detail } = reason ?? NOBODY;
  const rejected = { kind: "rejected", ...common, reason: code, detail, format, signer, payloadSha256 } as const;
  return { verification: rejected, turningPoints };
}

async function judgeSplit(split: CommitPayload, commit: Commit, at: Instant, judge: JudgeSignature): Promise<Judged> {
  switch (split.kind) {
    case "refused":
      return { signer: null, refusal: split };
    case "unsigned":
      return { signer: null, refusal: refusal("unsigned-commit", `${commit.id.slice(0, 7)} is unsigned.`) };
    case "signed":
      return judge(
        split.format,
        { ...split, namespace: GIT_NAMESPACE },
        { at, claimed: commit.committer.seconds * 1000 },
      );
  }
}

async function verifyTag(
  raw: Uint8Array,
  at: Moment,
  objectFormat: ObjectFormat,
  judge: JudgeSignature,
): Promise<TagVerification> {
  const split = splitTag(raw, objectFormat);
  const isRead = split.kind !== "refused";
  const { signer, refusal: found } = await judgeTag(split, at.instant, judge);
  const isVerified = found === null && signer !== null;
  const objection = isVerified ? null : (found ?? NOBODY);
  return {
    kind: isVerified ? "verified" : "rejected",
    reason: objection?.reason ?? null,
    detail: objection?.detail ?? null,
    tag: hashObject(objectFormat, "tag", raw),
    name: isRead ? split.fields.name : null,
    target: isRead ? { id: split.fields.target, type: split.fields.type } : null,
    format: split.kind === "signed" ? split.format : null,
    signer,
    timeBasis: at.basis,
    payloadSha256: isRead ? sha256Hex(split.payload) : null,
  };
}

async function judgeTag(split: TagPayload, at: Instant, judge: JudgeSignature): Promise<Judged> {
  switch (split.kind) {
    case "refused":
      return { signer: null, refusal: split };
    case "unsigned":
      return { signer: null, refusal: refusal("unsigned-tag", `The tag ${printable(split.fields.name)} is unsigned.`) };
    case "signed":
      return judge(split.format, { ...split, namespace: GIT_NAMESPACE }, { at, claimed: null });
  }
}

/** A merged tag says something about the merge only where it names one of the parents that were merged in. */
async function verifyMergetag(
  raw: Uint8Array,
  commit: Commit,
  at: Moment,
  objectFormat: ObjectFormat,
  judge: JudgeSignature,
): Promise<TagVerification> {
  const found = await verifyTag(raw, at, objectFormat, judge);
  const isOfParent = commit.parents.slice(1).some((parent) => parent === found.target?.id);
  if (found.kind === "rejected" || isOfParent) return found;
  const detail = `The merged tag ${printable(found.name ?? "")} names no commit that ${commit.id.slice(0, 7)} merges.`;
  return { ...found, kind: "rejected", reason: "tag-target", detail };
}
