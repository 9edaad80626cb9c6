/** A memo that outlives the process: one sealed file, read at the first question, written at the end when it learnt something. */
import { decodeUtf8, utf8 } from "../lib/bytes.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Memo } from "../lib/memo.ts";
import type { SealedFiles } from "../policy/sealed-file.ts";

const MAXIMUM_TEXTS = 20_000;
const MAXIMUM_CHARACTERS = 32 * 1024 * 1024;
/** What one process holds; the oldest are forgotten. */
const MAXIMUM_HELD = 200_000;

export interface SealedMemo extends Memo {
  /** Keeps what was asked for or learnt last, within the bounds. */
  save(): void;
}

/**
 * `scope` says whose memory it is, for example the repository's path: one file each. `patience` is how many answers may be
 * found out anew before the file is worth reading; a run that asks for less neither reads nor writes it.
 */
export function openSealedMemo(files: SealedFiles, scope: string, patience = 0): SealedMemo {
  const name = sha256Hex(scope);
  let known: Map<string, string> | null = null;
  const used = new Map<string, string>();
  let learnt = false;
  let misses = 0;
  const remembered = (): Map<string, string> => {
    known ??= read(files.read(name));
    return known;
  };
  const fromFile = (entry: string): string | null => {
    misses += 1;
    return known === null && misses <= patience ? null : (remembered().get(entry) ?? null);
  };
  const hold = (entry: string, text: string): void => {
    used.set(entry, text);
    const [oldest] = used.size > MAXIMUM_HELD ? used.keys() : [];
    if (oldest !== undefined) used.delete(oldest);
  };
  return {
    get(entry) {
      const text = used.get(entry) ?? fromFile(entry);
      if (text !== null) hold(entry, text);
      return text;
    },
    set(entry, text) {
      learnt = true;
      hold(entry, text);
    },
    save() {
      if (learnt && (known !== null || patience === 0))
        files.write(name, utf8(JSON.stringify([...bounded(used, remembered())])));
    },
  };
}

function read(body: Uint8Array | null): Map<string, string> {
  const text = body === null ? null : decodeUtf8(body);
  return new Map(text === null ? [] : (JSON.parse(text) as [string, string][]));
}

/** What this run used comes first; the rest as far as there is room. */
function bounded(used: ReadonlyMap<string, string>, rest: ReadonlyMap<string, string>): Map<string, string> {
  const kept = new Map<string, string>();
  let characters = 0;
  for (const [entry, text] of [...used, ...rest]) {
    characters += kept.has(entry) ? 0 : text.length;
    if (kept.size >= MAXIMUM_TEXTS || characters > MAXIMUM_CHARACTERS) break;
    if (!kept.has(entry)) kept.set(entry, text);
  }
  return kept;
}
