/** Digests of what policies see: the `input` digest of a decision, and the names under which answers are remembered. */
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { PolicyInput } from "./input.ts";

/**
 * SHA-256 (hex) of each document's resource: over its canonical JSON with the digests of `object` and `previous` in their
 * places, because documents and both sides of an unchanged object share values. `pod` says nothing that the object does
 * not. `known` holds objects whose digest somebody has already.
 */
export function resourceDigests(
  documents: readonly PolicyInput[],
  known: Iterable<readonly [unknown, string]> = [],
): readonly string[] {
  const digestOf = sharing(known);
  return documents.map(({ resource }) => {
    if (resource === null) return digestOf(null);
    const { object, previous, ...rest } = resource;
    const parts = { ...rest, object: digestOf(object), previous: digestOf(previous) };
    return sha256Hex(canonicalJson(parts as unknown as JsonValue));
  });
}

/** SHA-256 (hex) over the canonical list of one digest a document: of what documents share, and of its resource. */
export function inputDigest(documents: readonly PolicyInput[], resources = resourceDigests(documents)): string {
  const contextOf = sharingContext();
  const digests = documents.map((document, at) =>
    sha256Hex(canonicalJson([...contextOf(document), ["resource", resources[at] ?? ""]])),
  );
  return sha256Hex(canonicalJson(digests));
}

type Part = readonly [name: string, digest: string];

/** Name and digest of each part of a document beside its resource: found once for neighbours that share all of them. */
function sharingContext(): (document: PolicyInput) => readonly Part[] {
  const digestOf = sharing();
  let last: PolicyInput | null = null;
  let parts: readonly Part[] = [];
  return (document) => {
    if (last === null || !hasSameContext(last, document)) {
      const { resource: _digested, pod: _derived, ...context } = document;
      const found = Object.entries(context).map(([name, value]): Part => [name, digestOf(value)]);
      parts = found.sort(([a], [b]) => (a < b ? -1 : 1));
    }
    last = document;
    return parts;
  };
}

function hasSameContext(one: PolicyInput, other: PolicyInput): boolean {
  const names = Object.keys(other) as (keyof PolicyInput)[];
  return names.every((name) => name === "resource" || name === "pod" || one[name] === other[name]);
}

/** One value, one digest: what several documents share is written out once. */
function sharing(given: Iterable<readonly [unknown, string]> = []): (value: unknown) => string {
  const known = new Map(given);
  return (value) => {
    const digest = known.get(value) ?? sha256Hex(canonicalJson(value as JsonValue));
    known.set(value, digest);
    return digest;
  };
}
