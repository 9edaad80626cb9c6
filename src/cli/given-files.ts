/** Files that were named on the command line, rendered like a target's: nothing in them is passed over. */
import { relative, resolve } from "node:path";
import { type BlobId, blobId, type TreeFile } from "../git/object.ts";
import { hashObject } from "../git/parse.ts";
import { SluiceError } from "../lib/errors.ts";
import { renderTarget } from "../render/render.ts";
import type { Rendered } from "../render/resource.ts";
import { readRegularFile } from "./folder-files.ts";

export interface GivenFiles {
  readonly rendered: Rendered;
  /** Bytes of a file by the name that the rendering gives it. */
  readonly source: (file: string) => Promise<Uint8Array | null>;
}

/** @throws SluiceError `usage` for a file that is not there or not a regular one */
export async function renderGivenFiles(folder: string, named: readonly string[]): Promise<GivenFiles> {
  const contents = new Map(named.map((path) => [shownPath(folder, path), readFile(folder, path)]));
  const ids = new Map([...contents].map(([path, bytes]) => [path, blobId(hashObject("sha1", "blob", bytes))]));
  const blobs = new Map([...contents].map(([path, bytes]) => [ids.get(path), bytes]));
  const files = [...ids].map(([path, id]): TreeFile => ({ path, mode: "100644", id }));
  const read = async (wanted: readonly BlobId[]) => wanted.map((id) => blobs.get(id) ?? new Uint8Array());
  const rendered = await renderTarget({ files, read, path: ".", isIgnored: () => false });
  return { rendered, source: async (file) => contents.get(file) ?? null };
}

/** Below the folder as in a repository, elsewhere the whole path. */
function shownPath(folder: string, path: string): string {
  const whole = resolve(folder, path);
  const below = relative(folder, whole);
  return below.startsWith("..") || below === "" ? whole : below;
}

function readFile(folder: string, path: string): Uint8Array {
  const bytes = readRegularFile(resolve(folder, path));
  if (bytes !== null) return bytes;
  throw new SluiceError("usage", `${path} is not a file that can be read.`, {
    fix: "name files, for example clusters/prod/*.yaml",
  });
}
