/** What a set of objects is, as one digest: the same for the decision that judged it, the release, and the agent. */
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Resource } from "../render/resource.ts";
import { objectFile } from "./object-file.ts";
import type { ReleaseObject } from "./release.ts";

/** The objects as a release lists them, sorted by file name (code units; the names are ASCII). */
export function releaseObjects(resources: readonly Pick<Resource, "id" | "sha256">[]): readonly ReleaseObject[] {
  return resources.map(({ id, sha256 }) => ({ file: objectFile(id), sha256 })).sort(byFile);
}

/** SHA-256 (hex) of the canonical `[[file, sha256], ...]`: `Decision.digests.manifests`. A file name stands for one identity. */
export function manifestsDigest(objects: readonly ReleaseObject[]): string {
  return sha256Hex(canonicalJson([...objects].sort(byFile).map(({ file, sha256 }) => [file, sha256])));
}

function byFile(a: ReleaseObject, b: ReleaseObject): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : 0;
}
