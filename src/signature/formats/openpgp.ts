/**
 * OpenPGP signatures of version 4 over data (RFC 9580 sections 5.2.3 and 5.2.4), made by a listed certificate.
 *
 * The two octets that hint at the digest are ignored: GitHub's web-flow wrote wrong ones until April 2021, and they prove
 * nothing. The issuer is a hint too: it finds the candidates, the mathematics decides among them.
 */

import { SluiceError } from "../../lib/errors.ts";
import type { Instant } from "../../lib/time.ts";
import { formatTime } from "../../lib/time.ts";
import { armourText, readArmour } from "../armour.ts";
import {
  type Format,
  type FormatVerifier,
  type Match,
  type Matched,
  type Refusal,
  refusal,
  type SignedBytes,
} from "../format.ts";
import type { Answer } from "../mathematics.ts";
import { type Certificate, keysOf, objectionTo, turningPointsOf } from "../openpgp-certificate.ts";
import {
  DATA_HASHES,
  type OpenPgpKey,
  questionOf,
  type SigningKey,
  CERTIFICATE_HASHES as WITH_SHA1,
} from "../openpgp-key.ts";
import { readCertificates } from "../openpgp-keyfile.ts";
import { type OpenPgpSignature, readPackets, readSignatureBody, TAG } from "../openpgp-packets.ts";
import type { OpenPgpTrustedKey, Trust } from "../trust.ts";

const BEGIN = "-----BEGIN PGP SIGNATURE-----";
const END = "-----END PGP SIGNATURE-----";
const BINARY_DOCUMENT = 0x00;
const GIT_NAMESPACE = "git";
const SHA1 = 2;
/** One is right; of a few more it can be said what they are. */
const MAXIMUM_PACKETS = 16;
const WEAK_HASHES: ReadonlyMap<number, string> = new Map([
  [1, "MD5"],
  [SHA1, "SHA-1"],
  [3, "RIPEMD-160"],
]);

export const OPENPGP: Format = { name: "openpgp", begin: BEGIN, end: END, open };

interface Candidate {
  readonly listed: OpenPgpTrustedKey;
  readonly certificate: Certificate;
  readonly key: OpenPgpKey;
  readonly signing: SigningKey | null;
}

function open(trust: Trust, answer: Answer): FormatVerifier {
  const candidates = trust.keys.filter((key) => key.format === "openpgp").flatMap(candidatesOf);
  const byFingerprint = Map.groupBy(candidates, (candidate) => candidate.key.fingerprint);
  const byKeyId = Map.groupBy(candidates, (candidate) => candidate.key.fingerprint.slice(-16));
  const find = (signature: OpenPgpSignature): readonly Candidate[] => {
    if (signature.issuerFingerprint !== null) return byFingerprint.get(signature.issuerFingerprint) ?? [];
    return byKeyId.get(signature.issuerKeyId ?? "") ?? [];
  };
  return { match: (signed) => matchOpenPgp(signed, find, trust.sha1Until ?? null, answer) };
}

/** @throws SluiceError `trust-key-invalid` where the stored certificate does not read back as the one it was listed as */
function candidatesOf(listed: OpenPgpTrustedKey): readonly Candidate[] {
  const [first, second] = asList(readCertificates(listed.certificate));
  if (first === undefined || second !== undefined || first.certificate.fingerprint !== listed.fingerprint) {
    throw new SluiceError("trust-key-invalid", `The OpenPGP certificate ${listed.fingerprint} cannot be read.`);
  }
  const { certificate } = first;
  return keysOf(certificate).map((key) => ({
    listed,
    certificate,
    key,
    /** Made when it is asked for: most of a keyring signs nothing of a change. */
    get signing() {
      return certificate.primary.signing === null ? null : key.signing;
    },
  }));
}

function asList<T>(found: readonly T[] | string): readonly T[] {
  return typeof found === "string" ? [] : found;
}

