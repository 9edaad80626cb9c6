/** The key that seals cached policies; it lies apart from the cache, so that whoever can write there cannot forge an entry. */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { decodeHex } from "../lib/bytes.ts";
import type { Surroundings } from "./environment.ts";
import { readSecretFile } from "./secret.ts";

const KEY_BYTES = 32;

/** null where there is none and none may be made (CI), or where it is not private: the cache is then not used. */
export function cacheKey(surroundings: Surroundings): Uint8Array | null {
  if (surroundings.ci) return null;
  const file = surroundings.cacheKeyFile;
  return readKey(file) ?? (makeKey(file) ? readKey(file) : null);
}

function readKey(file: string): Uint8Array | null {
  try {
    const key = decodeHex(readSecretFile(file));
    return key?.byteLength === KEY_BYTES ? key : null;
  } catch {
    return null;
  }
}

/**
 * Written whole beside its place and linked there: a link never replaces, so that of two processes that start
 * at once one makes the key and both read it, and nobody ever reads half of one.
 */
function makeKey(file: string): boolean {
  const beside = `${file}.${randomBytes(8).toString("hex")}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(beside, `${randomBytes(KEY_BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    linkSync(beside, file);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EEXIST";
  } finally {
    removeQuietly(beside);
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A folder that cannot be written to kept nothing either.
  }
}
