/**
 * Where a gate keeps the object bytes of its releases: files named by their SHA-256, written before the release is
 * logged. After a crash the channels are filled from here, and a rollback takes its objects from here: never from a
 * channel, which others can write to, and never by rendering a second time.
 */
import { chmod, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { openTurns } from "../lib/turns.ts";
import { createFolder, openNoFollow, replaceFile } from "../log/durable.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export interface ObjectStore {
  /** Durable before it resolves; keeping what is kept already does nothing. */
  put(bytes: Uint8Array): Promise<void>;
  /** @throws SluiceError `object-lost` when it is missing or is no longer what its name says */
  get(sha256: string): Promise<Uint8Array>;
}

/** The folder is the gate's own, beside the log's database; it is made where it is missing. */
export async function openObjectStore(folder: string): Promise<ObjectStore> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const root = await realpath(folder);
  await chmod(root, FOLDER_MODE);
  const turns = openTurns();
  const keep = async (sha256: string, bytes: Uint8Array): Promise<void> => {
    if ((await readObject(root, sha256)) !== null) return;
    await createFolder(join(root, sha256.slice(0, 2)), FOLDER_MODE);
    await replaceFile(pathOf(root, sha256), bytes, FILE_MODE);
  };
  return {
    // Targets that are released at once may hold the same object: two writers of one file would take it from each other.
    put(bytes) {
      const sha256 = sha256Hex(bytes);
      return turns.take(sha256, () => keep(sha256, bytes));
    },
    async get(sha256) {
      const bytes = await readObject(root, sha256);
      if (bytes !== null) return bytes;
      throw new SluiceError("object-lost", `The gate no longer has object ${sha256}.`);
    },
  };
}

/** null when it is missing or its bytes are not those of its name. */
async function readObject(root: string, sha256: string): Promise<Uint8Array | null> {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return null;
  const handle = await openNoFollow(pathOf(root, sha256));
  if (handle === null) return null;
  try {
    const bytes = new Uint8Array(await handle.readFile());
    return sha256Hex(bytes) === sha256 ? bytes : null;
  } finally {
    await handle.close();
  }
}

function pathOf(root: string, sha256: string): string {
  return join(root, sha256.slice(0, 2), sha256);
}
