/** Objects by id, each re-hashed before anybody sees it: cat-file hands out whatever lies under the name. */
import { SluiceError } from "../lib/errors.ts";
import { CatFile, type InfoAnswer, isIdPrefix, type ObjectInfo } from "./cat-file.ts";
import {
  BATCH_REQUESTS,
  MAX_BATCH_BYTES,
  MAX_BLOB_BYTES,
  MAX_COMMIT_BYTES,
  MAX_TAG_BYTES,
  MAX_TREE_BYTES,
} from "./limits.ts";
import { isObjectId, type ObjectFormat } from "./object.ts";
import { hashObject, type ObjectType } from "./parse.ts";
import { type OwnStore, requireGit } from "./process.ts";

const MAX_BYTES: Readonly<Record<ObjectType, number>> = {
  blob: MAX_BLOB_BYTES,
  commit: MAX_COMMIT_BYTES,
  tree: MAX_TREE_BYTES,
  tag: MAX_TAG_BYTES,
};

interface ReadCommit {
  readonly id: string;
  readonly body: Buffer;
}

export class ObjectReader {
  readonly objectFormat: ObjectFormat;
  readonly #catFile: CatFile;

  constructor(store: OwnStore) {
    this.objectFormat = store.objectFormat;
    this.#catFile = new CatFile(store);
  }

  warm(): void {
    this.#catFile.warm();
  }

  /** Process id of the running cat-file, for tests and `doctor`; null when none runs. */
  get pid(): number | null {
    return this.#catFile.pid;
  }

  /** What an id or an abbreviated id names, without reading it. */
  async identify(name: string): Promise<InfoAnswer> {
    if (!isIdPrefix(name)) return "missing";
    const [answer] = await this.#catFile.info([name]);
    return answer ?? "missing";
  }

