/** Rows in the binary form of COPY (PostgreSQL, COPY, "Binary Format"): 19 bytes, the rows, -1. */

const HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const TRAILER = Buffer.from([0xff, 0xff]);
const CHUNK_BYTES = 2 ** 20;
const HIGH = 2 ** 32;

export type CopyField = Uint8Array | string | bigint8 | int4 | null;
interface bigint8 {
  readonly int8: number;
}
interface int4 {
  readonly int4: number;
}

export function int8(value: number): bigint8 {
  return { int8: value };
}

export function int4(value: number): int4 {
  return { int4: value };
}

/**
 * Chunks of about a megabyte; a larger row is a chunk of its own. Texts are UTF-8. No chunk is larger than what is left
 * needs: memory outside of the heap, in megabytes for each small batch, made the collector run all the time.
 */
export function copyRows(rows: readonly (readonly CopyField[])[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const sizes = rows.map(sizeOf);
  let left = sizes.reduce((sum, size) => sum + size, HEADER.byteLength + TRAILER.byteLength);
  let chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
  let at = HEADER.copy(chunk);
  for (const [place, row] of rows.entries()) {
    const size = sizes[place] as number;
    if (at + size + TRAILER.byteLength > chunk.byteLength) {
      chunks.push(chunk.subarray(0, at));
      chunk = Buffer.allocUnsafe(Math.max(Math.min(CHUNK_BYTES, left), size + TRAILER.byteLength));
      at = 0;
    }
    at = writeRow(chunk, at, row);
    left -= size;
  }
  at += TRAILER.copy(chunk, at);
  chunks.push(chunk.subarray(0, at));
  return chunks;
}

/** At most: a UTF-16 unit is three bytes in UTF-8 or fewer. */
function sizeOf(row: readonly CopyField[]): number {
  let size = 2;
  for (const field of row)
    size += 4 + (typeof field === "string" ? field.length * 3 : field instanceof Uint8Array ? field.byteLength : 8);
  return size;
}

function writeRow(chunk: Buffer, start: number, row: readonly CopyField[]): number {
  let at = chunk.writeInt16BE(row.length, start);
  for (const field of row) {
    const length = field === null ? -1 : writeField(chunk, at + 4, field);
    chunk.writeInt32BE(length, at);
    at += 4 + Math.max(length, 0);
  }
  return at;
}

/** The number of bytes. */
function writeField(chunk: Buffer, at: number, field: NonNullable<CopyField>): number {
  if (typeof field === "string") return chunk.write(field, at, "utf8");
  if (field instanceof Uint8Array) {
    chunk.set(field, at);
    return field.byteLength;
  }
  if ("int4" in field) return chunk.writeInt32BE(field.int4, at) - at;
  chunk.writeUInt32BE(Math.floor(field.int8 / HIGH), at); // no bit operators, which would break at 2^31
  return chunk.writeUInt32BE(field.int8 % HIGH, at + 4) - at;
}
