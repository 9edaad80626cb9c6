/** Small files of a repository that we do not trust: regular files only, no link on the way, bounded. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";
import { SluiceError } from "../lib/errors.ts";

/** NONBLOCK: a named pipe in the place of a file would otherwise keep us waiting for ever. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Bytes of `root/relative`; null when there is no such file (a folder in its place counts as none).
 * @throws SluiceError `refs-unreadable` for links, pipes, devices and files over `maxBytes`
 */
export function readPlainFile(root: string, relative: string, maxBytes: number): Buffer | null {
  if (!isPlainPath(root, relative)) return null;
  let descriptor: number;
  try {
    descriptor = openSync(join(root, relative), FLAGS);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw unreadable(relative, "cannot be opened", error);
  }
  try {
    return readBounded(descriptor, relative, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

function readBounded(descriptor: number, relative: string, maxBytes: number): Buffer | null {
  const status = fstatSync(descriptor);
  if (status.isDirectory()) return null;
  if (!status.isFile()) throw unreadable(relative, "is not a regular file");
  const buffer = Buffer.alloc(Math.min(status.size, maxBytes) + 1);
  let filled = 0;
  for (let read = -1; read !== 0 && filled < buffer.length; filled += read) {
    read = readSync(descriptor, buffer, filled, buffer.length - filled, null);
  }
  if (filled > status.size || filled > maxBytes) throw unreadable(relative, `is larger than ${maxBytes} bytes`);
  return buffer.subarray(0, filled);
}

/** True when every part of the way exists and none but the last may be anything but a folder. @throws `refs-unreadable` for links */
export function isPlainPath(root: string, relative: string): boolean {
  let path = root;
  for (const part of relative.split("/")) {
    path = join(path, part);
    const status = statusOf(path);
    if (status === null) return false;
    if (status.isSymbolicLink()) throw unreadable(relative, "is a symbolic link or lies behind one");
  }
  return true;
}

export function statusOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw unreadable(path, "cannot be looked at", error);
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG";
}

export function unreadable(what: string, why: string, cause?: unknown): SluiceError {
  const shown = what.slice(0, 200).replace(/[^\u0020-\u007e]/g, "?");
  return new SluiceError("refs-unreadable", `${shown} of the repository ${why}.`, { cause });
}
