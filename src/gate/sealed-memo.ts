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
  let learnt = false;
  let misses = 0;
  const remembered = (): Map<string, string> => {
    known ??= decode(files.read(name));
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
      learnt = true;
      hold(entry, text);
    },
    save() {
      if (!learnt || !isWorthReading()) return;
      const before = remembered();
      if ([...used].every(([entry, text]) => before.get(entry) === text)) return;
      files.write(name, encode(bounded(used, before)));
    },
  };
}

/**
 * Not JSON, whose escapes would be written and read once more around texts that are JSON themselves.
 *
 *   body = for each text: length of its name ‖ ":" ‖ its own length ‖ ":" ‖ name ‖ text      lengths in UTF-16 units, decimal
 */
function encode(texts: ReadonlyMap<string, string>): Uint8Array {
  return utf8([...texts].map(([name, text]) => `${name.length}:${text.length}:${name}${text}`).join(""));
}

/** Empty for a body of another form, as an earlier version wrote it. */
function decode(body: Uint8Array | null): Map<string, string> {
  const known = new Map<string, string>();
  const whole = (body === null ? null : decodeUtf8(body)) ?? "";
  for (let at = 0; at < whole.length; ) {
    const [first, second] = [whole.indexOf(":", at), whole.indexOf(":", whole.indexOf(":", at) + 1)];
    const name = second + 1 + Number(whole.slice(at, first));
    const end = name + Number(whole.slice(first + 1, second));
    if (!(at < end && end <= whole.length)) return new Map();
    known.set(whole.slice(second + 1, name), whole.slice(name, end));
    at = end;
  }
  return known;
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
