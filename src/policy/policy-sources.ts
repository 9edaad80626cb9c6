/**
 * What a digest of policies is of, as one file that proves it by itself: canonical JSON
 *
 *   {"compiler": "opa 1.22.0", "host": 6, "policies": [["policies/a.rego", "package a ..."], ...]}
 *
 * sorted by path. The digest is the SHA-256 of the same with the SHA-256 of each text, in hex, in the text's place.
 */
import * as z from "zod";
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { PolicyFile } from "./policy-set.ts";

export interface PolicySources {
  readonly compiler: string;
  /** Version of Sluice's own part. */
  readonly host: number;
  readonly policies: readonly PolicyFile[];
}

/** Hex. */
export function sourceDigest({ compiler, host, policies }: PolicySources): string {
  const listed = policies.map(({ path, text }) => [path, sha256Hex(text)]);
  return sha256Hex(canonicalJson({ policies: listed, compiler, host }));
}

export function sourcesText({ compiler, host, policies }: PolicySources): string {
  return canonicalJson({ compiler, host, policies: policies.map(({ path, text }) => [path, text]) });
}

const sourcesSchema = z.strictObject({
  compiler: z.string(),
  host: z.int(),
  policies: z.array(z.tuple([z.string(), z.string()])),
});

/** The digest that a text of sources has; null for a text that is none. */
export function digestOfText(text: string): string | null {
  try {
    const read = sourcesSchema.parse(JSON.parse(text));
    if (canonicalJson(read as unknown as JsonObject) !== text) return null;
    return sourceDigest({ ...read, policies: read.policies.map(([path, content]) => ({ path, text: content })) });
  } catch {
    return null;
  }
}
