/**
 * Remembers what a manifest file gave, by everything that it follows from: path, blob id, whether it is ignored, and the
 * version of this reading. A file that is remembered is not read again. Only files without a failure are; identity and
 * digest are computed anew. Why a blob id may stand for its bytes: docs/decisions/032-manifests-by-blob-id.md.
 *
 *   text = JSON of Remembered ‖ line feed ‖ the canonical texts of its resources, one after the other
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
const READING_VERSION = 3;

interface Remembered {
  readonly bytes: number;
  readonly resources: readonly RememberedResource[];
}

interface RememberedResource {
  /** UTF-16 units of its canonical text. */
  readonly length: number;
  readonly line: number;
  readonly document: number;
  readonly at: string;
}

/** null when it is not remembered, or when any of it is no object with an identity: then the file is read anew. */
export function recallManifest(file: TreeFile, isIgnored: boolean, memo: Memo): FileParts | null {
  const text = memo.get(nameOf(file, isIgnored));
  if (text === null) return null;
  const end = text.indexOf("\n");
  const { bytes, resources } = JSON.parse(text.slice(0, end)) as Remembered;
  const known = restore(file.path, resources, text.slice(end + 1));
  return known === null ? null : { bytes, parts: { resources: known, failures: [] } };
}

export function rememberManifest(file: TreeFile, isIgnored: boolean, { bytes, parts }: FileParts, memo: Memo): void {
  if (parts.failures.length > 0) return;
  const remembered: Remembered = { bytes, resources: parts.resources.map(rememberedResource) };
  const canonical = parts.resources.map((resource) => resource.canonical);
  memo.set(nameOf(file, isIgnored), [`${JSON.stringify(remembered)}\n`, ...canonical].join(""));
}

/** The id stands in front: it has no space, so that no path can make two names alike. */
function nameOf({ id, path }: TreeFile, isIgnored: boolean): string {
  return [VERSION, READING_VERSION, id, isIgnored, path].join(" ");
}

function rememberedResource({ canonical, origin: { line, document, at } }: Resource): RememberedResource {
  return { length: canonical.length, line, document, at };
}

function restore(file: string, parts: readonly RememberedResource[], texts: string): readonly Resource[] | null {
  const resources: Resource[] = [];
  let start = 0;
  for (const { length, line, document, at } of parts) {
    const canonical = texts.slice(start, start + length);
    start += length;
    const object = JSON.parse(canonical) as JsonObject;
    const found = identify(object);
    if (found.kind === "refused") return null;
    const origin: Origin = { file, line, document, at, tool: "plain" };
    resources.push({ id: found.id, object, canonical, sha256: sha256Hex(canonical), origin });
  }
  return resources;
}
