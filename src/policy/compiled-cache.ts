/**
 * Compiled policies by content, one sealed file a policy set (sealed-file.ts):
 *
 *   body = uint32 big-endian length ‖ JSON header of that length ‖ WebAssembly module
 */
import { concatBytes, decodeUtf8, utf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { openSealedFiles } from "./sealed-file.ts";
import { isObject } from "./toolchain.ts";

const LENGTH_BYTES = 4;

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
  const files = openSealedFiles(options);
  return {
    unusable: files.unusable,
    read(name) {
      const body = files.read(name);
      return body === null ? null : readEntry(body);
    },
    write: (name, entry) => files.write(name, writeEntry(entry)),
  };
}

/** For one process, the latest `limit` sets: for whoever judges again and again by the same few. */
export function processCompiledCache(limit: number): CompiledCache {
  const held = new Map<string, CompiledEntry>();
  return {
    unusable: null,
    read: (name) => held.get(name) ?? null,
    write(name, entry) {
      held.set(name, entry);
      const [oldest] = held.size > limit ? held.keys() : [];
      if (oldest !== undefined) held.delete(oldest);
    },
  };
}

function writeEntry(entry: CompiledEntry): Uint8Array {
  const header = utf8(JSON.stringify(entry.header));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, header.byteLength);
  return concatBytes(length, header, entry.wasm);
}

function readEntry(body: Uint8Array): CompiledEntry | null {
  if (body.byteLength < LENGTH_BYTES) return null;
  const headerEnd = LENGTH_BYTES + new DataView(body.buffer, body.byteOffset).getUint32(0);
  const text = decodeUtf8(body.subarray(LENGTH_BYTES, headerEnd));
  const header: unknown = text === null ? null : JSON.parse(text);
  return isObject(header) ? { header, wasm: body.slice(headerEnd) } : null;
}
