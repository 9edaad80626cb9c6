/** How much room the log's volume has left: first it is said, then the service is not ready any more. */
import { statfsSync } from "node:fs";
import { reusableBytes } from "../log/stores/sqlite/database.ts";
import { bytesInUse, type LogPlace, sqlitePath } from "../log/stores.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const LITTLE_FREE_BYTES = GIB;
const TOO_LITTLE_FREE_BYTES = 100 * MIB;

export type Room = "enough" | "little" | "too-little" | "unknown";

/** null where the system does not say. */
export function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/**
 * What the volume has left and what a log's file holds free inside; null where the system does not say. Of PostgreSQL, what
 * the log leaves of the `size` in GiB that gate.yaml gives it.
 */
export async function growingRoom(
  folder: string,
  place: LogPlace,
  size: number | undefined,
  free = freeBytes,
): Promise<number | null> {
  const used = await bytesInUse(place);
  if (used !== null) return size === undefined ? null : size * GIB - used;
  const bytes = free(folder);
  return bytes === null ? null : bytes + reusableBytes(sqlitePath(place.store));
}

export function roomOf(bytes: number | null): Room {
  if (bytes === null) return "unknown";
  if (bytes < TOO_LITTLE_FREE_BYTES) return "too-little";
  return bytes < LITTLE_FREE_BYTES ? "little" : "enough";
}
