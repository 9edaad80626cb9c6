/**
 * OpenSSH user certificates (PROTOCOL.certkeys): an authority says which names a key stands for, and when.
 *
 *   string   type           that of the key with `-cert-v01@openssh.com`
 *   string   nonce
 *   ...      the key's own fields, as in ssh-key.ts without the type
 *   uint64   serial
 *   uint32   1 user, 2 host
 *   string   key id         a name for logs
 *   string   principals     each a string
 *   uint64   valid after    seconds, inclusive; 0 for always
 *   uint64   valid before   seconds, exclusive; 2^64-1 for ever
 *   string   critical options, extensions: each a string name and a string value, sorted by name
 *   string   extensions
 *   string   reserved
 *   string   signature key  the authority's, plain
 *   string   signature      over everything before it
 */
import { decodeBase64 } from "../lib/bytes.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./format.ts";
import { isTrue } from "./mathematics.ts";
import { blobOfFields, type SshPublicKey, sshKeyFromBlob } from "./ssh-key.ts";
import { questionOf, readRawSignature } from "./ssh-raw-signature.ts";
import { SshReader } from "./ssh-wire.ts";
import type { Signer } from "./verification.ts";

export interface SshCertificate {
  readonly kind: "certificate";
  /** The key that it is about. */
  readonly key: SshPublicKey;
  readonly authority: SshPublicKey;
  /** True when the authority's signature is over these bytes. */
  readonly isSigned: boolean;
  readonly isForUser: boolean;
  readonly principals: readonly string[];
  readonly criticalOptions: readonly string[];
  readonly from: Instant | null;
  readonly until: Instant | null;
}

const TYPE = /^(.+)-cert-v01@openssh\.com$/;
const USER = 1;
const ALWAYS = 0n;
const FOR_EVER = 2n ** 64n - 1n;
/** OpenSSH's own bound (SSHKEY_CERT_MAX_PRINCIPALS). */
const MAXIMUM_PRINCIPALS = 256;
const MAXIMUM_OPTIONS = 64;
/** The last instant that a Date can show, in seconds. */
const LAST_SECOND = 8_640_000_000_000n;

/** `ssh-ed25519` for `ssh-ed25519-cert-v01@openssh.com`; null for what is no type of a certificate. */
export function plainTypeOf(type: string): string | null {
  const plain = TYPE.exec(type)?.[1];
  if (plain === undefined) return null;
  return plain.startsWith("sk-") ? `${plain}@openssh.com` : plain;
}

/** Reads a certificate and checks its authority's signature; whether anybody trusts that authority is not its business. */
export function readSshCertificate(blob: Uint8Array): SshCertificate | Refusal {
  const reader = new SshReader(blob);
  const plainType = plainTypeOf(reader.text());
  reader.string();
  const keyBlob = plainType === null ? null : blobOfFields(plainType, reader, blob);
  if (keyBlob === null) return refusal("not-supported", "SSH certificates of this type are not supported.");
  reader.uint64();
  const kind = reader.uint32();
  reader.string();
  const principals = strings(reader.string(), MAXIMUM_PRINCIPALS);
  const from = toInstant(reader.uint64(), ALWAYS);
  const until = toInstant(reader.uint64(), FOR_EVER);
  const options = strings(reader.string(), 2 * MAXIMUM_OPTIONS);
  const extensions = strings(reader.string(), 2 * MAXIMUM_OPTIONS);
  const reserved = reader.string();
  const authorityBlob = reader.string();
  const signed = blob.subarray(0, reader.offset);
  const signature = reader.string();
  if (!reader.finished || principals === null || !arePairs(options) || !arePairs(extensions)) {
    return malformed("is damaged or has bytes left over");
  }
  if (reserved.byteLength !== 0) return malformed("fills a field that must be empty");
  const key = sshKeyFromBlob(keyBlob);
  if (key.kind === "refused") return key;
  const authority = sshKeyFromBlob(authorityBlob);
  if (authority.kind === "refused") return authority;
  const raw = readRawSignature(signature, authority);
  if ("kind" in raw) return raw;
  return {
    kind: "certificate",
    key,
    authority,
    isSigned: isTrue(questionOf(raw, signed, authority)),
    isForUser: kind === USER,
    principals,
    criticalOptions: options.filter((_, index) => index % 2 === 0),
    from,
    until,
  };
}

/** The certificate in a line of a `-cert.pub` file; null where the line holds none that can be read. */
export function certificateFromLine(line: string): SshCertificate | null {
  const [type = "", body = ""] = line.trim().split(/[ \t]+/);
  const blob = plainTypeOf(type) === null ? null : decodeBase64(body);
  const read = blob === null ? null : readSshCertificate(blob);
  return read?.kind === "certificate" ? read : null;
}

/** A field that holds strings; null where they do not fill it or are too many. */
function strings(field: Uint8Array, most: number): readonly string[] | null {
  const reader = new SshReader(field);
  const found: string[] = [];
  while (!reader.finished) {
    found.push(Buffer.from(reader.string()).toString("utf8"));
    if (reader.failed || found.length > most) return null;
  }
  return found;
}

function arePairs(list: readonly string[] | null): list is readonly string[] {
  return list !== null && list.length % 2 === 0;
}

/** `unbounded` stands for no bound, in its own field only; what no calendar holds is the end of all calendars. */
function toInstant(seconds: bigint, unbounded: bigint): Instant | null {
  if (seconds === unbounded) return null;
  return Number(seconds < LAST_SECOND ? seconds : LAST_SECOND) * 1000;
}

/** What the certificate itself says against a signature made with it at `at`; null when nothing. */
export function objectionToCertificate(
  certificate: SshCertificate,
  at: Instant,
  hardware: Signer["hardware"],
): Refusal | null {
  const { key, from, until, isForUser, criticalOptions } = certificate;
  const whose = whoseCertificate(key.fingerprint);
  if (!isForUser) return refusal("key-not-for-signing", `${whose} is one for a host.`);
  const outside = objectionToPeriod(key.fingerprint, { from, until }, at);
  if (outside !== null) return outside;
  // force-command and source-address narrow what the key may do to something that a signature cannot show.
  const other = criticalOptions.find((option) => option !== VERIFY_REQUIRED);
  if (other !== undefined) {
    return refusal("key-not-for-signing", `${whose} is bound by ${JSON.stringify(other.slice(0, 60))}.`);
  }
  if (!criticalOptions.includes(VERIFY_REQUIRED) || hardware?.pin === true) return null;
  return refusal("pin-required", `${whose} requires the PIN of the security key, which was not given.`);
}

const VERIFY_REQUIRED = "verify-required";

function whoseCertificate(fingerprint: string): string {
  return `The certificate of the SSH key ${fingerprint}`;
}

/** `from` is inclusive, `until` exclusive; null for no bound. */
export function objectionToPeriod(
  fingerprint: string,
  { from, until }: Pick<SshCertificate, "from" | "until">,
  at: Instant,
): Refusal | null {
  const whose = whoseCertificate(fingerprint);
  if (from !== null && at < from) return refusal("key-not-yet-valid", `${whose} is valid from ${second(from)} on.`);
  if (until === null || at < until) return null;
  return refusal("key-expired", `${whose} was valid until ${second(until)}.`);
}

function second(at: Instant): string {
  return formatTime(at).replace(".000Z", "Z");
}

function malformed(clause: string): Refusal {
  return refusal("malformed-signature", `The SSH certificate ${clause}.`);
}
