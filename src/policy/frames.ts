/**
 * The toolchain's message form: uint32 big-endian length, then that many bytes of UTF-8 JSON, one object per frame.
 * Read strictly: the other side compiles hostile policies, so a frame that is not exactly this ends the process.
 */
import { concatBytes, decodeUtf8, utf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";

export const MAXIMUM_FRAME_BYTES = 64 * 1024 * 1024;
const HEADER_BYTES = 4;

/** @throws SluiceError `toolchain-failed` when the message is larger than a frame may be. */
export function encodeFrame(message: JsonObject): Uint8Array {
  const body = utf8(JSON.stringify(message));
  if (body.byteLength > MAXIMUM_FRAME_BYTES) throw malformed("a request is larger than 64 MiB");
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, body.byteLength);
  return concatBytes(header, body);
}

/** Collects chunks of any size and gives back whole frames, in order. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #available = 0;
  /** Length of the frame being read, null while its header is incomplete. */
  #expected: number | null = null;

  /** @throws SluiceError `toolchain-failed` for a length out of bounds, invalid UTF-8, or anything but a JSON object. */
  push(chunk: Uint8Array): JsonObject[] {
    this.#chunks.push(chunk);
    this.#available += chunk.byteLength;
    const frames: JsonObject[] = [];
    for (;;) {
      if (this.#expected === null) {
        if (this.#available < HEADER_BYTES) return frames;
        this.#expected = readLength(this.#take(HEADER_BYTES));
      }
      if (this.#available < this.#expected) return frames;
      frames.push(decodeBody(this.#take(this.#expected)));
      this.#expected = null;
    }
  }

  #take(length: number): Uint8Array {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : concatBytes(...this.#chunks);
    this.#chunks = all.byteLength === length ? [] : [all.subarray(length)];
    this.#available -= length;
    return all.subarray(0, length);
  }
}

function readLength(header: Uint8Array): number {
  const length = new DataView(header.buffer, header.byteOffset, HEADER_BYTES).getUint32(0);
  if (length === 0 || length > MAXIMUM_FRAME_BYTES) throw malformed(`a frame of ${length} bytes`);
  return length;
}

function decodeBody(bytes: Uint8Array): JsonObject {
  const text = decodeUtf8(bytes);
  if (text === null) throw malformed("a frame that is not UTF-8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("a frame that is not JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("a frame that is not an object");
  return value as JsonObject;
}

export function malformed(what: string, cause?: unknown): SluiceError {
  return new SluiceError("toolchain-failed", `The policy compiler broke its protocol: ${what}.`, { cause });
}
