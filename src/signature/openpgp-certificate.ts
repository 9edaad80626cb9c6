/**
 * An OpenPGP certificate: a primary key, what it says about itself, and its subkeys (RFC 9580 section 10.1).
 *
 *   key (6), signatures, then any number of: user id (13), signatures;  subkey (14), signatures
 *
 * Only what the primary key signed itself is read; others' certifications and designated revokers are not. The newest
 * self-signature decides, as in GnuPG, even where it is newer than the signature in question: an owner who extends a key
 * must not lose history. The instant at which everything is judged is an argument.
 *
 * Nothing that a certificate says about itself is verified before somebody asks for it, and then once: a keyring lists many
 * people, a change is signed by few of them.
 */
import { decodeUtf8 } from "../lib/bytes.ts";
import { once } from "../lib/once.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import { asciiLower } from "./email.ts";
import { type Refusal, refusal } from "./format.ts";
import { CERTIFICATE_HASHES, isSignedBy, type OpenPgpKey, readKeyBody } from "./openpgp-key.ts";
import {
  framedKey,
  framedUserId,
  type OpenPgpSignature,
  type Packet,
  readSignatureBody,
  TAG,
} from "./openpgp-packets.ts";

export interface Certificate {
  readonly fingerprint: string;
  readonly primary: OpenPgpKey;
  readonly subkeys: readonly Subkey[];
  readonly userIds: readonly UserId[];
  /** The certifications of all user ids that stand: no instant changes which, and each signature of a range asks. */
  readonly standing: readonly OpenPgpSignature[];
  /** Verified signatures of the primary key over itself (0x1F) and its revocations (0x20). */
  readonly direct: readonly OpenPgpSignature[];
  readonly revocations: readonly OpenPgpSignature[];
}

export interface Subkey {
  readonly key: OpenPgpKey;
  /** Verified bindings (0x18), each with whether the subkey confirmed it by a back-signature (0x19). */
  readonly bindings: readonly Binding[];
  readonly revocations: readonly OpenPgpSignature[];
}

interface Binding {
  readonly signature: OpenPgpSignature;
  readonly isConfirmed: boolean;
}

export interface UserId {
  /** Lower-cased address in angle brackets, or the whole text where it is one; null without. */
  readonly email: string | null;
  readonly certifications: readonly OpenPgpSignature[];
  readonly revocations: readonly OpenPgpSignature[];
}

const DIRECT_KEY = 0x1f;
const KEY_REVOCATION = 0x20;
const SUBKEY_BINDING = 0x18;
const BACK_SIGNATURE = 0x19;
const SUBKEY_REVOCATION = 0x28;
const USER_ID_REVOCATION = 0x30;
const FLAG_SIGN = 0x02;
/** 0 to 3: the four grades of certification. */
const CERTIFICATIONS: readonly number[] = [0x10, 0x11, 0x12, 0x13];
/** These count even with a critical part that is not known: not to understand a revocation must not undo it. */
const REVOCATIONS: readonly number[] = [KEY_REVOCATION, SUBKEY_REVOCATION, USER_ID_REVOCATION];
/** Each costs one verification; real certificates have fewer than fifty of their own. */
const MAXIMUM_OWN_SIGNATURES = 1000;

interface Block {
  readonly packet: Packet;
  readonly signatures: OpenPgpSignature[];
}

/**
 * Splits packets at each primary key. Copies of a certificate are one: what was revoked in one of them is not valid by an
 * older one beside it. The clause says why something is no certificate.
 */
export function splitCertificates(packets: readonly Packet[]): readonly (readonly Packet[])[] | string {
  const certificates = new Map<string, Packet[]>();
  let current: Packet[] | null = null;
  for (const packet of packets) {
    if (packet.tag === TAG.secretKey || packet.tag === TAG.secretSubkey) return "holds a private key";
    if (packet.tag === TAG.publicKey) current = groupOf(packet, certificates);
    if (current === null) return "does not begin with a public key";
    current.push(packet);
  }
  return certificates.size === 0 ? "holds no key" : [...certificates.values()];
}

