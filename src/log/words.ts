/** The words of a text, as the search takes them: whole, in either case, in any script. */
import type { JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";

/** What is longer is an id or a digest: each is its own word, and they have filters of their own. */
const MAXIMUM_WORD_CHARACTERS = 40;
const WORD = /[\p{L}\p{N}\p{M}_]+/gu;
const DIGEST = /^[0-9a-f]{16,}$/;
const MAXIMUM_ASKED_WORDS = 20;

/** Each once. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  return new Set(words.filter((word) => word.length <= MAXIMUM_WORD_CHARACTERS && !DIGEST.test(word)));
}

/** Of every text in the values beside an entry, `{name: {salt, value} | null}` as JSON; none of what cannot be read. */
export function disclosedWords(json: unknown): ReadonlySet<string> {
  const texts: string[] = [];
  const gather = (value: JsonValue): void => {
    if (typeof value === "string") texts.push(value);
    else if (value !== null && typeof value === "object") for (const one of Object.values(value)) gather(one);
  };
  try {
    const disclosed = JSON.parse(String(json)) as Readonly<Record<string, { readonly value?: JsonValue } | null>>;
    for (const one of Object.values(disclosed)) gather(one?.value ?? null);
  } catch {
    return new Set();
  }
  return wordsOf(texts.join(" "));
}

export function saysAll(json: unknown, words: readonly string[]): boolean {
  const said = disclosedWords(json);
  return words.every((word) => said.has(word));
}

/** What a search asks for: every one of these words. @throws SluiceError `usage` where it says none */
export function askedWords(text: string): readonly string[] {
  const words = [...wordsOf(text)];
  if (words.length > 0 && words.length <= MAXIMUM_ASKED_WORDS) return words;
  throw new SluiceError(
    "usage",
    `A text is looked for by its words, one to ${MAXIMUM_ASKED_WORDS} of at most 40 characters.`,
    {
      fix: 'words such as "payment gateway"; ids and digests have filters of their own, --commit, --key, --resource',
    },
  );
}
