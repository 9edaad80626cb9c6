/** Whole-tree listings from tree objects that we read and re-hash ourselves, one round trip a level. */
import { SluiceError } from "../lib/errors.ts";
import { openLatest } from "../lib/latest.ts";
import { MAX_CACHED_LISTINGS, MAX_CACHED_TREES, MAX_TREE_DEPTH, MAX_TREE_ENTRIES } from "./limits.ts";
import { blobId, type TreeFile, type TreeId } from "./object.ts";
import type { ObjectReader } from "./objects.ts";
import { parseTree, type TreeEntry } from "./parse.ts";
import { requireShortPath } from "./path.ts";

const FOLDER = "040000";

/** Content never changes under an id, so both caches only ever forget; they live as long as the open repository. */
export class TreeListings {
  readonly #objects: ObjectReader;
  readonly #trees = new Map<string, readonly TreeEntry[]>();
  /** A base outlasts all the heads that are compared with it. */
  readonly #listings = openLatest<string, readonly TreeFile[]>(MAX_CACHED_LISTINGS);

  constructor(objects: ObjectReader) {
    this.#objects = objects;
  }

  /** Every file below the tree, in the order of path bytes. @throws SluiceError `path-hostile`, `too-many-files`, `object-malformed` */
  async files(root: TreeId): Promise<readonly TreeFile[]> {
    const known = this.#listings.get(root);
    if (known !== undefined) return known;
    if (this.#trees.size > MAX_CACHED_TREES) this.#trees.clear();
    await this.#load(root);
    const files = this.#assemble(root);
    this.#listings.set(root, files);
    return files;
  }

  /** Reads every distinct tree below the root, level by level; a tree met again is not read again. */
  async #load(root: TreeId): Promise<void> {
    const seen = new Set<string>([root]);
    let level: string[] = [root];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > MAX_TREE_DEPTH || seen.size > MAX_TREE_ENTRIES) throw tooMany();
      const unread = level.filter((id) => !this.#trees.has(id));
      const bodies = await this.#objects.read("tree", unread);
      for (const [index, body] of bodies.entries()) {
        const id = unread[index] ?? "";
        this.#trees.set(id, parseTree(id, body, this.#objects.objectFormat));
      }
      level = this.#unseenBelow(level, seen);
    }
  }

  #unseenBelow(level: readonly string[], seen: Set<string>): string[] {
    const next: string[] = [];
    for (const id of level) {
      for (const entry of this.#entries(id)) {
        if (entry.mode !== FOLDER || seen.has(entry.id)) continue;
        seen.add(entry.id);
        next.push(entry.id);
      }
    }
    return next;
  }

  /** Trees are sorted (parseTree refuses others), so walking them in order gives the order of path bytes. */
  #assemble(root: TreeId): readonly TreeFile[] {
    const files: TreeFile[] = [];
    let entriesSeen = 0;
    const visit = (id: string, prefix: string, depth: number): void => {
      if (depth > MAX_TREE_DEPTH) throw tooMany();
      for (const entry of this.#entries(id)) {
        entriesSeen += 1;
        if (entriesSeen > MAX_TREE_ENTRIES) throw tooMany();
        const path = requireShortPath(prefix + entry.name);
        if (entry.mode === FOLDER) visit(entry.id, `${path}/`, depth + 1);
        else files.push({ path, mode: entry.mode, id: blobId(entry.id) });
      }
    };
    visit(root, "", 0);
    return Object.freeze(files);
  }

  #entries(id: string): readonly TreeEntry[] {
    const entries = this.#trees.get(id);
    if (entries === undefined) throw new TypeError("a tree was used before it was read");
    return entries;
  }
}

function tooMany(): SluiceError {
  return new SluiceError(
    "too-many-files",
    `The tree has more than ${MAX_TREE_ENTRIES} entries or more than ${MAX_TREE_DEPTH} folders inside one another.`,
  );
}
