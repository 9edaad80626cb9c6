/** A local repository as it is on disk, read through a bare repository of our own: no git ever runs in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { openReader } from "./objects.ts";
import { OwnRepository } from "./own-repository.ts";
import type { GitRepository } from "./repository.ts";
import { openSource } from "./source.ts";
import { FileRefs, type SourceRefs } from "./source-refs.ts";
import { writeStore } from "./store.ts";

export interface PreviewOptions {
  /** Top of a work tree, or a bare repository; `findRepository` finds it from a folder inside. */
  readonly path: string;
  /** Folder in which our own store is made and removed again; the system's temporary folder when absent. */
  readonly scratch?: string;
}

export type PreviewRepository = GitRepository & {
  readonly source: SourceRefs;
  /** Process id of the running cat-file; null when none runs. */
  readonly readerPid: number | null;
};

/**
 * Objects are read in place through an alternates file of ours; merges are written to our store only.
 * @throws SluiceError `not-a-repository`, `shallow-clone`, `not-supported`, `alternates-refused`, `refs-unreadable`,
 *   `git-missing`, `git-too-old`, `usage` where nothing temporary can be written
 */
export async function openPreviewRepository(options: PreviewOptions): Promise<PreviewRepository> {
  const source = openSource(options.path, "bounded");
  const folder = scratchFolder(options.scratch ?? tmpdir());
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const alternates = [source.objectsFolder];
    const store = writeStore(folder, { objectFormat: source.objectFormat, alternates, protocol: null });
    const reader = await openReader(store);
    const refs = new FileRefs({ ...source, mirrored: false });
    return new OwnRepository({ store, source: refs, afterClose: remove, ...reader });
  } catch (error) {
    remove();
    throw error;
  }
}

/** @throws SluiceError `usage`: a wrong TMPDIR is no fault of the repository */
function scratchFolder(parent: string): string {
  try {
    return mkdtempSync(join(parent, "sluice-git-"));
  } catch (cause) {
    throw new SluiceError("usage", `Nothing can be written to ${parent}, the folder for temporary files.`, {
      fix: "set TMPDIR to a folder that is there and can be written to, or unset it",
      cause,
    });
  }
}
