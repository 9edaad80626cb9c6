/**
 * The transparency log entry that gitsign embeds in a signature: attribute 1.3.6.1.4.1.57264.3.1, an OCTET STRING with
 * the protobuf message dev.sigstore.rekor.v1.TransparencyLogEntry, without the body, which follows from the signature:
 *
 *   1 log_index  2 log_id {1 key_id}  3 kind_version {1 kind, 2 version}  4 integrated_time
 *   5 inclusion_promise {1 signed_entry_timestamp}
 *   6 inclusion_proof {1 log_index, 2 root_hash, 3 tree_size, 4 hashes (repeated), 5 checkpoint {1 envelope}}
 *   7 canonicalized_body
 *
 * Protobuf, as far as it is needed: fields in any order, each once, varints and bytes, unknown fields refused.
 */
import { decodeUtf8 } from "../lib/bytes.ts";
import { DerError, orClause } from "./x509-der.ts";

export interface RekorEntry {
  readonly logIndex: number;
  readonly logId: Uint8Array;
  readonly kind: string;
  readonly version: string;
  /** Seconds since the epoch. */
  readonly integratedTime: number;
  /** The log's promise, a signature; empty where it gave none. */
  readonly signedEntryTimestamp: Uint8Array;
  readonly proof: RekorProof | null;
  /** Empty where it is to be computed. */
  readonly body: Uint8Array;
}

export interface RekorProof {
  readonly logIndex: number;
  readonly rootHash: Uint8Array;
  readonly treeSize: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
}

const MAXIMUM_FIELDS = 128;
/** A tree of 2^63 leaves has paths of 63. */
const MAXIMUM_HASHES = 64;
const VARINT = 0;
const BYTES = 2;

/** The entry, or a clause saying why it is none. */
export function readRekorEntry(bytes: Uint8Array): RekorEntry | string {
  return orClause(() => {
    const entry = new Message(bytes, [1, 2, 3, 4, 5, 6, 7]);
    const kind = new Message(entry.bytes(3), [1, 2]);
    const proof = entry.has(6) ? new Message(entry.bytes(6), [1, 2, 3, 4, 5], 4) : null;
    return {
      logIndex: entry.number(1),
      logId: new Message(entry.bytes(2), [1]).bytes(1),
      kind: kind.text(1),
      version: kind.text(2),
      integratedTime: entry.number(4),
      signedEntryTimestamp: entry.has(5) ? new Message(entry.bytes(5), [1]).bytes(1) : new Uint8Array(0),
      proof: proof === null ? null : readProof(proof),
      body: entry.bytes(7),
    };
  });
}

function readProof(proof: Message): RekorProof {
  const hashes = proof.all(4);
  if (hashes.length > MAXIMUM_HASHES) throw new DerError("has a proof that is too long");
  return {
    logIndex: proof.number(1),
    rootHash: proof.bytes(2),
    treeSize: proof.number(3),
    hashes,
    checkpoint: proof.has(5) ? new Message(proof.bytes(5), [1]).text(1) : "",
  };
}

class Message {
  readonly #fields = new Map<number, (number | Uint8Array)[]>();
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @throws DerError for a field that is not known, and for a second one of any but `repeated` */
  constructor(bytes: Uint8Array, known: readonly number[], repeated = 0) {
    this.#bytes = bytes;
    for (let count = 0; this.#at < bytes.byteLength; count++) {
      if (count >= MAXIMUM_FIELDS) throw new DerError("has too many fields");
      const key = this.#varint();
      const number = Math.floor(key / 8);
      if (!known.includes(number)) throw new DerError("has a field that is not known here");
      const earlier = this.#fields.get(number) ?? [];
      if (earlier.length > 0 && number !== repeated) throw new DerError("has a field twice");
      this.#fields.set(number, [...earlier, this.#value(key % 8)]);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  /** Zero where absent, as protobuf means it. */
  number(field: number): number {
    const [value = 0] = this.#fields.get(field) ?? [];
    if (typeof value !== "number") throw new DerError("has a field of another type");
    return value;
  }

  all(field: number): readonly Uint8Array[] {
    return (this.#fields.get(field) ?? []).map((value) => {
      if (typeof value === "number") throw new DerError("has a field of another type");
      return value;
    });
  }

  bytes(field: number): Uint8Array {
    return this.all(field)[0] ?? new Uint8Array(0);
  }

  text(field: number): string {
    const text = decodeUtf8(this.bytes(field));
    if (text === null) throw new DerError("has text that is not UTF-8");
    return text;
  }

  #value(type: number): number | Uint8Array {
    if (type === VARINT) return this.#varint();
    if (type !== BYTES) throw new DerError("has a field of another type");
    const length = this.#varint();
    if (length > this.#bytes.byteLength - this.#at) throw new DerError("ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Little end first, seven bits a byte; numbers here are safe integers and not negative. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || shift > 7) throw new DerError("has a malformed number");
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) break;
    }
    if (!Number.isSafeInteger(value)) throw new DerError("has a number out of range");
    return value;
  }
}
