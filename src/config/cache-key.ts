/** The key that seals cached policies; it lies apart from the cache, so that whoever can write there cannot forge an entry. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
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

/** Exclusive creation: of two processes that start at once, one makes the key and both read it. */
function makeKey(file: string): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EEXIST";
  }
}
