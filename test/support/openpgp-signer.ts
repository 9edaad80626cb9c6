/** A version 4 Ed25519 certificate and its signatures written byte by byte, so that every field can be what gpg never writes. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { armourAs, putTogether } from "./openpgp-bytes.ts";

export interface Subpacket {
  readonly type: number;
  readonly critical?: boolean;
  readonly body: Uint8Array;
}

/** Everything that a test may choose; the rest is as gpg makes it. */
export interface OpenPgpSigChange {
  readonly version?: number;
  readonly type?: number;
  readonly created?: number;
  readonly hash?: "sha1" | "sha256" | "sha512";
  readonly hashed?: readonly Subpacket[];
  readonly unhashed?: readonly Subpacket[];
}

const HASH_NUMBERS = { sha1: 2, sha256: 8, sha512: 10 } as const;
const EDDSA_LEGACY = 22;
const ED25519_OID = Buffer.from("2b06010401da470f01", "hex");
const CREATED = 2;
const ISSUER_KEY_ID = 16;
const KEY_FLAGS = 27;
const ISSUER_FINGERPRINT = 33;
const CERTIFICATION = 0x13;

export interface OpenPgpSigner {
  readonly fingerprint: string;
  /** Armoured. */
  readonly certificate: string;
  sign(payload: Uint8Array, change?: OpenPgpSigChange): string;
}

/** `created` in seconds, also of the self-signature; `keyFlags`: 1 certify, 2 sign. */
export function openPgpSigner(userId: string, created: number, keyFlags = 0x03): OpenPgpSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const point = Buffer.concat([Buffer.of(0x40), Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url")]);
  const material = Buffer.concat([Buffer.of(ED25519_OID.length), ED25519_OID, mpi(point)]);
  const body = Buffer.concat([Buffer.of(4), uint32(created), Buffer.of(EDDSA_LEGACY), material]);
  const framed = Buffer.concat([Buffer.of(0x99), uint16(body.length), body]);
  const fingerprint = createHash("sha1").update(framed).digest();
  const packet = (data: Uint8Array, change: OpenPgpSigChange): Buffer => {
    const hash = change.hash ?? "sha512";
    const head = Buffer.from([change.version ?? 4, change.type ?? 0, EDDSA_LEGACY, HASH_NUMBERS[hash]]);
    const area = subpackets([
      { type: CREATED, body: uint32(change.created ?? created) },
      { type: ISSUER_FINGERPRINT, body: Buffer.concat([Buffer.of(4), fingerprint]) },
      ...(change.hashed ?? []),
    ]);
    const hashed = Buffer.concat([head, uint16(area.length), area]);
    const trailer = Buffer.concat([Buffer.of(4, 0xff), uint32(hashed.length)]);
    const digest = createHash(hash).update(data).update(hashed).update(trailer).digest();
    const raw = sign(null, digest, privateKey);
    const issuer = { type: ISSUER_KEY_ID, body: fingerprint.subarray(12) };
    const rest = subpackets([issuer, ...(change.unhashed ?? [])]);
    const numbers = [mpi(raw.subarray(0, 32)), mpi(raw.subarray(32))];
    return Buffer.concat([hashed, uint16(rest.length), rest, digest.subarray(0, 2), ...numbers]);
  };
  const name = Buffer.from(userId);
  const framedName = Buffer.concat([Buffer.of(0xb4), uint32(name.length), name]);
  const flags = { type: KEY_FLAGS, body: Buffer.of(keyFlags) };
  const self = packet(Buffer.concat([framed, framedName]), { type: CERTIFICATION, hashed: [flags] });
  const packets = [
    { tag: 6, body },
    { tag: 13, body: name },
    { tag: 2, body: self },
  ];
  return {
    fingerprint: fingerprint.toString("hex").toUpperCase(),
    certificate: armourAs("PUBLIC KEY BLOCK", putTogether(packets)),
    sign: (payload, change = {}) =>
      armourAs("SIGNATURE", putTogether([{ tag: 2, body: packet(Buffer.from(payload), change) }])),
  };
}

function subpackets(list: readonly Subpacket[]): Buffer {
  return Buffer.concat(
    list.map(({ type, critical = false, body }) =>
      Buffer.concat([Buffer.of(body.length + 1, type | (critical ? 0x80 : 0)), body]),
    ),
  );
}

function mpi(number: Buffer): Buffer {
  const short = number.subarray(number.findIndex((byte) => byte !== 0));
  return Buffer.concat([uint16(short.length * 8 - (Math.clz32(short[0] ?? 0) - 24)), short]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
