/**
 * What a release rests on: the log entry of one decision, read from the leaf's own bytes and its salted commitments. The
 * gate reads it back from the log, an agent from `entry.json`, canonical JSON:
 *
 *   {"disclosed": {"digests": {salt, value}}, "index": n, "leaf": {...}}
 *
 * A leaf tells landed from proposed by itself: a landed decision's subject has `commit`, a proposed one's has `head`.
 */
import * as z from "zod";
import { decodeUtf8, encodeBase64, utf8 } from "../lib/bytes.ts";
import { canonicalBytes, canonicalJson, type JsonObject, type JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Disclosure, Leaf, LoggedEntry } from "../log/entry.ts";
import { matchesCommitment, readLeaf } from "../log/leaf.ts";
import { leafHash } from "../log/merkle.ts";

/** A decision as its entry proves it. */
export interface ProvenDecision {
  readonly index: number;
  readonly id: string;
  /** base64. */
  readonly leafHash: string;
  readonly target: string;
  readonly commit: string;
  readonly tree: string;
  /** Hex; see manifestsDigest(). */
  readonly manifests: string;
}

/** The part of a logged entry that is needed here. */
export interface DecisionEvidence {
  readonly index: number;
  /** Exact bytes of the leaf: the only thing that is in the tree. */
  readonly bytes: Uint8Array;
  readonly digests: Disclosure | null;
}

export function decisionEvidence({ index, bytes, disclosed }: LoggedEntry): DecisionEvidence {
  return { index, bytes, digests: disclosed["digests"] ?? null };
}

/**
 * Refuses everything but a gate's allow of a landed change.
 * @throws SluiceError `release-not-allowed`, `release-not-landed`, `release-entry-malformed`, `release-evidence-withheld`
 */
export function provenDecision({ index, bytes, digests }: DecisionEvidence): ProvenDecision {
  const reading = readLeaf(bytes);
  if (reading.kind === "malformed") throw malformed(reading.detail);
  const { leaf } = reading;
  if (leaf.kind !== "decision" || leaf.verdict !== "allow" || leaf.purpose !== "gate") throw notAllowed(index, leaf);
  const { commit, tree, head } = leaf.subject;
  if (!isText(commit) || head !== undefined) {
    throw new SluiceError("release-not-landed", `Entry ${index} allows a change that is proposed, not landed.`, {
      fix: "merge the change; the landed state is judged and released by itself",
    });
  }
  const manifests = manifestsOf(leaf, digests);
  if (leaf.target === null || !isText(tree) || manifests === null) {
    throw new SluiceError("release-evidence-withheld", `Entry ${index} does not prove which objects it allows.`);
  }
  const hash = encodeBase64(leafHash(bytes));
  return { index, id: leaf.id, leafHash: hash, target: leaf.target, commit, tree, manifests };
}

function notAllowed(index: number, { kind, purpose, verdict }: Leaf): SluiceError {
  const what = kind === "decision" ? `verdict ${verdict ?? "none"}, purpose ${purpose}` : `a ${kind}`;
  return new SluiceError(
    "release-not-allowed",
    `Entry ${index} is not a gate's allow (${what}); only that is released.`,
  );
}

function isText(value: string | null | undefined): value is string {
  return typeof value === "string";
}

/** `digests.manifests`, where the disclosed digests are what the leaf commits to. */
function manifestsOf(leaf: Leaf, digests: Disclosure | null): string | null {
  const commitment = Object.hasOwn(leaf.commitments, "digests") ? leaf.commitments["digests"] : undefined;
  if (digests === null || commitment === undefined || !matchesCommitment(digests, commitment)) return null;
  const { value } = digests;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const manifests = (value as JsonObject)["manifests"];
  return typeof manifests === "string" ? manifests : null;
}

/** `entry.json`: the leaf and only the disclosure that a release needs. @throws SluiceError `release-evidence-withheld` */
export function writeEntryFile(entry: LoggedEntry): Uint8Array {
  const digests = (entry.disclosed["digests"] ?? null) as unknown as JsonValue;
  if (digests === null)
    throw new SluiceError("release-evidence-withheld", `Entry ${entry.index} does not say any more what it allowed.`);
  return canonicalBytes({ index: entry.index, leaf: entry.leaf as unknown as JsonObject, disclosed: { digests } });
}

const entryFile = z.strictObject({
  index: z.int().min(0),
  leaf: z.record(z.string(), z.json()),
  disclosed: z.strictObject({
    digests: z.strictObject({ salt: z.string(), value: z.record(z.string(), z.string().nullable()) }),
  }),
});

/** Reads `entry.json` strictly: its bytes must be the canonical form of what they say. @throws SluiceError `release-entry-malformed` */
export function readEntryFile(bytes: Uint8Array): DecisionEvidence {
  const text = decodeUtf8(bytes);
  const parsed = entryFile.safeParse(parseJson(text));
  if (!parsed.success || canonicalJson(parsed.data as JsonObject) !== text) throw malformed("it is not canonical");
  const { index, leaf, disclosed } = parsed.data;
  return { index, bytes: utf8(canonicalJson(leaf as JsonObject)), digests: disclosed.digests };
}

/** undefined for text that is not JSON: no schema accepts it. */
function parseJson(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(detail: string): SluiceError {
  return new SluiceError("release-entry-malformed", `The entry behind the release cannot be used: ${detail}.`);
}
