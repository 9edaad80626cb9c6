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
    if (body !== undefined && hashObject(this.objectFormat, info.type, body) === info.id) return body;
    throw new SluiceError("object-corrupt", `The bytes of ${info.type} ${info.id} do not hash to its id.`);
  }

  close(): Promise<void> {
    return this.#catFile.close();
  }
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
