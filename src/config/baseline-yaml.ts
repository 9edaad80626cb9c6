/**
 * `baseline.yaml`: a copy, for previews, of what an adoption found. It lies beside sluice.yaml and is read at the judge; a
 * gate reads its own log instead, so that this file excuses nothing there.
 */
import * as z from "zod";
import { readDocument } from "../lib/document.ts";
import { shortName } from "./parts.ts";

export const BASELINE_YAML = "baseline.yaml";
const MAXIMUM_FINDINGS = 20_000;

export const baselineSchema = z.strictObject({
  version: z.literal(1).describe("Form of this file."),
  targets: z
    .record(
      shortName,
      z
        .array(z.string().regex(/^[0-9a-f]{64}$/, "is the digest of a finding, as `sluice adopt` prints it"))
        .max(MAXIMUM_FINDINGS),
    )
    .describe("By name: the findings of its adoption, as `sluice adopt` prints them."),
});

export interface OldFinding {
  /** findingKey() of it. */
  readonly key: string;
  /** In words, for whoever reads the file. */
  readonly what: string;
}

/** @throws SluiceError `configuration-invalid` with line and column */
export function readBaselineYaml(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const { targets } = readDocument(text, BASELINE_YAML, baselineSchema, "configuration-invalid");
  return new Map(Object.entries(targets).map(([target, keys]) => [target, new Set(keys)]));
}

/** `what` goes into comments: it holds no line end, and nothing that is not printable. */
export function baselineYaml(target: string, findings: readonly OldFinding[]): string {
  const lines = findings.map(({ key, what }) => `    - ${key} # ${what}`);
  return ["version: 1", "targets:", `  ${target}:${lines.length === 0 ? " []" : ""}`, ...lines, ""].join("\n");
}
