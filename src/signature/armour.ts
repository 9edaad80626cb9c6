/**
 * The text form of a signature, read strictly: one block, nothing before, nothing after.
 *
 *   -----BEGIN PGP SIGNATURE-----      -----BEGIN SSH SIGNATURE-----
 *   Comment: optional headers          base64, wrapped
 *                                      -----END SSH SIGNATURE-----
 *   base64, wrapped
 *   =CRC24, optional
 *   -----END PGP SIGNATURE-----
 *
 * RFC 9580 section 6.2; OpenSSH PROTOCOL.sshsig "Armored format". One empty line after END is allowed, since GitHub's
 * web-flow writes one into every commit.
 */
import { decodeBase64, encodeBase64 } from "../lib/bytes.ts";

const MAXIMUM_HEADERS = 16;
/** 64 KiB in lines of 64 characters are 1,024 of them. */
const MAXIMUM_LINES = 2_048;
const ARMOUR_HEADER = /^[A-Za-z][A-Za-z0-9-]{0,30}: ?[^\0]*$/;
const CHECKSUM = /^=([A-Za-z0-9+/]{4})$/;

export interface ArmourForm {
  readonly begin: string;
  readonly end: string;
  /** OpenPGP: header lines, an empty line and a checksum may stand around the base64. */
  readonly openPgp: boolean;
}

/** Each byte a character, so that nothing is lost or read in two ways. */
export function armourText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes inside the one block that `text` is, or a clause saying why it is not one. */
export function readArmour(text: string, form: ArmourForm, most = MAXIMUM_LINES): Uint8Array | string {
  if (text.length > most && hasMoreLines(text, most)) return "has too many lines";
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines[0] !== form.begin) return "does not begin with its first line";
  const end = lines.indexOf(form.end);
  if (end === -1) return "has no last line";
  if (end !== lines.length - 1) return "is followed by more text";
  return form.openPgp ? openPgpBody(lines.slice(1, end)) : base64Body(lines.slice(1, end));
}

/** Counted before they are taken apart: each line costs more than the byte that it can be written in. */
function hasMoreLines(text: string, most: number): boolean {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    count += 1;
    if (count > most) return true;
  }
  return false;
}

function openPgpBody(lines: readonly string[]): Uint8Array | string {
  const start = lines.indexOf("") + 1;
  if (start === 0) return "has no empty line before its data";
  const headers = lines.slice(0, start - 1);
  if (headers.length > MAXIMUM_HEADERS || !headers.every((line) => ARMOUR_HEADER.test(line))) {
    return "has lines that are no armour headers";
  }
  const checksum = CHECKSUM.exec(lines.at(-1) ?? "")?.[1];
  const bytes = base64Body(checksum === undefined ? lines.slice(start) : lines.slice(start, -1));
  if (typeof bytes === "string" || checksum === undefined) return bytes;
  return Buffer.from(checksum, "base64").readUIntBE(0, 3) === crc24(bytes) ? bytes : "has a wrong checksum";
}

function base64Body(lines: readonly string[]): Uint8Array | string {
  const bytes = lines.includes("") ? null : decodeBase64(lines.join(""));
  return bytes === null || bytes.byteLength === 0 ? "is not base64" : bytes;
}

/** An armoured public key with its checksum, as gpg writes it. */
export function writeKeyArmour(bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  const sum = Buffer.alloc(3);
  sum.writeUIntBE(crc24(bytes), 0, 3);
  const body = ["", ...lines, `=${sum.toString("base64")}`];
  return ["-----BEGIN PGP PUBLIC KEY BLOCK-----", ...body, "-----END PGP PUBLIC KEY BLOCK-----", ""].join("\n");
}

const CRC24_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 16;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x800000 ? (crc << 1) ^ 0x1864cfb : crc << 1;
  return crc;
});

/** RFC 9580 section 6.1.1. That RFC ignores a wrong sum; GnuPG and we refuse it, so that a signature has one form. */
function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  // By index: through the iterator of bytes it takes three times as long.
  for (let at = 0; at < bytes.byteLength; at += 1) {
    crc = ((crc << 8) & 0xffffff) ^ (CRC24_TABLE[(crc >> 16) ^ (bytes[at] ?? 0)] ?? 0);
  }
  return crc;
}
