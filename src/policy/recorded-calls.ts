/**
 * What built-in functions learn about the world, from the record alone: the instant is the one in the input, and chance
 * follows from the input too. Who replays a decision gives the same input, and so gets the same answers.
 */
import { createHash } from "node:crypto";
import type { CallContext } from "./builtins/call.ts";

/** Bytes of the input by its keys, as the module reads them. */
export type RecordedInput = Readonly<Record<string, Uint8Array>>;

const NS_PER_MS = 1_000_000n;

/** `shared` has the subject with the recorded time, `own` the document: chance differs from one document to another. */
export function recordedCalls(shared: RecordedInput, own: RecordedInput): CallContext {
  let instant: bigint | null | undefined;
  let seed: Uint8Array | undefined;
  return {
    get nowNs() {
      if (instant === undefined) instant = instantIn(shared["subject"]);
      return instant;
    },
    draw(name, bound) {
      seed ??= seedOf(shared["subject"], own["resource"]);
      const drawn = createHash("sha256").update(seed).update(name).digest("hex");
      return Number(BigInt(`0x${drawn}`) % BigInt(bound));
    },
  };
}

function instantIn(subject: Uint8Array | undefined): bigint | null {
  if (subject === undefined) return null;
  const { time } = JSON.parse(Buffer.from(subject).toString("utf8")) as { time?: unknown };
  const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? null : BigInt(at) * NS_PER_MS;
}

/** Each part by its own hash, so that no two inputs share a seed by running into each other. */
function seedOf(...parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  const seed = createHash("sha256");
  // Copied: what the bytes lie in may be shared with other threads.
  for (const part of parts)
    seed.update(
      createHash("sha256")
        .update(Buffer.from(part ?? []))
        .digest(),
    );
  return seed.digest();
}
