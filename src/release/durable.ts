/** Files that are there whole or not at all, also after a power cut, and never through a link. */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** What stands at a path, without following a link. */
export type Standing = "nothing" | "file" | "folder" | "link" | "other";

export async function standingAt(path: string): Promise<Standing> {
  const found = await lstat(path).catch(absentAsNull);
  if (found === null) return "nothing";
  if (found.isSymbolicLink()) return "link";
  return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
}

/** Opens for reading; a link is ELOOP, a pipe does not block; null when nothing is there. */
export function openNoFollow(path: string): Promise<FileHandle | null> {
  return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(absentAsNull);
}

/**
 * Replaces or creates a file: (1) write beside it, (2) sync, (3) rename, (4) sync the folder. The name of the file beside
 * it is fixed, and `~` is in no name that a channel or a release may have, so that what a crash left is removed by the next write; two writers of one file collide (EEXIST).
 */
export async function replaceFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const beside = join(dirname(path), `${basename(path)}.tmp~`);
  await rm(beside, { force: true });
  await createFile(beside, bytes, mode);
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/** Creates a file that must not exist, and syncs it; its folder is the caller's to sync. */
export async function createFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates one folder below an existing one, durably; an existing folder is kept. */
export async function createFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST" || (await standingAt(path)) !== "folder") throw thrown;
    return;
  }
  await syncFolder(dirname(path));
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absentAsNull(thrown: NodeJS.ErrnoException): null {
  if (thrown.code === "ENOENT" || thrown.code === "ENOTDIR") return null;
  throw thrown;
}
