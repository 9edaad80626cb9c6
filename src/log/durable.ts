/**
 * Files that are there whole or not at all, also after a power cut, and never through a link. The functions that end
 * in Sync are for the log's writer, which keeps its thread from the commit to the published checkpoint; everybody else
 * waits without blocking.
 */
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { SluiceError } from "../lib/errors.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

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

/** Replaces or creates a file: (1) write beside it, (2) sync, (3) rename, (4) sync the folder. Throws what the system says. */
export async function replaceFile(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const beside = besideOf(path);
  await rm(beside, { force: true });
  await createFile(beside, content, mode);
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/**
 * The folder of a log or a gate, for its owner alone. Level by level: Node's own recursive way never ends where a level
 * cannot be made, as under /proc. @throws SluiceError `log-failed`
 */
export function makeFolderSync(folder: string): void {
  if (existsSync(folder)) return;
  makeFolderSync(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    throw new SluiceError("log-failed", `The folder ${folder} cannot be made: ${code}.`, {
      fix: "name a folder on a local disk that is yours to write to, in `log.store` of gate.yaml",
      cause,
    });
  }
}

/** The same four steps on the caller's thread. */
export function replaceFileSync(path: string, content: Uint8Array | string, mode: number): void {
  const beside = besideOf(path);
  rmSync(beside, { force: true });
  const file = openSync(beside, NEW_FILE, mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  syncFolderSync(dirname(path));
}

/**
 * A fixed name, so that what a crash left is removed by the next write; `~` is in no name that a channel or a release may
 * have. Two writers of one file collide (EEXIST).
 */
function besideOf(path: string): string {
  return `${path}.tmp~`;
}

/** Creates a file that must not exist, and syncs it; its folder is the caller's to sync. */
export async function createFile(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const handle = await open(path, NEW_FILE, mode);
  try {
    await handle.writeFile(content);
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

export function syncFolderSync(path: string): void {
  const folder = openSync(path, O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function absentAsNull(thrown: NodeJS.ErrnoException): null {
  if (thrown.code === "ENOENT" || thrown.code === "ENOTDIR") return null;
  throw thrown;
}
