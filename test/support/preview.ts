import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openPreviewRepository, type PreviewRepository } from "../../src/git/preview.ts";
import type { TestRepository } from "./repository.ts";
import { tempFolder } from "./temp.ts";

/** A preview of the repository at `path` that is closed when the test ends. */
export async function preview(t: TestContext, path: string): Promise<PreviewRepository> {
  const opened = await openPreviewRepository({ path, scratch: tempFolder(t) });
  t.after(() => opened.close());
  return opened;
}

/** The file of a loose object. */
export function loosePath(repo: TestRepository, id: string): string {
  return join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2));
}

/** Puts the file of one loose object in the place of another's, as somebody with the disk in hand would. */
export function swapObject(repo: TestRepository, victim: string, impostor: string): void {
  rmSync(loosePath(repo, victim));
  copyFileSync(loosePath(repo, impostor), loosePath(repo, victim));
}
