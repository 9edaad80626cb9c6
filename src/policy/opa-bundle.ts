/**
 * Bundles of `opa build`: Rego and data in their folders (https://www.openpolicyagent.org/docs/management-bundles). Rego is
 * compiled here like that of any folder. A module is refused, because the rules that it answers are then taken out of the
 * Rego beside it (v1/compile, pruneBundleEntrypoints): what is left would be a set that lacks them without a word.
 */
import type { ExactObject } from "../lib/exact-json.ts";
import { invalid } from "./bundle-archive.ts";
import { policyFile } from "./data-files.ts";
import type { PolicyFile } from "./policy-set.ts";

const MEANINGLESS: ReadonlySet<string> = new Set([".manifest", ".signatures.json"]);

/** @param texts all files of the bundle by their paths in it. @throws SluiceError `bundle-invalid` */
export function opaPolicies(texts: ReadonlyMap<string, string>, manifest: ExactObject): readonly PolicyFile[] {
  if (texts.has("policy.wasm") || Object.hasOwn(manifest, "wasm"))
    throw invalid("its rules are a module of another builder; build it from Rego, without -t wasm");
  const policies = [...texts]
    .filter(([path]) => !MEANINGLESS.has(path))
    .map(([path, text]) => policyFile("", path, text));
  if (!policies.some(({ path }) => path.endsWith(".rego"))) throw invalid("it holds no Rego");
  return policies;
}
