/**
 * Whether a listed transparency log took up exactly this signature, and when; offline.
 *
 * The log's leaf is the canonical JSON of a `hashedrekord` 0.0.1: the SHA-256 of what was signed, the signature, and the
 * certificate as PEM. The promise (SET) is a signature over canonical JSON {body, integratedTime, logID, logIndex};
 * a proof leads from the leaf to the root of a checkpoint, a note that the log signed (C2SP tlog-checkpoint).
 */
import { type KeyObject, verify } from "node:crypto";
import { decodeBase64, encodeBase64, encodeHex, equalBytes, utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { sha256, sha256Hex } from "../lib/digest.ts";
import type { Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { type RekorEntry, type RekorProof, readRekorEntry } from "./rekor-entry.ts";
import type { ProvenTime } from "./timestamp-token.ts";

export interface TransparencyLog {
  /** What its entries name: SHA-256 of its key, for the logs that gitsign writes to. */
  readonly id: Uint8Array;
  /** Host name, with which it signs its checkpoints. */
  readonly name: string;
  readonly key: KeyObject;
  readonly from: Instant | null;
  /** Inclusive. */
  readonly until: Instant | null;
}

/** What the log took up. */
export interface Logged {
  /** The bytes that were signed: the DER of the signed attributes. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** DER of the signer's certificate. */
  readonly certificate: Uint8Array;
}

/** The time at which a listed log took it up, or what is wrong; the reason is `bad-log-entry` or `not-supported`. */
export function verifyRekorEntry(
  bytes: Uint8Array,
  logged: Logged,
  logs: readonly TransparencyLog[],
): ProvenTime | Refusal {
  const entry = readRekorEntry(bytes);
  if (typeof entry === "string") return bad(`${entry}`);
  if (entry.kind !== "hashedrekord" || entry.version !== "0.0.1") {
    return refusal("not-supported", "Only log entries of the kind hashedrekord 0.0.1 are supported yet.");
  }
  const at = entry.integratedTime * 1000;
  const log = logs.find((one) => equalBytes(one.id, entry.logId));
  if (log === undefined) return bad("names a log that is not listed");
  if ((log.from !== null && at < log.from) || (log.until !== null && at > log.until)) {
    return bad("is of a time at which its log was not in use");
  }
  const body = bodyOf(logged);
  if (entry.body.byteLength > 0 && !equalBytes(entry.body, body)) return bad("is that of another signature");
  if (!isPromised(entry, body, log)) return bad("is not what the log promised for this signature");
  const wrong = entry.proof === null ? null : faultOfProof(entry.proof, body, log);
  return wrong === null ? { kind: "proven", at } : bad(wrong);
}

function bad(clause: string): Refusal {
  return refusal("bad-log-entry", `The transparency log entry in the signature ${clause}.`);
}

function bodyOf({ signedBytes, signature, certificate }: Logged): Uint8Array {
  const publicKey = { content: encodeBase64(utf8(pem(certificate))) };
  const data = { hash: { algorithm: "sha256", value: sha256Hex(signedBytes) } };
  const spec = { data, signature: { content: encodeBase64(signature), publicKey } };
  return utf8(canonicalJson({ apiVersion: "0.0.1", kind: "hashedrekord", spec }));
}

function pem(der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function isPromised(entry: RekorEntry, body: Uint8Array, log: TransparencyLog): boolean {
  const promise: JsonValue = {
    body: encodeBase64(body),
    integratedTime: entry.integratedTime,
    logID: encodeHex(entry.logId),
    logIndex: entry.logIndex,
  };
  return isSignedByLog(log, utf8(canonicalJson(promise)), entry.signedEntryTimestamp);
}

/** ECDSA over SHA-256, or Ed25519. */
function isSignedByLog({ key }: TransparencyLog, data: Uint8Array, signature: Uint8Array): boolean {
  return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", data, key, signature);
}

function faultOfProof(proof: RekorProof, body: Uint8Array, log: TransparencyLog): string | null {
  const leaf = sha256(Uint8Array.of(0), body);
  const root = rootFrom(leaf, proof.logIndex, proof.treeSize, proof.hashes);
  if (root === null || !equalBytes(root, proof.rootHash)) return "has a proof that does not lead to its root";
  const checkpoint = readCheckpoint(proof.checkpoint, log);
  if (checkpoint === null) return "has a checkpoint that the log did not sign";
  const isSame = checkpoint.size === proof.treeSize && equalBytes(checkpoint.root, root);
  return isSame ? null : "has a proof of another tree than its checkpoint";
}

/** RFC 9162 section 2.1.3.2; null where the path does not fit the tree. Arithmetic, since sizes go past 2^31. */
function rootFrom(leaf: Uint8Array, index: number, size: number, path: readonly Uint8Array[]): Uint8Array | null {
  if (index >= size) return null;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0 || sibling.byteLength !== leaf.byteLength) return null;
    if (node % 2 === 1 || node === last) {
      hash = sha256(Uint8Array.of(1), sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = sha256(Uint8Array.of(1), hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 ? hash : null;
}

const NOTE = /^((?:[^\n]+\n)+)\n((?:\u2014 [^\n ]+ [^\n ]+\n)+)$/;

/** Size and root of a checkpoint that the log signed; null for any other text. Other signatures, of witnesses, may stand there. */
function readCheckpoint(note: string, log: TransparencyLog): { size: number; root: Uint8Array } | null {
  const [, text = "", signatures = ""] = NOTE.exec(note) ?? [];
  const hint = log.id.subarray(0, 4);
  const isSigned = signatures.split("\n").some((line) => {
    const [, name, encoded = ""] = line.split(" ");
    const blob = name === log.name ? decodeBase64(encoded) : null;
    if (blob === null || !equalBytes(blob.subarray(0, 4), hint)) return false;
    return isSignedByLog(log, utf8(text), blob.subarray(4));
  });
  const [origin = "", size = "", root = ""] = text.split("\n");
  const decoded = decodeBase64(root);
  const isOurs = origin === log.name || origin.startsWith(`${log.name} - `);
  return isSigned && isOurs && /^(?:0|[1-9]\d{0,15})$/.test(size) && decoded !== null
    ? { size: Number(size), root: decoded }
    : null;
}
