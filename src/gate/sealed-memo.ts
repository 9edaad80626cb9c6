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
 * `scope` says whose memory it is, for example the repository's path: one file each. `bytesAnAnswer` is how
 * much of a file is read in the time in which one answer is found out anew: a larger file waits for more questions, and a
 * run that asks too few neither reads nor writes it.
 */
export function openSealedMemo(files: SealedFiles, scope: string, bytesAnAnswer = Number.MAX_VALUE): SealedMemo {
  const name = sha256Hex(scope);
  let known: Map<string, string> | null = null;
  const used = new Map<string, string>();
  const learnt = new Map<string, string>();
  let misses = 0;
  const remembered = (): Map<string, string> => {
    known ??= read(files.read(name));
    return known;
  };
  const isWorthReading = (): boolean => known !== null || files.size(name) <= Math.max(1, misses) * bytesAnAnswer;
  const fromFile = (entry: string): string | null => {
    misses += 1;
    return isWorthReading() ? (remembered().get(entry) ?? null) : null;
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
      learnt.set(entry, text);
      hold(entry, text);
    },
    save() {
      if (learnt.size === 0 || !isWorthReading()) return;
      const before = remembered();
      if ([...learnt].every(([entry, text]) => before.get(entry) === text)) return;
      files.write(name, utf8(JSON.stringify([...bounded(used, before)])));
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
