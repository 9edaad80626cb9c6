/** A place in a text: line and column count from 1, columns in UTF-16 code units, lines end at a line feed. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Offsets outside the text are moved to its nearest end. */
export function positionAt(text: string, offset: number): TextPosition {
  const end = Math.max(0, Math.min(offset, text.length));
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf("\n"); next !== -1 && next < end; next = text.indexOf("\n", lineStart)) {
    line++;
    lineStart = next + 1;
  }
  return { line, column: end - lineStart + 1 };
}

/** Lines of growing offsets, each part of the text looked at once. */
export class LineCounter {
  readonly #text: string;
  #offset = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** `offset` must not be smaller than in the call before. */
  at(offset: number): number {
    for (let next = this.#text.indexOf("\n", this.#offset); next !== -1 && next < offset; ) {
      this.#line++;
      this.#offset = next + 1;
      next = this.#text.indexOf("\n", this.#offset);
    }
    return this.#line;
  }
}
