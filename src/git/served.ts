/**
 * A local repository handed to `git fetch` without git ever running in it: upload-pack works on a passing bare repository
 * of ours that has the source's references as a file and its objects as an alternate.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_REF_ENTRIES } from "./limits.ts";
import { openSource, type SourceRepository } from "./source.ts";
import { FileRefs } from "./source-refs.ts";
import { writeStore } from "./store.ts";

/** @throws SluiceError as openSource and SourceRefs.list */
export async function serveLocally<T>(path: string, use: (folder: string) => Promise<T>): Promise<T> {
  const source = openServable(path);
  const folder = mkdtempSync(join(tmpdir(), "sluice-served-"));
  try {
    writeStore(folder, { objectFormat: source.objectFormat, alternates: [source.objectsFolder], protocol: null });
    const refs = await new FileRefs({ ...source, mirrored: false }).list("refs/", MAX_REF_ENTRIES);
    const lines = refs.map((ref) => `${ref.id} ${ref.name}\n`);
    writeFileSync(join(folder, "packed-refs"), `# pack-refs with: sorted \n${lines.join("")}`, { mode: 0o600 });
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The source without alternates of its own: what it does not hold itself, its owner may not be allowed to read. */
export function openServable(path: string): SourceRepository {
  return openSource(path, "refused");
}
