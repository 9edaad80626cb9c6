/**
 * Remembers what a manifest file gave, by everything that it follows from: path, content, whether it is ignored, and the
 * version of this reading. Only files without a failure are remembered; identity and digest are computed again.
 */

import { encodeHex, utf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { sha256, sha256Hex } from "../lib/digest.ts";
import type { Memo } from "../lib/memo.ts";
import { VERSION } from "../lib/version.ts";
import { identify } from "./identity.ts";
import { readManifest } from "./manifest.ts";
import type { RenderedParts } from "./renderer.ts";
import type { Origin, Resource } from "./resource.ts";

/** Counts up with every change of what a file's bytes mean. */
const READING_VERSION = 1;

interface Remembered {
  readonly canonical: string;
  readonly line: number;
  readonly document: number;
  readonly at: string;
}

export function recallManifest(path: string, bytes: Uint8Array, isIgnored: boolean, memo: Memo): RenderedParts {
  const context = utf8(`${VERSION}\n${READING_VERSION}\n${isIgnored}\n${JSON.stringify(path)}\n`);
  const name = encodeHex(sha256(context, bytes));
  const text = memo.get(name);
  const known = text === null ? null : restore(path, JSON.parse(text) as readonly Remembered[]);
  if (known !== null) return { resources: known, failures: [] };
  const parts = readManifest(path, bytes, isIgnored);
  if (parts.failures.length === 0) memo.set(name, JSON.stringify(parts.resources.map(remembered)));
  return parts;
}

function remembered({ canonical, origin: { line, document, at } }: Resource): Remembered {
  return { canonical, line, document, at };
}

/** null when any of it is no object with an identity: then the file is read anew. */
function restore(file: string, parts: readonly Remembered[]): readonly Resource[] | null {
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
