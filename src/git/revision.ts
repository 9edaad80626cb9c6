/**
 * Revisions as people write them, resolved by ourselves: `NAME` followed by any number of `~N` and `^N`. NAME is HEAD (or
 * `@`), a whole reference name, a tag, a branch, a remote branch, or an id of at least 7 digits. Nothing else is understood,
 * and nothing of it is ever an argument of git.
 */
import { SluiceError } from "../lib/errors.ts";
import type { History } from "./history.ts";
import { MAX_ANCESTRY_STEPS, MAX_TAG_DEPTH } from "./limits.ts";
import { type CommitId, commitId, isObjectId } from "./object.ts";
import type { ObjectReader } from "./objects.ts";
import { idLength, parseTag } from "./parse.ts";
import { isRefName, type SourceRefs } from "./source-refs.ts";

const REVISION = /^([^~^\u0000-\u0020\u007f]{1,1024})((?:[~^]\d{0,6}){0,64})$/;
const ABBREVIATED = /^[0-9a-f]{7,64}$/;
/** In git's order, so that equal ids are reported the same way. */
const NAMESPACES = ["refs/tags/", "refs/heads/", "refs/remotes/"];

export class Revisions {
  readonly #objects: ObjectReader;
  readonly #history: History;
  readonly #refs: SourceRefs;

  constructor(objects: ObjectReader, history: History, refs: SourceRefs) {
    this.#objects = objects;
    this.#history = history;
    this.#refs = refs;
  }

  /** @throws SluiceError `unknown-revision`, `not-a-commit`, `object-missing` */
  async resolve(revision: string): Promise<CommitId> {
    const match = REVISION.exec(revision);
    if (match === null) throw unknown(revision, "is not a form that Sluice understands");
    let at = await this.#peel(await this.#named(match[1] ?? "", revision), revision);
    let steps = 0;
    for (const [, sign, digits] of (match[2] ?? "").matchAll(/([~^])(\d*)/g)) {
      const count = digits === "" ? 1 : Number(digits);
      steps += count;
      if (steps > MAX_ANCESTRY_STEPS) throw unknown(revision, "goes back further than Sluice walks");
      at = sign === "~" ? await this.#back(at, count, revision) : await this.#parent(at, count, revision);
    }
    return at;
  }

  async #back(from: CommitId, count: number, revision: string): Promise<CommitId> {
    let at = from;
    for (let step = 0; step < count; step += 1) at = await this.#parent(at, 1, revision);
    return at;
  }

  async #parent(from: CommitId, number: number, revision: string): Promise<CommitId> {
    const parent = await this.#history.step(from, number);
    if (parent === null) throw unknown(revision, "goes back beyond the first commit");
    return parent;
  }

  async #named(name: string, revision: string): Promise<string> {
    if (isObjectId(name) && name.length === idLength(this.#objects.objectFormat)) return name;
    if (name === "HEAD" || name === "@") return this.#head(revision);
    if (name.startsWith("refs/")) {
      const id = await this.#refs.read(name);
      if (id === null) throw unknown(revision, "names no reference of the repository");
      return id;
    }
    return (await this.#short(name, revision)) ?? (await this.#abbreviated(name, revision));
  }

  async #head(revision: string): Promise<string> {
    const id = await this.#refs.read("HEAD");
    if (id !== null) return id;
    const branch = await this.#refs.headBranch();
    throw unknown(revision, branch === null ? "is not known here" : "is on a branch that has no commit yet");
  }

  /** A tag and a branch of one name that mean different commits are refused: a remote could push such a tag. */
  async #short(name: string, revision: string): Promise<string | null> {
    const ids = new Set<string>();
    for (const namespace of NAMESPACES) {
      if (!isRefName(namespace + name)) continue;
      const id = await this.#refs.read(namespace + name);
      if (id !== null) ids.add(id);
    }
    if (ids.size > 1) throw unknown(revision, "names both a tag and a branch; write refs/heads/… or refs/tags/…");
    return [...ids][0] ?? null;
  }

  async #abbreviated(name: string, revision: string): Promise<string> {
    if (!ABBREVIATED.test(name)) throw unknown(revision, "names no branch, tag or commit");
    const answer = await this.#objects.identify(name);
    if (answer === "missing") throw unknown(revision, "names no branch, tag or commit");
    if (answer === "ambiguous") throw unknown(revision, "is the beginning of several ids; write more digits");
    return answer.id;
  }

  /** Follows annotated tags to a commit. */
  async #peel(start: string, revision: string): Promise<CommitId> {
    let id = start;
    for (let depth = 0; depth <= MAX_TAG_DEPTH; depth += 1) {
      const answer = await this.#objects.identify(id);
      if (answer === "missing" || answer === "ambiguous") throw unknown(revision, "names an object that is not here");
      if (answer.type === "commit") return commitId(id);
      if (answer.type !== "tag") throw notACommit(revision, answer.type);
      const [raw] = await this.#objects.read("tag", [id]);
      id = parseTag(id, raw ?? Buffer.alloc(0), this.#objects.objectFormat).id;
    }
    throw notACommit(revision, "tag of too many tags");
  }
}

function unknown(revision: string, why: string): SluiceError {
  return new SluiceError("unknown-revision", `Revision ${shown(revision)} ${why}.`);
}

function notACommit(revision: string, type: string): SluiceError {
  return new SluiceError("not-a-commit", `Revision ${shown(revision)} names a ${type}, not a commit.`);
}

function shown(revision: string): string {
  return JSON.stringify(revision.slice(0, 80)).replace(/[^\u0020-\u007e]/g, "?");
}
