import type { Instant } from "./time.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** A ULID (48-bit milliseconds, 80 random bits, Crockford base32, 26 characters); `random` is 10 bytes. */
export function ulid(at: Instant, random: Uint8Array): string {
  return ulidTime(at) + ulidRandom(random);
}

/** The first ten characters. */
export function ulidTime(at: Instant): string {
  return base32(at, 10);
}

/** The last sixteen characters, of the first 10 bytes. */
export function ulidRandom(random: Uint8Array): string {
  return base32(bigEndian(random, 0), 8) + base32(bigEndian(random, 5), 8);
}

/** Five bytes as a number: 40 bits, so that it stays exact and makes eight characters. */
function bigEndian(bytes: Uint8Array, start: number): number {
  let value = 0;
  for (let at = start; at < start + 5; at++) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

function base32(value: number, characters: number): string {
  let text = "";
  for (let rest = value; text.length < characters; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text;
  return text;
}

/** When a ULID was made; NaN for what is none. */
export function timeOfUlid(id: string): Instant {
  if (!ULID.test(id)) return Number.NaN;
  let at = 0;
  for (const character of id.slice(0, 10)) at = at * 32 + ALPHABET.indexOf(character);
  return at;
}
