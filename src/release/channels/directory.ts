/** A channel that is a folder: on this machine, on a mounted volume, or served by any web server. */
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { equalBytes } from "../../lib/bytes.ts";
import { SluiceError } from "../../lib/errors.ts";
import { createFolder, openNoFollow, replaceFile, standingAt } from "../../log/durable.ts";
import type { Channel } from "../release.ts";

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const MAXIMUM_FILE_BYTES = 16 * 1024 * 1024;
const MAXIMUM_DEPTH = 8;
/** A segment has a letter, digit, `%`, `_` or `-` first, or is an object's file name that begins with a dot of its group. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._%-]{1,200}$/;
/** The only files that say "now"; every other one is written once. */
const REPLACED_FILES: readonly string[] = ["head.json", "checkpoint"];

/** The folder is made where it is missing. @throws the file system's error where it cannot be */
export async function openDirectoryChannel(folder: string): Promise<Channel> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const root = await realpath(folder);
  return {
    name: `directory:${folder}`,
    read: (path) => readBelow(root, segments(path)),
    write: (path, bytes) => writeBelow(root, segments(path), bytes),
  };
}

/** @throws SluiceError `channel-path` */
function segments(path: string): readonly string[] {
  const parts = path.split("/");
  if (parts.length <= MAXIMUM_DEPTH && parts.every((part) => SEGMENT.test(part))) return parts;
  throw new SluiceError("channel-path", `${JSON.stringify(path.slice(0, 200))} is not a path of a channel.`);
}

/** @throws SluiceError `channel-link`, `channel-file-too-large` */
async function readBelow(root: string, parts: readonly string[]): Promise<Uint8Array | null> {
  const path = parts.join("/");
  if (!(await isFolder(root, parts.slice(0, -1)))) return null;
  const handle = await openNoFollow(join(root, path)).catch((thrown: NodeJS.ErrnoException) => {
    throw thrown.code === "ELOOP" ? link(path) : thrown;
  });
  if (handle === null) return null;
  try {
    const { size, nlink } = await handle.stat();
    if (!(await handle.stat()).isFile() || nlink !== 1) throw link(path);
    if (size > MAXIMUM_FILE_BYTES) throw new SluiceError("channel-file-too-large", `${path} is larger than 16 MiB.`);
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}

async function isFolder(root: string, parts: readonly string[]): Promise<boolean> {
  for (let depth = 1; depth <= parts.length; depth++) {
    const path = parts.slice(0, depth).join("/");
    const standing = await standingAt(join(root, path));
    if (standing === "nothing") return false;
    if (standing !== "folder") throw link(path);
  }
  return true;
}

/** @throws SluiceError `channel-conflict`, `channel-link` */
async function writeBelow(root: string, parts: readonly string[], bytes: Uint8Array): Promise<void> {
  const path = parts.join("/");
  const present = await readBelow(root, parts);
  if (present !== null && equalBytes(present, bytes)) return;
  if (present !== null && !REPLACED_FILES.includes(path)) {
    throw new SluiceError("channel-conflict", `${path} is in the channel already, with other content.`);
  }
  for (let depth = 1; depth < parts.length; depth++)
    await createFolder(join(root, ...parts.slice(0, depth)), FOLDER_MODE);
  await replaceFile(join(root, path), bytes, FILE_MODE);
}

function link(path: string): SluiceError {
  return new SluiceError("channel-link", `${path} is a link or not a regular file.`);
}
