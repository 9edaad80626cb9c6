/** Tokens of a JSON pointer (RFC 6901, section 3): `~` stands as `~0`, `/` as `~1`. */

export function escapeToken(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

export function unescapeToken(token: string): string {
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}
