import type { Instant } from "./time.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** A ULID (48-bit milliseconds, 80 random bits, Crockford base32, 26 characters); `random` is 10 bytes. */
export function ulid(at: Instant, random: Uint8Array): string {
  let time = "";
  for (let rest = at, place = 0; place < 10; place++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let bits = 0n;
  for (const byte of random.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let tail = "";
  for (let place = 0; place < 16; place++, bits >>= 5n) tail = ALPHABET[Number(bits & 31n)] + tail;
  return time + tail;
}
