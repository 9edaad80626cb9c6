/** The renderers that exist, and the sources that none of them reads yet. One file in renderers/ and one line here each. */
import type { TreeFile } from "../git/object.ts";
import type { Renderer } from "./renderer.ts";
import { plain } from "./renderers/plain.ts";

/** The first that recognises a source renders it; plain recognises every one. */
export const RENDERERS: readonly Renderer[] = [plain];

/** File names that tell a source of another tool; the extension of Terraform's files counts as a name. */
const OTHER_TOOLS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/, "Kustomize"],
  [/(?:^|\/)Chart\.ya?ml$/, "Helm"],
  [/\.tf(?:\.json)?$/, "Terraform"],
];

export interface OtherTool {
  readonly tool: string;
  readonly file: string;
}

export function otherTool(files: readonly TreeFile[]): OtherTool | null {
  for (const { path } of files) {
    const found = OTHER_TOOLS.find(([pattern]) => pattern.test(path));
    if (found !== undefined) return { tool: found[1], file: path };
  }
  return null;
}
