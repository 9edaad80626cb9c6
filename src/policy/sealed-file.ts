/**
 * Files of a cache: in a 0700 folder of our own, each sealed by an HMAC under a key that is not stored with it
 * (DESIGN section 7 "caches"). Whatever is not exactly so is treated as absent. A body may hold what a Secret or a rule's
 * message holds, so a copy of the folder must tell nothing: it is encrypted, and the seal is over the ciphertext.
 *
 *   file = HMAC-SHA256(key, name ‖ body) (32 bytes) ‖ body
 *   body = counter ‖ AES-256-CTR(HMAC-SHA256(key, "contents"), counter, text)
 *   counter = first 16 bytes of HMAC-SHA256(key, "counter" ‖ name ‖ text): the same text makes the same file, another never
 */
import { createCipheriv, createDecipheriv, createHmac, randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { concatBytes, equalBytes } from "../lib/bytes.ts";

const SEAL_BYTES = 32;
const COUNTER_BYTES = 16;
const CIPHER = "aes-256-ctr";
const MAXIMUM_FILE_BYTES = 64 * 1024 * 1024;
const NAME = /^[0-9a-f]{64}$/;

export interface SealedFiles {
  /** Why they are not used, null when they are; for `doctor` and the application log. */
  readonly unusable: string | null;
  /** Bytes of a file as it lies there, sealed or not; 0 for an absent one. @param name 64 hex digits */
  size(name: string): number;
  /** What was written; null for absent, unsealed, wrongly sealed and unreadable files alike. @param name 64 hex digits */
  read(name: string): Uint8Array | null;
  /** Atomic; a cache that cannot be written is only slower, so failures are silent. */
  write(name: string, text: Uint8Array): void;
}

/** null (no key at hand, as in CI) gives files that are never there. */
export function openSealedFiles(options: { readonly folder: string; readonly key: Uint8Array } | null): SealedFiles {
  const unusable = options === null ? "no cache key" : (problemOfKey(options.key) ?? problemOfFolder(options.folder));
  if (options === null || unusable !== null)
    return { unusable, size: () => 0, read: () => null, write: () => undefined };
  const { folder, key } = options;
  return {
    unusable: null,
    size: (name) => lstatSync(join(folder, checkedName(name)), { throwIfNoEntry: false })?.size ?? 0,
    read(name) {
      const bytes = readBounded(join(folder, checkedName(name)));
      const body = bytes === null ? null : unseal(key, name, bytes);
      return body === null ? null : decrypt(key, body);
    },
    write(name, text) {
      if (text.byteLength + COUNTER_BYTES + SEAL_BYTES > MAXIMUM_FILE_BYTES) return;
      const body = encrypt(key, name, text);
      writeAtomically(folder, checkedName(name), concatBytes(hmac(key, name, body), body));
    },
  };
}

/** The seal is checked before a single byte of the body is read. */
function unseal(key: Uint8Array, name: string, bytes: Uint8Array): Uint8Array | null {
  if (bytes.byteLength < SEAL_BYTES) return null;
  const body = bytes.subarray(SEAL_BYTES);
  return equalBytes(bytes.subarray(0, SEAL_BYTES), hmac(key, name, body)) ? body : null;
}

function problemOfKey(key: Uint8Array): string | null {
  return key.byteLength >= SEAL_BYTES ? null : "the cache key has fewer than 32 bytes";
}

/** Whoever else could write here could also fill the disk or hold entries back; only our own 0700 folder is used. */
function problemOfFolder(folder: string): string | null {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    if (!found.isDirectory()) return "the cache folder is not a folder";
    if ((found.mode & 0o777) !== 0o700) return "the cache folder has another mode than 0700";
    if (found.uid !== process.getuid?.()) return "the cache folder belongs to another user";
    return null;
  } catch {
    return "the cache folder cannot be made";
  }
}

function checkedName(name: string): string {
  if (!NAME.test(name)) throw new TypeError(`not a cache entry's name: ${JSON.stringify(name)}`);
  return name;
}

function readBounded(path: string): Uint8Array | null {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(file);
    return !found.isFile() || found.size > MAXIMUM_FILE_BYTES ? null : viewOf(readFileSync(file));
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

function writeAtomically(folder: string, name: string, bytes: Uint8Array): void {
  const temporary = join(folder, `.${name}.${randomUUID()}`);
  try {
    writeFileSync(temporary, bytes, { mode: 0o600, flag: "wx" });
    renameSync(temporary, join(folder, name));
  } catch {
    rmSync(temporary, { force: true });
  }
}

function hmac(key: Uint8Array, name: string, body: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(name).update(body).digest());
}

function encrypt(key: Uint8Array, name: string, text: Uint8Array): Uint8Array {
  const counter = hmac(key, `counter${name}`, text).subarray(0, COUNTER_BYTES);
  return concatBytes(counter, createCipheriv(CIPHER, contentsKey(key), counter).update(text));
}

/** Only of a body whose seal was checked. */
function decrypt(key: Uint8Array, body: Uint8Array): Uint8Array | null {
  if (body.byteLength < COUNTER_BYTES) return null;
  const counter = body.subarray(0, COUNTER_BYTES);
  return viewOf(createDecipheriv(CIPHER, contentsKey(key), counter).update(body.subarray(COUNTER_BYTES)));
}

/** Not a copy: fresh pages for half a megabyte cost more than reading it. */
function viewOf({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Another key than the seal's, from the same one. */
function contentsKey(key: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update("contents").digest());
}