/** The list that holds what was said about this key, user id or attribute before; a new one the first time. */
function groupOf<T>({ tag, body }: Packet, known: Map<string, T[]>): T[] {
  const name = `${tag} ${Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1")}`;
  const group = known.get(name) ?? [];
  known.set(name, group);
  return group;
}

/**
 * Reads one certificate; a clause where its primary key is not of version 4. Where it is of a kind that we cannot compute
 * with (`primary.signing` null), nothing that it says about itself is known and none of its keys verifies.
 */
export function readCertificate(packets: readonly Packet[]): Certificate | string {
  const [first, ...blocks] = inBlocks(packets);
  const primary = first === undefined ? null : readKeyBody(first.packet.body);
  if (first === undefined || primary === null) return "has a primary key that is not of version 4";
  const own = blocks.reduce((sum, block) => sum + block.signatures.length, first.signatures.length);
  if (own > MAXIMUM_OWN_SIGNATURES) return "has more than 1,000 signatures of its own";
  const framed = framedKey(primary.body);
  const direct = once(() => verified(primary, first, [DIRECT_KEY], framed));
  const revocations = once(() => verified(primary, first, [KEY_REVOCATION], framed));
  const userIds = blocks
    .filter((block) => block.packet.tag === TAG.userId)
    .map((block) => userId(primary, framed, block));
  const standing = once(() => userIds.filter(isStanding).flatMap((one) => one.certifications));
  return {
    fingerprint: primary.fingerprint,
    primary,
    get direct() {
      return direct();
    },
    get revocations() {
      return revocations();
    },
    get standing() {
      return standing();
    },
    userIds,
    subkeys: blocks
      .filter((block) => block.packet.tag === TAG.subkey)
      .flatMap((block) => subkey(primary, framed, block)),
  };
}

/** Each key, user id and attribute with the signatures after it, all times it stands, that the primary key could have made. */
function inBlocks(packets: readonly Packet[]): readonly Block[] {
  const blocks = new Map<string, Block[]>();
  let current: Block | null = null;
  const fingerprint = readKeyBody(packets[0]?.body ?? new Uint8Array(0))?.fingerprint ?? "";
  for (const packet of packets) {
    if (packet.tag !== TAG.signature) {
      const group = groupOf(packet, blocks);
      if (group.length === 0) group.push({ packet, signatures: [] });
      current = group[0] ?? null;
      continue;
    }
    const signature = readSignatureBody(packet.body);
    if (!("kind" in signature) && isIssuedBy(signature, fingerprint)) current?.signatures.push(signature);
  }
  return [...blocks.values()].flat();
}

function isIssuedBy(signature: OpenPgpSignature, fingerprint: string): boolean {
  if (signature.issuerFingerprint !== null) return signature.issuerFingerprint === fingerprint;
  return signature.issuerKeyId === null || fingerprint.endsWith(signature.issuerKeyId);
}

function verified(
  primary: OpenPgpKey,
  block: Block,
  types: readonly number[],
  ...parts: readonly Uint8Array[]
): readonly OpenPgpSignature[] {
  const { signing } = primary;
  if (signing === null) return [];
  return block.signatures
    .filter((signature) => types.includes(signature.type))
    .filter((signature) => !signature.hasUnknownCritical || REVOCATIONS.includes(signature.type))
    .filter((signature) => isSignedBy(signing, signature, CERTIFICATE_HASHES, ...parts));
}

function userId(primary: OpenPgpKey, framed: Uint8Array, block: Block): UserId {
  const parts = [framed, framedUserId(block.packet.body)];
  const certifications = once(() => verified(primary, block, CERTIFICATIONS, ...parts));
  const revocations = once(() => verified(primary, block, [USER_ID_REVOCATION], ...parts));
  return {
    email: emailOf(block.packet.body),
    get certifications() {
      return certifications();
    },
    get revocations() {
      return revocations();
    },
  };
}

