/**
 * References read from files (gitrepository-layout: HEAD, refs/, packed-refs), so that no git runs in the repository.
 * A name is checked before it becomes a path, links are refused, symbolic references are followed a few steps.
 */
import { readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import {
  MAX_PACKED_REFS_BYTES,
  MAX_REF_DEPTH,
  MAX_REF_ENTRIES,
  MAX_REF_FILE_BYTES,
  MAX_REF_NAME_BYTES,
  MAX_SYMBOLIC_REFS,
} from "./limits.ts";
import { isObjectId, type ObjectFormat } from "./object.ts";
import { idLength } from "./parse.ts";
import { isPlainPath, readPlainFile, statusOf, unreadable } from "./plain-file.ts";
import type { RefEntry } from "./repository.ts";
import { reftable } from "./source-config.ts";

/** Approvals lie below it, each under the SHA-256 of its envelope. */
export const APPROVAL_REFS = "refs/sluice/approvals/";

/** The references of the judged repository, as it has them now. */
export interface SourceRefs {
  /** Id at a whole name such as `refs/heads/main` or `HEAD`; null when there is none. @throws `refs-unreadable` */
  read(name: string): Promise<string | null>;
  /** Whole name of the branch that HEAD is on, whether or not it has a commit yet; null when HEAD is detached. */
  headBranch(): Promise<string | null>;
  /** Below a prefix ending in `/`, sorted by name. @throws SluiceError `too-many-refs`, `refs-unreadable` */
  list(prefix: string, limit: number): Promise<readonly RefEntry[]>;
}

/** The rules of git-check-ref-format for a name of at least two parts below `refs/`. */
export function isRefName(name: string): boolean {
  if (Buffer.byteLength(name) > MAX_REF_NAME_BYTES || !/^refs\/[^/]/.test(name)) return false;
  if (/[\u0000-\u0020\u007f~^:?*[\\\ufffd]|\.\.|@\{/.test(name) || name.endsWith(".")) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

export interface RefFolders {
  /** Where HEAD is: of a linked worktree its own folder. */
  readonly gitFolder: string;
  /** Where refs/ and packed-refs are. */
  readonly commonFolder: string;
  readonly objectFormat: ObjectFormat;
  /** What stands before `refs/` in the files: our own stores keep the source's `refs/x` as `refs/source/x`. */
  readonly mirrored: boolean;
}

export class FileRefs implements SourceRefs {
  readonly #folders: RefFolders;
  #packed: { readonly status: Stats; readonly refs: ReadonlyMap<string, string> } | null = null;

  constructor(folders: RefFolders) {
    this.#folders = folders;
  }

  async read(name: string): Promise<string | null> {
    if (name === "HEAD") return this.#folders.mirrored ? null : this.#follow("HEAD");
    return isRefName(name) ? this.#follow(this.#stored(name)) : null;
  }

  async headBranch(): Promise<string | null> {
    if (this.#folders.mirrored) return null;
    const text = this.#loose("HEAD");
    const target = text?.startsWith("ref:") ? symbolicTarget("HEAD", text) : null;
    return target?.startsWith("refs/heads/") ? target : null;
  }

  async list(prefix: string, limit: number): Promise<readonly RefEntry[]> {
    const names = this.#namesBelow(prefix, refuse);
    if (names.size > limit) {
      throw new SluiceError(
        "too-many-refs",
        `There are ${names.size} references below ${prefix}; at most ${limit} are read.`,
      );
    }
    const entries = [...names].sort().map((name) => ({ name: this.#shown(name), id: this.#follow(name) }));
    return entries.filter((entry): entry is RefEntry => entry.id !== null);
  }

  /** The same without what cannot be read, and at most so many: for what strangers may have written. */
  listReadable(prefix: string, limit: number): readonly RefEntry[] {
    const names = [...this.#namesBelow(prefix, () => undefined)].sort().slice(0, limit);
    return names.flatMap((name) => {
      const id = this.#followReadable(name);
      return id === null ? [] : [{ name: this.#shown(name), id }];
    });
  }

  #followReadable(name: string): string | null {
    try {
      return this.#follow(name);
    } catch (thrown) {
      if (thrown instanceof SluiceError) return null;
      throw thrown;
    }
  }

  #namesBelow(prefix: string, object: Objection): Set<string> {
    if (!prefix.endsWith("/") || !isRefName(`${prefix}x`)) {
      throw new TypeError("a prefix of references ends in a slash");
    }
    const stored = this.#stored(prefix);
    const names = new Set<string>();
    for (const name of this.#packedRefs().keys()) if (name.startsWith(stored)) names.add(name);
    this.#collectLoose(stored.slice(0, -1), names, 0, object);
    return names;
  }

  #stored(name: string): string {
    return this.#folders.mirrored ? name.replace(/^refs\//, "refs/source/") : name;
  }

  #shown(name: string): string {
    return this.#folders.mirrored ? name.replace(/^refs\/source\//, "refs/") : name;
  }

  #follow(name: string): string | null {
    let at = name;
    for (let step = 0; step <= MAX_SYMBOLIC_REFS; step += 1) {
      const text = this.#loose(at);
      if (text === null) return this.#packedRefs().get(at) ?? null;
      if (!text.startsWith("ref:")) return this.#id(at, text.replace(/\s+$/, ""));
      at = symbolicTarget(at, text);
    }
    throw unreadable(name, "is a symbolic reference to too many others");
  }

  #loose(name: string): string | null {
    const root = name === "HEAD" ? this.#folders.gitFolder : this.#folders.commonFolder;
    return readPlainFile(root, name, MAX_REF_FILE_BYTES)?.toString("utf8") ?? null;
  }

  #id(name: string, text: string): string {
    if (isObjectId(text) && text.length === idLength(this.#folders.objectFormat)) return text;
    throw unreadable(name, "does not hold the id of an object");
  }

  #collectLoose(folder: string, names: Set<string>, depth: number, object: Objection): void {
    if (depth > MAX_REF_DEPTH) {
      object(folder, "is nested too deep");
      return;
    }
    const path = join(this.#folders.commonFolder, folder);
    if (!isPlainPath(this.#folders.commonFolder, folder) || statusOf(path)?.isDirectory() !== true) return;
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (!isRefName(name)) continue; // lock files, and what git too ignores: nobody can name it
      if (names.size > MAX_REF_ENTRIES) {
        object(folder, "has too many entries");
        return;
      }
      if (entry.isSymbolicLink()) object(name, "is a symbolic link");
      else if (entry.isDirectory()) this.#collectLoose(name, names, depth + 1, object);
      else names.add(name);
    }
  }

  #packedRefs(): ReadonlyMap<string, string> {
    const status = statusOf(join(this.#folders.commonFolder, "packed-refs"));
    if (status === null) return new Map();
    const known = this.#packed;
    if (known !== null && sameFile(known.status, status)) return known.refs;
    const bytes = readPlainFile(this.#folders.commonFolder, "packed-refs", MAX_PACKED_REFS_BYTES);
    const refs = this.#parsePacked(bytes?.toString("utf8") ?? "");
    this.#packed = { status, refs };
    return refs;
  }

  /** `# header`, `<id> SP <name>`, and after an annotated tag `^<id>`; a name that breaks the rules is passed over. */
  #parsePacked(text: string): ReadonlyMap<string, string> {
    const refs = new Map<string, string>();
    for (const line of text.split("\n")) {
      if (line === "" || line.startsWith("#") || /^\^[0-9a-f]{40,64}$/.test(line)) continue;
      const space = line.indexOf(" ");
      if (space === -1) throw unreadable("packed-refs", "has a line that git does not write");
      const id = this.#id("packed-refs", line.slice(0, space));
      const name = line.slice(space + 1);
      if (isRefName(name)) refs.set(name, id);
    }
    return refs;
  }
}

/** What is done about what cannot be read: refused, or passed over. */
type Objection = (name: string, why: string) => void;

function refuse(name: string, why: string): never {
  throw unreadable(name, why);
}

function symbolicTarget(name: string, text: string): string {
  const target = text.slice("ref:".length).trim();
  if (target === "refs/heads/.invalid") throw reftable();
  if (!isRefName(target)) throw unreadable(name, "points to something that is not the name of a reference");
  return target;
}

function sameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}