async function matchOpenPgp(
  signed: SignedBytes,
  find: (signature: OpenPgpSignature) => readonly Candidate[],
  sha1Until: Instant | null,
  answer: Answer,
): Promise<Matched | Refusal> {
  const signature = readOne(signed.signature);
  if ("kind" in signature) return signature;
  const found = find(signature);
  const mayUseSha1 = (until: Instant | null): boolean =>
    signed.namespace === GIT_NAMESPACE && isMadeBefore(signature, until);
  const allowing = found.filter(({ listed }) => mayUseSha1(listed.terms.sha1Until ?? sha1Until));
  const isOldSha1 = allowing.length > 0 || (found.length === 0 && mayUseSha1(sha1Until));
  const hashes = isOldSha1 ? WITH_SHA1 : DATA_HASHES;
  const problem = problemWith(signature, hashes);
  if (problem !== null) return problem;
  const candidates = isOldSha1 ? allowing : found;
  if (candidates.length === 0) return unknown(signature);
  const answers = candidates.map(({ signing }) =>
    answer(signing === null ? null : questionOf(signing, signature, hashes, signed.payload)),
  );
  const isMaker = await Promise.all(answers);
  const makers = candidates.filter((_, index) => isMaker[index]);
  if (makers.length === 0) return notMade(candidates);
  return { kind: "matched", matches: makers.map((one) => toMatch(one, signature)) };
}

function toMatch(maker: Candidate, signature: OpenPgpSignature): Match {
  const objectionAt = (at: Instant): Refusal | null =>
    objectionTo(maker.certificate, maker.key, at) ?? endOf(signature, at);
  const end = signature.expires === null ? [] : [signature.expires];
  const turningPoints = () => [...end, ...turningPointsOf(maker.certificate, maker.key)];
  return { key: maker.listed, signingKey: maker.key.fingerprint, hardware: null, objectionAt, turningPoints };
}

function endOf({ expires }: OpenPgpSignature, at: Instant): Refusal | null {
  if (expires === null || at < expires) return null;
  return refusal("key-expired", `The signature itself ended on ${formatTime(expires).slice(0, 10)}.`);
}

/** Exactly one signature packet and nothing else; inline-signed messages and key material are refused. */
function readOne(signature: Uint8Array): OpenPgpSignature | Refusal {
  const isArmoured = signature[0] === 0x2d;
  const text = isArmoured ? armourText(signature) : "";
  const binary = isArmoured ? readArmour(text, { begin: BEGIN, end: END, openPgp: true }) : signature;
  if (typeof binary === "string") return malformed(binary);
  const packets = readPackets(binary, MAXIMUM_PACKETS);
  if (typeof packets === "string") return malformed(packets);
  const [packet] = packets;
  if (packets.length > 1 && packets.every((one) => one.tag === TAG.signature)) {
    return refusal("ambiguous-signature", `The block holds ${packets.length} OpenPGP signatures instead of one.`);
  }
  if (packet === undefined || packets.length > 1 || packet.tag !== TAG.signature) {
    return malformed("holds something other than one signature packet");
  }
  return readSignatureBody(packet.body);
}

/**
 * The time is in the hashed part, so only the key's owner chose it. Whoever looks for a collision needs the owner to sign
 * one half of it, and before the stated day nobody could find one.
 */
function isMadeBefore({ hashAlgorithm, created }: OpenPgpSignature, until: Instant | null): boolean {
  return hashAlgorithm === SHA1 && until !== null && created < until;
}

function problemWith(signature: OpenPgpSignature, hashes: ReadonlyMap<number, string>): Refusal | null {
  if (signature.type !== BINARY_DOCUMENT) {
    return malformed(`is of type 0x${signature.type.toString(16).padStart(2, "0")}; git makes type 0x00`);
  }
  const weak = hashes.has(signature.hashAlgorithm) ? undefined : WEAK_HASHES.get(signature.hashAlgorithm);
  if (weak !== undefined) return refusal("weak-algorithm", `The OpenPGP signature uses ${weak}, which can be forged.`);
  if (!hashes.has(signature.hashAlgorithm)) {
    return refusal("not-supported", `OpenPGP signatures with hash ${signature.hashAlgorithm} are not supported.`);
  }
  return signature.hasUnknownCritical ? malformed("has a critical part that is not known") : null;
}

function notMade(candidates: readonly Candidate[]): Refusal {
  const fingerprint = candidates[0]?.key.fingerprint;
  return candidates.every((one) => one.signing === null)
    ? refusal("not-supported", `The OpenPGP key ${fingerprint} is of a kind that is not supported.`)
    : refusal("bad-signature", `The signature of ${fingerprint} does not belong to these bytes.`);
}

function unknown(signature: OpenPgpSignature): Refusal {
  const issuer = signature.issuerFingerprint ?? signature.issuerKeyId;
  return refusal(
    "unknown-signer",
    issuer === null ? "The OpenPGP signature names no key." : `Nobody owns the OpenPGP key ${issuer}.`,
  );
}

function malformed(clause: string): Refusal {
  return refusal("malformed-signature", `The OpenPGP signature ${clause}.`);
}
