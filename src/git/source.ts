/** Finds the parts of a repository on disk, without git: gitrepository-layout, `.git` files and linked worktrees. */
import { readdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import {
  MAX_ALTERNATES,
  MAX_ALTERNATES_DEPTH,
  MAX_CONFIG_BYTES,
  MAX_PACKED_REFS_BYTES,
  MAX_REF_FILE_BYTES,
} from "./limits.ts";
import type { ObjectFormat } from "./object.ts";
import { readPlainFile, statusOf } from "./plain-file.ts";
import { originName, readObjectFormat, reftable } from "./source-config.ts";

export interface SourceRepository {
  readonly gitFolder: string;
  readonly commonFolder: string;
  readonly objectsFolder: string;
  readonly objectFormat: ObjectFormat;
}

/**
 * `path` is the top of a work tree, or a bare repository.
 * @throws SluiceError `not-a-repository`, `shallow-clone`, `not-supported`, `refs-unreadable`, `alternates-refused`
 */
export function openSource(path: string, alternates: "bounded" | "refused"): SourceRepository {
  const gitFolder = gitFolderOf(path);
  const commonFolder = commonFolderOf(gitFolder);
  const objectsFolder = join(commonFolder, "objects");
  requireRepository(path, gitFolder);
  const config = readPlainFile(commonFolder, "config", MAX_CONFIG_BYTES);
  const objectFormat = readObjectFormat(config?.toString("utf8") ?? "");
  if (isFolder(join(commonFolder, "reftable"))) throw reftable();
  if ((readPlainFile(commonFolder, "shallow", MAX_PACKED_REFS_BYTES)?.byteLength ?? 0) > 0) {
    throw new SluiceError(
      "shallow-clone",
      "The repository is a shallow clone: it lacks commits that Sluice must verify.",
    );
  }
  requirePlainLine(objectsFolder);
  requireBoundedAlternates(objectsFolder, alternates === "bounded" ? MAX_ALTERNATES_DEPTH : 0);
  return { gitFolder, commonFolder, objectsFolder, objectFormat };
}

/** The top of the work tree or bare repository that contains `path`, as git would find it; null when there is none. */
export function findRepository(path: string): string | null {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (statusOf(join(at, ".git")) !== null) return at;
    if (isFolder(join(at, "objects")) && isFolder(join(at, "refs")) && statusOf(join(at, "HEAD"))?.isFile()) return at;
    if (dirname(at) === at) return null;
  }
}

/** The file of settings that git reads for the repository around `path` and all its worktrees. @throws SluiceError `not-a-repository` */
export function configurationFileOf(path: string): string {
  const gitFolder = gitFolderOf(path);
  requireRepository(path, gitFolder);
  return join(commonFolderOf(gitFolder), "config");
}

/** What the repository around `path` is called where it was cloned from; null where its configuration names no origin. */
export function nameAtOrigin(path: string): string | null {
  const config = readPlainFile(commonFolderOf(gitFolderOf(path)), "config", MAX_CONFIG_BYTES);
  return originName(config?.toString("utf8") ?? "");
}

function requireRepository(path: string, gitFolder: string): void {
  const hasObjects = isFolder(join(commonFolderOf(gitFolder), "objects"));
  if (!hasObjects || readPlainFile(gitFolder, "HEAD", MAX_REF_FILE_BYTES) === null) throw noRepository(path);
}

function gitFolderOf(path: string): string {
  const top = realFolder(path, path);
  const status = statusOf(join(top, ".git"));
  if (status === null) return top;
  if (status.isDirectory()) return join(top, ".git");
  if (!status.isFile()) throw noRepository(path, "its .git is neither a folder nor a file");
  return realFolder(resolve(top, pointer(top, ".git", "gitdir: ") ?? ""), path);
}

/** A linked worktree names the main repository in `commondir`; one level, as git does. */
function commonFolderOf(gitFolder: string): string {
  const named = pointer(gitFolder, "commondir", "");
  return named === null ? gitFolder : realFolder(resolve(gitFolder, named), gitFolder);
}

function pointer(folder: string, file: string, prefix: string): string | null {
  const bytes = readPlainFile(folder, file, MAX_REF_FILE_BYTES);
  if (bytes === null) return null;
  const text = decodeUtf8(bytes)?.replace(/\r?\n$/, "") ?? "";
  const target = text.startsWith(prefix) ? text.slice(prefix.length) : "";
  if (target === "" || /[\u0000-\u001f]/.test(target)) throw noRepository(folder, `its ${file} file is malformed`);
  return target;
}

function realFolder(path: string, shown: string): string {
  try {
    const real = realpathSync(path);
    if (isFolder(real)) return real;
  } catch {
    // told below: what cannot be resolved is no folder
  }
  throw noRepository(shown);
}

function isFolder(path: string): boolean {
  return statusOf(path)?.isDirectory() === true;
}

/**
 * git follows the alternates of the object folder that we name, and theirs. They are walked here first: each must be an
 * existing folder named `objects`, few and not deep, and none may hold links. A gate refuses alternates altogether: they
 * would let one repository show the objects of another that its owner may not read.
 */
function requireBoundedAlternates(objectsFolder: string, depth: number): void {
  const seen = new Set([objectsFolder]);
  let level = [objectsFolder];
  for (let at = 0; level.length > 0; at += 1) {
    for (const folder of level) requireNoLinks(folder);
    level = level.flatMap(alternatesOf).filter((folder) => !seen.has(folder));
    for (const folder of level) seen.add(folder);
    if (level.length > 0 && at >= depth) throw alternatesRefused("borrows objects from other folders");
    if (seen.size > MAX_ALTERNATES) throw alternatesRefused("borrows objects from too many folders");
  }
}

function alternatesOf(objectsFolder: string): string[] {
  const bytes = readPlainFile(objectsFolder, "info/alternates", MAX_CONFIG_BYTES);
  const lines = (bytes?.toString("utf8") ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const folder = resolve(objectsFolder, line);
    if (!line.startsWith('"') && folder.endsWith("/objects") && isFolder(folder)) return folder;
    throw alternatesRefused("borrows objects from something that is not an object folder");
  });
}

function requireNoLinks(objectsFolder: string): void {
  for (const folder of [objectsFolder, join(objectsFolder, "pack")]) {
    if (statusOf(folder) === null) continue;
    const linked = readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isSymbolicLink());
    if (linked) throw alternatesRefused("has symbolic links in its object folder");
  }
}

/** The path becomes one line of our own alternates file. */
function requirePlainLine(objectsFolder: string): void {
  if (!/[\u0000-\u001f]/.test(objectsFolder)) return;
  throw new SluiceError("not-supported", "The repository lies in a folder whose name contains control characters.");
}

function alternatesRefused(how: string): SluiceError {
  return new SluiceError("alternates-refused", `The repository ${how}.`);
}

function noRepository(path: string, why = "there is neither a work tree nor a bare repository"): SluiceError {
  return new SluiceError("not-a-repository", `${JSON.stringify(path.slice(0, 500))} is not a git repository: ${why}.`);
}
