/** rows.ndjson is as long as the log: written and read piece by piece. */
import { closeSync, fsyncSync, openSync, readSync, writeFileSync } from "node:fs";
import { decodeUtf8 } from "../../lib/bytes.ts";

const PIECE_BYTES = 1 << 20;
/** Twice what an entry may disclose. */
const MAXIMUM_LINE_BYTES = 128 * 2 ** 20;
const LINE_END = 0x0a;

export class RowFile {
  readonly #file: number;

  /** The file must not exist. */
  constructor(path: string, mode: number) {
    this.#file = openSync(path, "wx", mode);
  }

  write(text: string): void {
    writeFileSync(this.#file, text);
  }

  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
  }
}

/** Each line with its line end; what follows the last one as it is. null for bytes that are no text, or too many of them. */
export function* linesOf(path: string): Generator<string | null> {
  const file = openSync(path, "r");
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    let kept: Buffer[] = [];
    let size = 0;
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      let start = 0;
      for (let at = piece.indexOf(LINE_END); at >= 0 && at < read; at = piece.indexOf(LINE_END, start)) {
        yield decodeUtf8(Buffer.concat([...kept, piece.subarray(start, at + 1)]));
        kept = [];
        size = 0;
        start = at + 1;
      }
      kept.push(Buffer.from(piece.subarray(start, read)));
      size += read - start;
      if (size > MAXIMUM_LINE_BYTES) return yield null;
    }
    if (size > 0) yield decodeUtf8(Buffer.concat(kept));
  } finally {
    closeSync(file);
  }
}