function emailOf(body: Uint8Array): string | null {
  const text = decodeUtf8(body) ?? "";
  const email = /<([^<>\s]+@[^<>\s]+)>$/.exec(text)?.[1] ?? /^[^<>\s]+@[^<>\s]+$/.exec(text)?.[0];
  return email === undefined ? null : asciiLower(email);
}

function subkey(primary: OpenPgpKey, framed: Uint8Array, block: Block): readonly Subkey[] {
  const key = readKeyBody(block.packet.body);
  if (key === null) return [];
  const parts = [framed, framedKey(key.body)];
  const bindings = once(() =>
    verified(primary, block, [SUBKEY_BINDING], ...parts).map((signature) => ({
      signature,
      isConfirmed: isConfirmed(key, signature, parts),
    })),
  );
  const revocations = once(() => verified(primary, block, [SUBKEY_REVOCATION], ...parts));
  return [
    {
      key,
      get bindings() {
        return bindings();
      },
      get revocations() {
        return revocations();
      },
    },
  ];
}

/** A signing subkey must say itself that it belongs to this primary key, or anybody could adopt another's subkey. */
function isConfirmed(key: OpenPgpKey, binding: OpenPgpSignature, parts: readonly Uint8Array[]): boolean {
  const back = binding.embedded === null ? null : readSignatureBody(binding.embedded);
  if (back === null || "kind" in back || key.signing === null || back.type !== BACK_SIGNATURE) return false;
  return !back.hasUnknownCritical && isSignedBy(key.signing, back, CERTIFICATE_HASHES, ...parts);
}

/** Why this key of the certificate may not sign data at `at`; null when it may. */
export function objectionTo(certificate: Certificate, key: OpenPgpKey, at: Instant): Refusal | null {
  const subkey = certificate.subkeys.find((candidate) => candidate.key === key) ?? null;
  const revoked = revokedAt([...certificate.revocations, ...(subkey?.revocations ?? [])], at);
  if (revoked !== null) return refusal("key-revoked", `${name(key)} was revoked by its owner on ${day(revoked)}.`);
  const self = selfStatement(certificate, at);
  if (self === null) return refusal("key-not-for-signing", `${name(key)} has no valid self-signature.`);
  const binding = subkey === null ? null : newestBinding(subkey, at);
  if (subkey !== null && binding === null) {
    return refusal("key-not-for-signing", `${name(key)} is a subkey that its primary key does not vouch for.`);
  }
  return (
    outsideLifetime(certificate.primary, self.keyLifetime, at) ??
    (binding === null ? null : outsideLifetime(key, binding.signature.keyLifetime, at)) ??
    notForSigning(key, self.keyFlags, binding)
  );
}

/** Every instant at which objectionTo() may begin to say something else about this key. */
export function turningPointsOf(certificate: Certificate, key: OpenPgpKey): readonly Instant[] {
  const { primary, direct, userIds, revocations, subkeys } = certificate;
  const subkey = subkeys.find((candidate) => candidate.key === key) ?? null;
  const statements = [
    ...direct,
    ...userIds.flatMap((one) => one.certifications),
    ...(subkey?.bindings ?? []).map((binding) => binding.signature),
  ];
  const lifetimes = new Set(statements.flatMap(({ keyLifetime }) => keyLifetime ?? []));
  const lives = [primary, key].flatMap(({ created }) => [
    created,
    ...[...lifetimes].map((one) => created + one * 1000),
  ]);
  const ends = statements.flatMap(({ expires }) => expires ?? []);
  return [...lives, ...ends, ...[...revocations, ...(subkey?.revocations ?? [])].map((one) => one.created)];
}