  /**
   * Bodies in the order asked; equal ids are read once.
   * @throws SluiceError `object-missing`, `object-malformed` (another type), `object-too-large`, `object-corrupt`, `git-failed`
   */
  async read(type: ObjectType, ids: readonly string[]): Promise<readonly Buffer[]> {
    const bodies = new Map<string, Buffer>();
    const distinct = [...new Set(ids)];
    let bytes = 0;
    for (let at = 0; at < distinct.length; at += BATCH_REQUESTS) {
      const chunk = distinct.slice(at, at + BATCH_REQUESTS);
      const infos = await this.#infos(type, chunk);
      bytes += infos.reduce((sum, info) => sum + info.size, 0);
      if (bytes > MAX_BATCH_BYTES) throw tooLarge(`The ${type}s asked for together`, bytes, MAX_BATCH_BYTES);
      const read = await this.#catFile.contents(infos);
      for (const [index, info] of infos.entries()) bodies.set(info.id, this.#verified(info, read[index]));
    }
    return ids.map((id) => {
      const body = bodies.get(id);
      if (body === undefined) throw new TypeError("an object was asked for and not read");
      return body;
    });
  }

  /**
   * A commit, and behind it the first parents that git believes it to have, at most so many: up to the first for which
   * `isStop`, that is no commit within the bounds, or whose bytes do not hash to its id. Two round trips.
   * @throws SluiceError about the commit itself as read() does
   */
  async readLine(id: string, behind: number, isStop: (id: string) => boolean): Promise<readonly ReadCommit[]> {
    if (!isObjectId(id)) throw new TypeError("only whole ids are read");
    const [own, ...answers] = await this.#catFile.lineInfo(id, behind);
    const first = this.#accepted("commit", id, own ?? "missing");
    const isGood = (one: InfoAnswer): one is ObjectInfo =>
      typeof one !== "string" && one.type === "commit" && one.size <= MAX_COMMIT_BYTES && !isStop(one.id);
    const end = answers.findIndex((one) => !isGood(one));
    const rest = (end === -1 ? answers : answers.slice(0, end)).filter(isGood);
    const [body, ...bodies] = await this.#catFile.contents([first, ...rest]);
    const hashed = rest.map((info, index) => ({ id: info.id, body: this.#hashed(info, bodies[index]) }));
    const bad = hashed.findIndex((one) => one.body === null);
    const good = (bad === -1 ? hashed : hashed.slice(0, bad)) as readonly ReadCommit[];
    return [{ id, body: this.#verified(first, body) }, ...good];
  }

  /**
   * Blobs that strangers wrote: null for whatever is none, larger than `each`, or hashes to something else; ends before
   * the one that would make them more than `together`.
   * @throws SluiceError `git-failed`
   */
  async readSmall(
    ids: readonly string[],
    { each, together }: { readonly each: number; readonly together: number },
  ): Promise<readonly (Uint8Array | null)[]> {
    const infos = await this.#inBatches(ids, (chunk) => this.#catFile.info(chunk));
    const small = infos.map((info) => (typeof info !== "string" && isSmall(info, each) ? info : null));
    const within = small.slice(0, countWithin(small, together));
    const wanted = within.filter((info) => info !== null);
    const bodies = await this.#inBatches(wanted, (chunk) => this.#catFile.contents(chunk));
    const found = new Map(wanted.map((info, index) => [info.id, this.#hashed(info, bodies[index])]));
    return within.map((info) => (info === null ? null : (found.get(info.id) ?? null)));
  }

  async #inBatches<Q, A>(questions: readonly Q[], ask: (chunk: readonly Q[]) => Promise<A[]>): Promise<A[]> {
    const answers: A[] = [];
    for (let at = 0; at < questions.length; at += BATCH_REQUESTS) {
      answers.push(...(await ask(questions.slice(at, at + BATCH_REQUESTS))));
    }
    return answers;
  }

  async #infos(type: ObjectType, ids: readonly string[]): Promise<readonly ObjectInfo[]> {
    for (const id of ids) if (!isObjectId(id)) throw new TypeError("only whole ids are read");
    const answers = await this.#catFile.info(ids);
    return answers.map((answer, index) => this.#accepted(type, ids[index] ?? "", answer));
  }

  #accepted(type: ObjectType, id: string, answer: InfoAnswer): ObjectInfo {
    if (typeof answer === "string") {
      throw new SluiceError("object-missing", `Object ${id} (${type}) is not in the repository.`);
    }
    if (answer.type !== type) {
      throw new SluiceError("object-malformed", `Object ${id} is a ${answer.type} where a ${type} must be.`);
    }
    if (answer.size > MAX_BYTES[type]) throw tooLarge(`Object ${id} (${type})`, answer.size, MAX_BYTES[type]);
    return answer;
  }

  #verified(info: ObjectInfo, body: Buffer | undefined): Buffer {
    const checked = this.#hashed(info, body);
    if (checked !== null) return checked;
    throw new SluiceError("object-corrupt", `The bytes of ${info.type} ${info.id} do not hash to its id.`);
  }

  #hashed(info: ObjectInfo, body: Buffer | undefined): Buffer | null {
    return body !== undefined && hashObject(this.objectFormat, info.type, body) === info.id ? body : null;
  }

  close(): Promise<void> {
    return this.#catFile.close();
  }
}

/** How many of them, from the first, are at most so many bytes. */
function countWithin(infos: readonly (ObjectInfo | null)[], most: number): number {
  let bytes = 0;
  for (const [index, info] of infos.entries()) {
    bytes += info?.size ?? 0;
    if (bytes > most) return index;
  }
  return infos.length;
}

function isSmall({ type, size }: ObjectInfo, most: number): boolean {
  return type === "blob" && size <= most;
}

function tooLarge(what: string, bytes: number, most: number): SluiceError {
  return new SluiceError("object-too-large", `${what}: ${bytes} bytes, more than the ${most} that Sluice reads.`);
}

/** Starts cat-file and asks for git's version at the same time. @throws SluiceError `git-missing`, `git-too-old` */
export async function openReader(store: OwnStore): Promise<{ objects: ObjectReader; gitVersion: string }> {
  const objects = new ObjectReader(store);
  objects.warm();
  try {
    return { objects, gitVersion: await requireGit() };
  } catch (error) {
    await objects.close();
    throw error;
  }
}
