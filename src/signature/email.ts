/**
 * Lower case for A to Z only. Unicode's lower case would make other letters equal to ours (the Kelvin sign becomes k), and
 * an address must not be matched by one that only looks alike.
 */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
