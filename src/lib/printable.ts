/** Text of strangers (names, titles, paths) for a terminal or a page, in a form that can neither hide nor move anything. */

/** Control and format characters (direction marks, zero width, tags), line and paragraph separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line; what has no shape of its own is written `\u{1b}`. Letters of every script stay as they are. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same, cut to so many characters, the last of them then an ellipsis. */
export function printableUpTo(text: string, characters: number): string {
  const whole = [...printable(text.slice(0, characters * 2))];
  const isCut = whole.length > characters || text.length > characters * 2;
  return isCut ? `${whole.slice(0, characters - 1).join("")}…` : whole.join("");
}
