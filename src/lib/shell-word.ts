/** Words as they are typed in a shell, for commands that messages name. */

const PLAIN = /^[\w./:=,@#+-]+$/;

/** As it is, or in quotes where a shell would read it otherwise. */
export function typed(word: string): string {
  return PLAIN.test(word) ? word : singleQuoted(word);
}

/** One word of bash or zsh, whatever the text holds. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
