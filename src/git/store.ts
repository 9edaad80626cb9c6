/**
 * A bare repository of our own, written file by file (no `git init`: no template, no hooks, one process less).
 * Its configuration is the only one git ever sees, and every line in it closes a door.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import type { ObjectFormat } from "./object.ts";
import type { OwnStore } from "./process.ts";

const MARKER = "sluice-store";
const MARKER_TEXT = "This bare repository belongs to Sluice, which rewrites its configuration.\n";

export type Protocol = "https" | "http" | "ssh" | "file";

/** HEAD of our repositories names a branch that never exists: some git versions read attributes from HEAD. */
const UNBORN_HEAD = "ref: refs/heads/none\n";

/**
 * `commitGraph` and `multiPackIndex` are off because such files in a judged object store may lie about parents and places;
 * rev-list and merge-tree would believe them.
 */
function configText(format: ObjectFormat, protocol: Protocol | null): string {
  const lines = [
    "[core]",
    `\trepositoryformatversion = ${format === "sha256" ? 1 : 0}`,
    "\tbare = true",
    "\thooksPath = /dev/null",
    "\tattributesFile = /dev/null",
    "\texcludesFile = /dev/null",
    "\tuseReplaceRefs = false",
    "\tcommitGraph = false",
    "\tmultiPackIndex = false",
    "\tfsmonitor = false",
    "\taskPass = /bin/false",
    "\teditor = /bin/false",
    "\tpager = cat",
    "\talternateRefsCommand = true",
    ...(format === "sha256" ? ["[extensions]", "\tobjectformat = sha256"] : []),
    "[pack]\n\tuseBitmaps = false",
    "[transfer]\n\tfsckObjects = true\n\tbundleURI = false\n\tcredentialsInUrl = die",
    "[fetch]\n\tfsckObjects = true\n\trecurseSubmodules = false\n\twriteCommitGraph = false\n\tshowForcedUpdates = false",
    "[submodule]\n\trecurse = false",
    "[gc]\n\tauto = 0",
    "[maintenance]\n\tauto = false",
    "[http]\n\tfollowRedirects = false",
    "[credential]\n\thelper =",
    "[protocol]\n\tversion = 2\n\tallow = never",
    ...(protocol === null ? [] : [`[protocol "${protocol}"]\n\tallow = always`]),
  ];
  return `${lines.join("\n")}\n`;
}

export interface StoreOptions {
  readonly objectFormat: ObjectFormat;
  /** Object folders to read through, absolute; empty for a store that stands alone. */
  readonly alternates: readonly string[];
  readonly protocol: Protocol | null;
}

/** Writes a complete bare repository into `folder`, which must not exist yet or be empty. */
export function writeStore(folder: string, options: StoreOptions): OwnStore {
  for (const part of ["objects/info", "objects/pack", "refs/heads", "info"]) {
    mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
  }
  writeFileSync(join(folder, "config"), configText(options.objectFormat, options.protocol), { mode: 0o600 });
  writeFileSync(join(folder, MARKER), MARKER_TEXT, { mode: 0o600 });
  if (options.alternates.length > 0) {
    writeFileSync(join(folder, "objects/info/alternates"), `${options.alternates.join("\n")}\n`, { mode: 0o600 });
  }
  writeFileSync(join(folder, "HEAD"), UNBORN_HEAD, { mode: 0o600 });
  return { folder, objectFormat: options.objectFormat };
}

/**
 * Opens the persistent store at `folder`, creating it first when nothing is there. It is built beside and renamed into
 * place, and a rename onto a filled folder fails: two processes cannot both create it, and nobody sees half of one.
 * @throws SluiceError `store-foreign`
 */
export function openPersistentStore(folder: string, options: StoreOptions): OwnStore {
  if (isMissing(folder)) {
    const building = `${folder}.${randomBytes(8).toString("hex")}`;
    writeStore(building, options);
    try {
      renameSync(building, folder);
    } catch (error) {
      rmSync(building, { recursive: true, force: true });
      if (!isTaken(error)) throw error;
    }
  }
  requireOwn(folder);
  reassertConfig(folder, options);
  return { folder, objectFormat: options.objectFormat };
}

/** The configuration is ours alone: whatever it became since (an older Sluice, a stranger), it is written again. */
function reassertConfig(folder: string, options: StoreOptions): void {
  const wanted = configText(options.objectFormat, options.protocol);
  const path = join(folder, "config");
  if (readOrNull(path) === wanted) return;
  const next = `${path}.${randomBytes(8).toString("hex")}`;
  writeFileSync(next, wanted, { mode: 0o600 });
  renameSync(next, path);
}

function requireOwn(folder: string): void {
  const alternates = readOrNull(join(folder, "objects/info/alternates"));
  const grafts = readOrNull(join(folder, "info/grafts"));
  const attributes = readOrNull(join(folder, "info/attributes"));
  const own = readOrNull(join(folder, MARKER)) === MARKER_TEXT;
  if (own && alternates === null && grafts === null && attributes === null) return;
  throw new SluiceError("store-foreign", `${folder} is not a store that Sluice made, or someone changed it.`);
}

function isMissing(folder: string): boolean {
  return readOrNull(join(folder, "HEAD")) === null && readOrNull(join(folder, MARKER)) === null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function isTaken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR";
}
