/** The `string` and `uint32` of SSH's wire format (RFC 4251 section 5), read with bounds. */

/** Reads fields in order; after the first field that does not fit, `failed` is true and everything reads as empty. */
export class SshReader {
  readonly #bytes: Uint8Array;
  #offset = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True when a field ran over the end. */
  get failed(): boolean {
    return this.#failed;
  }

  /** True when every byte was read and each field fitted. */
  get finished(): boolean {
    return !this.#failed && this.#offset === this.#bytes.byteLength;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  take(length: number): Uint8Array {
    if (this.#failed || length > this.#bytes.byteLength - this.#offset) {
      this.#failed = true;
      return new Uint8Array(0);
    }
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  uint32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4);
    return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  }

  uint64(): bigint {
    const high = this.uint32();
    return BigInt(high) * 2n ** 32n + BigInt(this.uint32());
  }

  string(): Uint8Array {
    return this.take(this.uint32());
  }

  /** A `string` of names and words; bytes outside ASCII stay visible as Latin-1 and so match no known name. */
  text(): string {
    const { buffer, byteOffset, byteLength } = this.string();
    return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
  }

  /** A positive `mpint` without its sign byte; empty, negative and needlessly long ones fail. */
  positive(): Uint8Array {
    const bytes = this.string();
    const [first, second] = bytes;
    const padded = first === 0;
    if (first === undefined || first > 0x7f || (padded && (second === undefined || second < 0x80))) {
      this.#failed = true;
      return new Uint8Array(0);
    }
    return padded ? bytes.subarray(1) : bytes;
  }
}

/** Each as a `string`, one after the other. */
export function sshStrings(...contents: readonly Uint8Array[]): Uint8Array {
  const fields = Buffer.allocUnsafe(contents.reduce((size, content) => size + 4 + content.byteLength, 0));
  let at = 0;
  for (const content of contents) {
    fields.writeUInt32BE(content.byteLength, at);
    fields.set(content, at + 4);
    at += 4 + content.byteLength;
  }
  return fields;
}
