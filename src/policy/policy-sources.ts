/**
 * What a digest of policies is of, as one file that proves it by itself: canonical JSON
 *
 *   {"compiler": "opa 1.22.0", "host": 6, "policies": [["policies/a.rego", "package a ..."], ...]}
 *
 * sorted by path; a data file has a third part, its folder below that of the policies ("shop/images"), which is where its
 * document stands. The digest is the SHA-256 of the same with the SHA-256 of each text, in hex, in the text's place.
 */
import * as z from "zod";
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { DATA_FILE, placeOfData } from "./data-files.ts";
import type { PolicyFile } from "./policy-set.ts";

export interface PolicySources {
  readonly compiler: string;
  /** Version of Sluice's own part. */
  readonly host: number;
  readonly policies: readonly PolicyFile[];
}

/** Hex. */
export function sourceDigest({ compiler, host, policies }: PolicySources): string {
  const listed = policies.map((file) => [file.path, sha256Hex(file.text), ...placed(file)]);
  return sha256Hex(canonicalJson({ policies: listed, compiler, host }));
}

export function sourcesText({ compiler, host, policies }: PolicySources): string {
  return canonicalJson({ compiler, host, policies: policies.map((file) => [file.path, file.text, ...placed(file)]) });
}

function placed(file: PolicyFile): readonly string[] {
  return DATA_FILE.test(file.path) ? [placeOfData(file).join("/")] : [];
}

const sourcesSchema = z.strictObject({
  compiler: z.string(),
  host: z.int(),
  policies: z.array(z.tuple([z.string(), z.string()]).or(z.tuple([z.string(), z.string(), z.string()]))),
});

/** The digest that a text of sources has; null for a text that is none. */
export function digestOfText(text: string): string | null {
  try {
    const read = sourcesSchema.parse(JSON.parse(text));
    const sources = { ...read, policies: read.policies.map(fileOf) };
    return sourcesText(sources) === text ? sourceDigest(sources) : null;
  } catch {
    return null;
  }
}

/** The files of a text that digestOfText() has taken. */
export function filesOfText(text: string): readonly PolicyFile[] {
  return sourcesSchema.parse(JSON.parse(text)).policies.map(fileOf);
}

function fileOf([path, text, at]: readonly [string, string, string?]): PolicyFile {
  return at === undefined ? { path, text } : { path, text, at };
}
