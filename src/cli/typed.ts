/** A word as it is typed in a shell, for commands that messages name: what is no plain word stands in quotes. */
import { singleQuoted } from "./shells/vocabulary.ts";

const PLAIN = /^[\w./:=,@#+-]+$/;

export function typed(word: string): string {
  return PLAIN.test(word) ? word : singleQuoted(word);
}
