/** Files of a folder on disk as the judge would see them in git: regular ones only, links are passed over, bounded. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SluiceError } from "../lib/errors.ts";

const MAXIMUM_FILES = 5_000;
const MAXIMUM_BYTES = 64 * 1024 * 1024;
const MAXIMUM_DEPTH = 20;
/** NONBLOCK: a named pipe in the place of a file would otherwise keep us waiting for ever. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * By their path from the folder, sorted.
 * @throws SluiceError `configuration-missing` where the folder cannot be read, `usage` where it is too large
 */
export function readFolderFiles(
  folder: string,
  isWanted: (path: string) => boolean = () => true,
): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const path of listFiles(folder, "", 0)) {
    const content = isWanted(path) ? readRegularFile(join(folder, path)) : null;
    if (content === null) continue;
    found.set(path, content);
    bytes += content.byteLength;
    if (bytes > MAXIMUM_BYTES) throw tooLarge(folder);
  }
  return found;
}

/** Files of a folder of a work tree; none where it is absent or behind a link, since git holds no files there either. */
export function readTreeFolder(
  top: string,
  folder: string,
  isWanted?: (path: string) => boolean,
): ReadonlyMap<string, Uint8Array> {
  return isPlainFolder(top, folder) ? readFolderFiles(join(top, folder), isWanted) : new Map();
}

/** A file of a work tree, null as in readRegularFile() and behind a link. */
export function readTreeFile(top: string, path: string): Uint8Array | null {
  const parts = path.split("/");
  return isPlainFolder(top, parts.slice(0, -1).join("/")) ? readRegularFile(join(top, path)) : null;
}

function isPlainFolder(top: string, folder: string): boolean {
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  return parts.every((_, index) => {
    const status = lstatSync(join(top, ...parts.slice(0, index + 1)), { throwIfNoEntry: false });
    return status?.isDirectory() === true;
  });
}

/** null for what is absent, a link, a folder, a pipe or a device. @throws SluiceError `usage` over 64 MiB */
export function readRegularFile(path: string): Uint8Array | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, FLAGS);
  } catch {
    return null;
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) return null;
    if (status.size > MAXIMUM_BYTES) throw tooLarge(path);
    return new Uint8Array(readFileSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function listFiles(folder: string, below: string, depth: number): string[] {
  if (depth > MAXIMUM_DEPTH) throw tooLarge(folder);
  const paths: string[] = [];
  for (const entry of entriesOf(join(folder, below), folder)) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) paths.push(...listFiles(folder, path, depth + 1));
    else if (entry.isFile()) paths.push(path);
    if (paths.length > MAXIMUM_FILES) throw tooLarge(folder);
  }
  return paths.sort();
}

function entriesOf(path: string, folder: string) {
  try {
    return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.name !== ".git");
  } catch (cause) {
    throw new SluiceError("configuration-missing", `${folder} is not a folder that can be read.`, { cause });
  }
}

function tooLarge(path: string): SluiceError {
  return new SluiceError("usage", `${path} is larger than 5,000 files or 64 MiB.`, { fix: "name a smaller folder" });
}
