/**
 * Verifies commits and detached signatures against one trust: first the mathematics, then who, then whether they may.
 * The trust is the current one; `at` is only the instant at which it is evaluated.
 */
import type { Commit, ObjectFormat } from "../git/object.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Instant } from "../lib/time.ts";
import { type CommitPayload, splitCommit } from "./commit-payload.ts";
import { type FormatVerifier, type Match, type Refusal, refusal, type SignedBytes } from "./format.ts";
import { FORMATS } from "./formats.ts";
import { objectionToUse } from "./terms.ts";
import type { Trust } from "./trust.ts";
import type { Rejection, SignatureFormat, Signer, TimeBasis, Verification } from "./verification.ts";

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
  | { readonly kind: "verified"; readonly signer: Signer }
  | { readonly kind: "rejected"; readonly reason: Rejection; readonly detail: string };

/** MUST NOT throw for anything that a commit or a signature holds: one bad commit never stops a range. */
export interface Verifier {
  verify(commit: Commit, at: Moment): Promise<Verification>;
  verifyDetached(signed: DetachedSignature, at: Moment): Promise<DetachedVerification>;
}

/** @throws SluiceError `trust-key-invalid` where a listed key cannot be prepared */
export async function openVerifier(trust: Trust, objectFormat: ObjectFormat): Promise<Verifier> {
  const judge = openJudge(trust);
  return {
    verify: async (commit, at) => verifyCommit(commit, at, objectFormat, judge),
    verifyDetached: async (signed, at) => {
      const judged = judge(signed.format, signed, at.instant);
      if (judged.refusal === null && judged.signer !== null) return { kind: "verified", signer: judged.signer };
      const { reason, detail } = judged.refusal ?? NOBODY;
      return { kind: "rejected", reason, detail };
    },
  };
}

interface Judged {
  readonly signer: Signer | null;
  /** null only together with a signer. */
  readonly refusal: Refusal | null;
}

type JudgeSignature = (format: SignatureFormat, signed: SignedBytes, at: Instant) => Judged;

const NOBODY = refusal("unknown-signer", "The signature was made by nobody who is listed.");

function openJudge(trust: Trust): JudgeSignature {
  const verifiers = new Map(FORMATS.map((format) => [format.name, format.open(trust)]));
  const revokedKeys = new Set(trust.revokedKeys.map(comparableFingerprint));
  return (format, signed, at) => {
    const found = matchSafely(verifiers.get(format), signed, at);
    if (found.kind === "refused") return { signer: null, refusal: found };
    const judged = found.matches.map((match) => ({
      signer: toSigner(match),
      refusal: objectionToUse(match, { at, namespace: signed.namespace, revokedKeys }),
    }));
    return judged.find((one) => one.refusal === null) ?? judged[0] ?? { signer: null, refusal: NOBODY };
  };
}

/** A parser or OpenSSL that throws at hostile bytes is a refusal of these bytes, never of the range. */
function matchSafely(
  verifier: FormatVerifier | undefined,
  signed: SignedBytes,
  at: Instant,
): ReturnType<FormatVerifier["match"]> {
  try {
    return verifier?.match(signed, at) ?? refusal("not-supported", "Signatures of this format are not supported.");
  } catch {
    return refusal("malformed-signature", "The signature could not be read.");
  }
}

/** SSH fingerprints keep their case; hexadecimal ones are compared in upper case. */
export function comparableFingerprint(text: string): string {
  return text.startsWith("SHA256:") ? text : text.toUpperCase();
}

function toSigner({ key, hardware }: Match): Signer {
  const { owner, fingerprint } = key;
  return { person: owner.id, class: owner.class, key: fingerprint, roles: owner.roles, hardware };
}

function verifyCommit(commit: Commit, at: Moment, objectFormat: ObjectFormat, judge: JudgeSignature): Verification {
  const split = splitCommit(commit.raw, objectFormat);
  const format = split.kind === "signed" ? split.format : null;
  const payloadSha256 = split.kind === "refused" ? null : sha256Hex(split.payload);
  const common = { commit: commit.id, timeBasis: at.basis };
  const { signer, refusal: reason } = judgeSplit(split, commit, at.instant, judge);
  if (reason === null && signer !== null && format !== null && payloadSha256 !== null) {
    return { kind: "verified", ...common, format, signer, payloadSha256 };
  }
  const { reason: code, detail } = reason ?? NOBODY;
  return { kind: "rejected", ...common, reason: code, detail, format, signer, payloadSha256 };
}

function judgeSplit(split: CommitPayload, commit: Commit, at: Instant, judge: JudgeSignature): Judged {
  switch (split.kind) {
    case "refused":
      return { signer: null, refusal: split };
    case "unsigned":
      return { signer: null, refusal: refusal("unsigned-commit", `${commit.id.slice(0, 7)} is unsigned.`) };
    case "signed":
      return judge(split.format, { ...split, namespace: GIT_NAMESPACE }, at);
  }
}
