/**
 * Compiled policies by content (DESIGN section 7 "caches"): one file per key in a 0700 folder, each sealed by an HMAC
 * under a key that is not stored with it. Whatever is not exactly so is treated as absent and built again.
 *
 *   entry = HMAC-SHA256(key, name ‖ body) (32 bytes) ‖ body
 *   body  = uint32 big-endian length ‖ JSON header of that length ‖ WebAssembly module
 */
import { createHmac, randomUUID } from "node:crypto";
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
import { concatBytes, decodeUtf8, equalBytes, utf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { isObject } from "./toolchain.ts";

const SEAL_BYTES = 32;
const LENGTH_BYTES = 4;
const MAXIMUM_ENTRY_BYTES = 64 * 1024 * 1024;
const NAME = /^[0-9a-f]{64}$/;

export interface CompiledEntry {
  readonly header: JsonObject;
  readonly wasm: Uint8Array;
}

export interface CompiledCache {
  /** Why the cache is not used, null when it is; for `doctor` and the application log. */
  readonly unusable: string | null;
  /** null for absent, unsealed, wrongly sealed and unreadable entries alike. @param name 64 hex digits */
  read(name: string): CompiledEntry | null;
  /** Atomic; a cache that cannot be written is only slower, so failures are silent. */
  write(name: string, entry: CompiledEntry): void;
}

/** null (no key at hand, as in CI) gives a cache that never holds anything. */
export function openCompiledCache(
  options: { readonly folder: string; readonly key: Uint8Array } | null,
): CompiledCache {
  const unusable = options === null ? "no cache key" : (problemOfKey(options.key) ?? problemOfFolder(options.folder));
  if (options === null || unusable !== null) return { unusable, read: () => null, write: () => undefined };
  const { folder, key } = options;
  return {
    unusable: null,
    read(name) {
      const bytes = readBounded(join(folder, checkedName(name)));
      return bytes === null ? null : unseal(key, name, bytes);
    },
    write(name, entry) {
      writeAtomically(folder, checkedName(name), seal(key, name, entry));
    },
  };
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
    const { size } = fstatSync(file);
    return size > MAXIMUM_ENTRY_BYTES ? null : new Uint8Array(readFileSync(file));
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

function seal(key: Uint8Array, name: string, entry: CompiledEntry): Uint8Array {
  const header = utf8(JSON.stringify(entry.header));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, header.byteLength);
  const body = concatBytes(length, header, entry.wasm);
  return concatBytes(hmac(key, name, body), body);
}

/** The seal is checked before a single byte of the body is read. */
function unseal(key: Uint8Array, name: string, bytes: Uint8Array): CompiledEntry | null {
  if (bytes.byteLength < SEAL_BYTES + LENGTH_BYTES) return null;
  const body = bytes.subarray(SEAL_BYTES);
  if (!equalBytes(bytes.subarray(0, SEAL_BYTES), hmac(key, name, body))) return null;
  const headerEnd = LENGTH_BYTES + new DataView(body.buffer, body.byteOffset).getUint32(0);
  const text = decodeUtf8(body.subarray(LENGTH_BYTES, headerEnd));
  const header: unknown = text === null ? null : JSON.parse(text);
  return isObject(header) ? { header, wasm: body.slice(headerEnd) } : null;
}

function hmac(key: Uint8Array, name: string, body: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(name).update(body).digest());
}