/** Compromised, or no reason given: for ever. Superseded and retired: from the revocation on. */
function revokedAt(revocations: readonly OpenPgpSignature[], at: Instant): Instant | null {
  const isSoft = (reason: number | null): boolean => reason === 1 || reason === 3;
  const effective = revocations.filter((one) => !isSoft(one.revocationReason) || one.created <= at);
  return effective.length === 0 ? null : Math.min(...effective.map((one) => one.created));
}

interface SelfStatement {
  readonly keyLifetime: number | null;
  readonly keyFlags: number | null;
}

/** What the newest direct-key signature says comes before what the newest certification of a user id says. */
function selfStatement(certificate: Certificate, at: Instant): SelfStatement | null {
  const direct = newest(certificate.direct, at);
  const user = newest(certificate.standing, at);
  if (direct === null && user === null) return null;
  return {
    keyLifetime: direct?.keyLifetime ?? user?.keyLifetime ?? null,
    keyFlags: direct?.keyFlags ?? user?.keyFlags ?? null,
  };
}

function newest(signatures: readonly OpenPgpSignature[], at: Instant): OpenPgpSignature | null {
  let best: OpenPgpSignature | null = null;
  for (const signature of signatures) {
    const hasEnded = signature.expires !== null && signature.expires <= at;
    if (!hasEnded && (best === null || signature.created >= best.created)) best = signature;
  }
  return best;
}

/** A user id certified anew after its revocation stands again. */
function isStanding(userId: UserId): boolean {
  const last = (signatures: readonly OpenPgpSignature[]): number =>
    Math.max(-1, ...signatures.map((one) => one.created));
  return userId.certifications.length > 0 && last(userId.certifications) > last(userId.revocations);
}

function newestBinding(subkey: Subkey, at: Instant): Binding | null {
  const signature = newest(
    subkey.bindings.map((binding) => binding.signature),
    at,
  );
  return subkey.bindings.find((binding) => binding.signature === signature) ?? null;
}

function outsideLifetime(key: OpenPgpKey, lifetime: number | null, at: Instant): Refusal | null {
  if (at < key.created) return refusal("key-not-yet-valid", `${name(key)} was made on ${day(key.created)}.`);
  const end = lifetime === null || lifetime === 0 ? null : key.created + lifetime * 1000;
  return end === null || at < end ? null : refusal("key-expired", `${name(key)} expired on ${day(end)}.`);
}

function notForSigning(key: OpenPgpKey, primaryFlags: number | null, binding: Binding | null): Refusal | null {
  const flags = binding === null ? primaryFlags : binding.signature.keyFlags;
  if (((flags ?? 0) & FLAG_SIGN) === 0) {
    return refusal("key-not-for-signing", `${name(key)} does not have the flag for signing data.`);
  }
  if (binding !== null && !binding.isConfirmed) {
    return refusal("key-not-for-signing", `${name(key)} is a subkey without a valid back-signature.`);
  }
  const weakness = key.signing?.weakness ?? null;
  return weakness === null ? null : refusal("weak-algorithm", weakness);
}

/** The e-mails of all standing user ids, the primary one's first. */
export function emailsOf(certificate: Certificate): readonly string[] {
  const standing = certificate.userIds.filter(isStanding);
  const isPrimary = (one: UserId): boolean => one.certifications.some((signature) => signature.isPrimaryUserId);
  const inOrder = [...standing.filter(isPrimary), ...standing.filter((one) => !isPrimary(one))];
  return [...new Set(inOrder.flatMap((one) => one.email ?? []))];
}

/** The primary key and the subkeys, whatever may be said against them. */
export function keysOf(certificate: Certificate): readonly OpenPgpKey[] {
  return [certificate.primary, ...certificate.subkeys.map((one) => one.key)];
}

function name(key: OpenPgpKey): string {
  return `The OpenPGP key ${key.fingerprint}`;
}

function day(at: Instant): string {
  return formatTime(at).slice(0, 10);
}
