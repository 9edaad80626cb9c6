/**
 * Remembers what a manifest file gave, by everything that it follows from: path, blob id, whether it is ignored, and the
 * version of this reading. A file that is remembered is not read again. Only files without a failure are; identity and
 * digest are computed anew. Why a blob id may stand for its bytes: docs/decisions/032-manifests-by-blob-id.md.
 */
import type { TreeFile } from "../git/object.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Memo } from "../lib/memo.ts";
import { VERSION } from "../lib/version.ts";
import { identify } from "./identity.ts";
import type { FileParts } from "./renderer.ts";
import type { Origin, Resource } from "./resource.ts";

/** Counts up with every change of what a file's bytes mean. */
const READING_VERSION = 2;

interface Remembered {
  readonly bytes: number;
  readonly resources: readonly RememberedResource[];
}

interface RememberedResource {
  readonly canonical: string;
  readonly line: number;
  readonly document: number;
  readonly at: string;
}

/** null when it is not remembered, or when any of it is no object with an identity: then the file is read anew. */
export function recallManifest(file: TreeFile, isIgnored: boolean, memo: Memo): FileParts | null {
  const text = memo.get(nameOf(file, isIgnored));
  if (text === null) return null;
  const { bytes, resources } = JSON.parse(text) as Remembered;
  const known = restore(file.path, resources);
  return known === null ? null : { bytes, parts: { resources: known, failures: [] } };
}

export function rememberManifest(file: TreeFile, isIgnored: boolean, { bytes, parts }: FileParts, memo: Memo): void {
  if (parts.failures.length > 0) return;
  const remembered: Remembered = { bytes, resources: parts.resources.map(rememberedResource) };
  memo.set(nameOf(file, isIgnored), JSON.stringify(remembered));
}

/** The id stands in front: it has no space, so that no path can make two names alike. */
function nameOf({ id, path }: TreeFile, isIgnored: boolean): string {
  return [VERSION, READING_VERSION, id, isIgnored, path].join(" ");
}

function rememberedResource({ canonical, origin: { line, document, at } }: Resource): RememberedResource {
  return { canonical, line, document, at };
}

function restore(file: string, parts: readonly RememberedResource[]): readonly Resource[] | null {
  const resources: Resource[] = [];
  for (const { canonical, line, document, at } of parts) {
    const object = JSON.parse(canonical) as JsonObject;
    const found = identify(object);
    if (found.kind === "refused") return null;
    const origin: Origin = { file, line, document, at, tool: "plain" };
    resources.push({ id: found.id, object, canonical, sha256: sha256Hex(canonical), origin });
  }
  return resources;
}
