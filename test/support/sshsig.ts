/** SSHSIG blobs built byte by byte, so that each field can be wrong on purpose. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export function field(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}

export interface SshSigner {
  readonly type: string;
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
  /** `type base64` as in a .pub file. */
  readonly line: string;
  readonly application: string | null;
}

export function ed25519Signer(application: string | null = null): SshSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const type = application === null ? "ssh-ed25519" : "sk-ssh-ed25519@openssh.com";
  const point = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  return signer(type, [field(point)], privateKey, application);
}

export function ecdsaSkSigner(application = "ssh:"): SshSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return signer("sk-ecdsa-sha2-nistp256@openssh.com", [field("nistp256"), field(point)], privateKey, application);
}

/** As ssh-keygen makes it, with a key of 2,048 bits, since it is made for each test. */
export function rsaSigner(): SshSigner {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { e = "", n = "" } = publicKey.export({ format: "jwk" });
  const numbers = [e, n].map((number) => field(mpint(Buffer.from(number, "base64url"))));
  return signer("ssh-rsa", numbers, privateKey, null);
}

function signer(type: string, parts: readonly Buffer[], privateKey: KeyObject, application: string | null): SshSigner {
  const tail = application === null ? [] : [field(application)];
  const publicKey = Buffer.concat([field(type), ...parts, ...tail]);
  return { type, publicKey, privateKey, line: `${type} ${publicKey.toString("base64")}`, application };
}

/** Everything that a test may get wrong; the rest is as ssh-keygen makes it. */
export interface SshSigChange {
  readonly magic?: string;
  readonly version?: number;
  readonly publicKey?: Uint8Array;
  readonly namespace?: string;
  /** In the blob only: ssh-keygen verifies as if it were empty. */
  readonly reserved?: string;
  readonly hash?: string;
  readonly signatureType?: string;
  readonly flags?: number;
  readonly afterSignature?: Uint8Array;
  readonly after?: Uint8Array;
}

export function sshSig(by: SshSigner, payload: Uint8Array, change: SshSigChange = {}): string {
  const namespace = change.namespace ?? "git";
  const hash = change.hash ?? "sha512";
  const known = hash === "sha256" || hash === "sha1" ? hash : "sha512";
  const digest = createHash(known).update(payload).digest();
  const message = Buffer.concat([Buffer.from("SSHSIG"), field(namespace), field(""), field(hash), field(digest)]);
  const version = Buffer.alloc(4);
  version.writeUInt32BE(change.version ?? 1);
  return armour(
    Buffer.concat([
      Buffer.from(change.magic ?? "SSHSIG"),
      version,
      field(change.publicKey ?? by.publicKey),
      field(namespace),
      field(change.reserved ?? ""),
      field(hash),
      field(Buffer.concat([field(change.signatureType ?? signatureTypeOf(by)), ...rawSignature(by, message, change)])),
      change.after ?? Buffer.alloc(0),
    ]),
  );
}

function signatureTypeOf({ type }: SshSigner): string {
  return type === "ssh-rsa" ? "rsa-sha2-512" : type;
}

function rawSignature(by: SshSigner, message: Buffer, change: SshSigChange): Buffer[] {
  const after = Buffer.from(change.afterSignature ?? []);
  const hash = by.type === "ssh-rsa" ? "sha512" : null;
  if (by.application === null) return [field(sign(hash, message, by.privateKey)), after];
  const sha256 = (content: Uint8Array | string): Buffer => createHash("sha256").update(content).digest();
  const trailer = Buffer.from([change.flags ?? 1, 0, 0, 0, 7]);
  const signed = Buffer.concat([sha256(by.application), trailer, sha256(message)]);
  if (by.type.startsWith("sk-ssh")) return [field(sign(null, signed, by.privateKey)), trailer, after];
  const pair = sign("sha256", signed, { key: by.privateKey, dsaEncoding: "ieee-p1363" });
  const both = Buffer.concat([field(mpint(pair.subarray(0, 32))), field(mpint(pair.subarray(32)))]);
  return [field(both), trailer, after];
}

function mpint(number: Buffer): Buffer {
  const start = number.findIndex((byte) => byte !== 0);
  const short = number.subarray(start);
  return (short[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), short]) : short;
}

export function armour(blob: Uint8Array): string {
  const lines =
    Buffer.from(blob)
      .toString("base64")
      .match(/.{1,70}/g) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}
