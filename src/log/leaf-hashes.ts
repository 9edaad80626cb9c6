/** The leaf hashes of a whole log, from the tiles of its lowest level, and not believed before they make up the signed root. */
import { equalBytes } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Checkpoint, DecisionLog } from "./decision-log.ts";
import { emptyRoot, HASH_BYTES, nodeHash } from "./merkle.ts";
import { TILE_WIDTH, tilePath } from "./tile.ts";

/** 32 bytes for each entry, in order; a million entries take 32 MB, and as much again meanwhile. @throws SluiceError `log-corrupt` */
export async function leafHashes(
  log: Pick<DecisionLog, "resource">,
  { size, root }: Pick<Checkpoint, "size" | "root">,
): Promise<Uint8Array> {
  const hashes = new Uint8Array(size * HASH_BYTES);
  for (let start = 0; start < size; start += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - start);
    const tile = await log.resource(tilePath({ level: 0, position: start / TILE_WIDTH, width }));
    if (tile?.byteLength !== width * HASH_BYTES)
      throw new SluiceError("log-corrupt", `Hashes of entries are missing after ${start}.`);
    hashes.set(tile, start * HASH_BYTES);
  }
  if (equalBytes(rootOf(hashes), root)) return hashes;
  throw new SluiceError("log-corrupt", "The hashes of the entries do not make up the log's signed root.");
}

/** RFC 6962, section 2.1, row by row: where a row is odd, its last node is the one above. */
function rootOf(leaves: Uint8Array): Uint8Array {
  const row = leaves.slice();
  const at = (n: number) => row.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES);
  let count = leaves.byteLength / HASH_BYTES;
  if (count === 0) return emptyRoot();
  for (; count > 1; count = Math.ceil(count / 2)) {
    for (let n = 0; n + 1 < count; n += 2) row.set(nodeHash(at(n), at(n + 1)), (n / 2) * HASH_BYTES);
    if (count % 2 === 1) row.set(at(count - 1), ((count - 1) / 2) * HASH_BYTES);
  }
  return at(0);
}
