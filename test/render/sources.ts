/** Trees and objects for tests of rendering, without git. */
import { blobId, type FileMode, type TreeFile } from "../../src/git/object.ts";
import { utf8 } from "../../src/lib/bytes.ts";
import type { JsonObject } from "../../src/lib/canonical.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { type RenderRequest, renderTarget } from "../../src/render/render.ts";
import type { Rendered } from "../../src/render/resource.ts";

export interface TestFile {
  readonly mode?: FileMode;
  /** null is a blob that git refuses as too large. */
  readonly content: string | Uint8Array | null;
}

/** A tree in memory that answers as a git repository does. */
export function request(files: Readonly<Record<string, string | TestFile>>, path = "app"): RenderRequest {
  const blobs = new Map<string, Uint8Array | null>();
  const listing: TreeFile[] = Object.entries(files).map(([name, entry]) => {
    const { content, mode = "100644" } = typeof entry === "string" ? { content: entry } : (entry as TestFile);
    const id = blobId(sha256Hex(`${name}${sha256Hex(content ?? "")}`));
    blobs.set(id, typeof content === "string" ? utf8(content) : content);
    return { path: name, mode, id };
  });
  const read = async (ids: readonly string[]) =>
    ids.map((id) => {
      const blob = blobs.get(id);
      if (blob == null) throw new SluiceError("object-too-large", "a blob is larger than 32 MiB");
      return blob;
    });
  return { files: listing, read, path, isIgnored: () => false };
}

export function render(files: Readonly<Record<string, string | TestFile>>, path?: string): Promise<Rendered> {
  return renderTarget(request(files, path));
}

export function configMap(name: string, extra = ""): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${extra}`;
}

export function workload(apiVersion: string, kind: string, rest: JsonObject): JsonObject {
  return { apiVersion, kind, metadata: { name: "web", namespace: "apps" }, ...rest };
}
