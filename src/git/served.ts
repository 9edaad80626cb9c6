/**
 * A local repository handed to `git fetch` without git ever running in it: upload-pack works on a passing bare repository
 * of ours that has the source's references as a file and its objects as an alternate.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_REF_ENTRIES } from "./limits.ts";
import type { RefEntry } from "./repository.ts";
import { openSource, type SourceRepository } from "./source.ts";
import { FileRefs } from "./source-refs.ts";
import { writeStore } from "./store.ts";

const BRANCHES = "refs/heads/";

/** @throws SluiceError as openSource and SourceRefs.list */
export async function serveLocally<T>(path: string, use: (folder: string) => Promise<T>): Promise<T> {
  const source = openServable(path);
  const folder = mkdtempSync(join(tmpdir(), "sluice-served-"));
  try {
    writeStore(folder, { objectFormat: source.objectFormat, alternates: [source.objectsFolder], protocol: null });
    const lines = (await offered(source)).map((ref) => `${ref.id} ${ref.name}\n`);
    writeFileSync(join(folder, "packed-refs"), `# pack-refs with: sorted \n${lines.join("")}`, { mode: 0o600 });
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What serveLocally() would offer now. @throws SluiceError as it does */
export function listServed(path: string): Promise<readonly RefEntry[]> {
  return offered(openServable(path));
}

/** Branches, all of which must be readable; of the rest, where anybody may push anything, what can be read. */
async function offered(source: SourceRepository): Promise<readonly RefEntry[]> {
  const refs = new FileRefs({ ...source, mirrored: false });
  const branches = await refs.list(BRANCHES, MAX_REF_ENTRIES);
  const others = refs.listReadable("refs/", MAX_REF_ENTRIES).filter(({ name }) => !name.startsWith(BRANCHES));
  return [...branches, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The source without alternates of its own: what it does not hold itself, its owner may not be allowed to read. */
export function openServable(path: string): SourceRepository {
  return openSource(path, "refused");
}
