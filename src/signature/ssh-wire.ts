/** The `string` and `uint32` of SSH's wire format (RFC 4251 section 5), read with bounds. */

/** Reads fields in order; after the first field that does not fit, `failed` is true and everything reads as empty. */
export class SshReader {
  readonly #bytes: Buffer;
  #offset = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    const start = this.#skip(length);
    return start === null ? new Uint8Array(0) : this.#bytes.subarray(start, this.#offset);
  }

  /** Where the next so many bytes begin; null where there are not as many. */
  #skip(length: number): number | null {
    const start = this.#offset;
    if (this.#failed || length > this.#bytes.byteLength - start) {
      this.#failed = true;
      return null;
    }
    this.#offset += length;
    return start;
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  uint32(): number {
    const start = this.#skip(4);
    return start === null ? 0 : this.#bytes.readUInt32BE(start);
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
    const start = this.#skip(this.uint32());
    return start === null ? "" : this.#bytes.toString("latin1", start, this.#offset);
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
  return sshStringsAfter(NO_BYTES, contents);
}

const NO_BYTES = new Uint8Array(0);

/** The same behind a beginning that is no `string`. */
export function sshStringsAfter(beginning: Uint8Array, contents: readonly Uint8Array[]): Uint8Array {
  let size = beginning.byteLength;
  for (const { byteLength } of contents) size += 4 + byteLength;
  const fields = Buffer.allocUnsafe(size);
  fields.set(beginning);
  let at = beginning.byteLength;
  for (const content of contents) {
    fields.writeUInt32BE(content.byteLength, at);
    fields.set(content, at + 4);
    at += 4 + content.byteLength;
  }
  return fields;
}
