/**
 * Reads the archive of a bundle: gzip (RFC 1952) around a POSIX.1-1988 ustar. Not any archive: each file is one of a
 * closed list of names, or Rego or a data.json in plain folders, regular, and there once, so that no path, link, device or
 * second file can mean anything; nothing is ever written to a disk. Whatever else stands in it is refused.
 */
import { gunzipSync } from "node:zlib";
import { SluiceError } from "../lib/errors.ts";

const BLOCK_BYTES = 512;
const MAXIMUM_ZIPPED_BYTES = 32 * 1024 * 1024;
const MAXIMUM_BYTES = 64 * 1024 * 1024;

/** What `sluice policy build` writes. */
export const BUNDLE_FILES: ReadonlySet<string> = new Set(["data.json", "policy.wasm", ".manifest", ".signatures.json"]);
const SOURCE_FILE = /(?:^|\/)(?:data\.json|[^/]+\.rego)$/;

/** By name, without the slash in front. @throws SluiceError `bundle-invalid`, `bundle-too-large` */
export function readArchive(zipped: Uint8Array): ReadonlyMap<string, Uint8Array> {
  if (zipped.byteLength > MAXIMUM_ZIPPED_BYTES) throw tooLarge();
  const tar = unzipped(zipped);
  const files = new Map<string, Uint8Array>();
  let at = 0;
  while (at < tar.length && !isZero(tar.subarray(at, at + BLOCK_BYTES))) {
    const { name, size } = readHeader(tar.subarray(at, at + BLOCK_BYTES));
    const end = at + BLOCK_BYTES + size;
    const next = at + BLOCK_BYTES * (1 + Math.ceil(size / BLOCK_BYTES));
    if (next > tar.length) throw invalid(`${name} is cut off`);
    if (!isZero(tar.subarray(end, next))) throw invalid(`${name} is followed by something that belongs to no file`);
    if (files.has(name)) throw invalid(`${name} is there twice`);
    files.set(name, new Uint8Array(tar.subarray(at + BLOCK_BYTES, end)));
    at = next;
  }
  if (tar.length - at < 2 * BLOCK_BYTES) throw invalid("it has no end");
  if (!isZero(tar.subarray(at))) throw invalid("something follows its end");
  return files;
}

/** What a small file swells to is bounded before it is there. */
function unzipped(zipped: Uint8Array): Buffer {
  try {
    return gunzipSync(zipped, { maxOutputLength: MAXIMUM_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw invalid("it is not a whole gzip");
  }
}

/** name 0-99, size 124-135, checksum 148-155, type 156, link 157-256, magic 257-264, prefix 345-499. */
function readHeader(header: Buffer): { readonly name: string; readonly size: number } {
  if (header.toString("latin1", 257, 263) !== "ustar\0") throw invalid("it is not a ustar archive");
  if (checksumOf(header) !== octal(header, 148, 156)) throw invalid("the checksum of a header is wrong");
  const text = header.toString("latin1", 0, 100).replace(/\0+$/, "");
  const name = text.replace(/^\//, "");
  if (!BUNDLE_FILES.has(name) && !isSourceFile(name)) throw invalid(`${JSON.stringify(text)} is no file of a bundle`);
  if (header[156] !== 0x30 || !isZero(header.subarray(157, 257)) || !isZero(header.subarray(345, 500)))
    throw invalid(`${name} is not a plain file`);
  return { name, size: octal(header, 124, 136) };
}

function isSourceFile(name: string): boolean {
  return (
    SOURCE_FILE.test(name) &&
    /^[\x20-\x7e]+$/.test(name) &&
    !name.includes("\\") &&
    name.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function octal(header: Buffer, from: number, to: number): number {
  const match = /^([0-7]{6,11})[\0 ]+$/.exec(header.toString("latin1", from, to));
  if (match === null) throw invalid("a number in a header is not written as octal digits");
  return Number.parseInt(match[1] ?? "", 8);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

export function invalid(why: string): SluiceError {
  return new SluiceError(
    "bundle-invalid",
    `The bundle is not one that sluice policy build or opa build writes: ${why}.`,
  );
}

function tooLarge(): SluiceError {
  return new SluiceError("bundle-too-large", "The bundle is larger than 32 MiB, or than 64 MiB unpacked.");
}
