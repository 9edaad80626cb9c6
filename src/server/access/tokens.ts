/**
 * Bearer tokens: `sluice_` and 32 random bytes in base64url. Only their SHA-256 is kept, which is enough for secrets that
 * nobody can guess; tokens.yaml has mode 0600 all the same, because it says who may do what.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { endless, type TokenYaml, tokensSchema } from "../../config/access-yaml.ts";
import { readSecretFile } from "../../config/secret.ts";
import { decodeHex, equalBytes } from "../../lib/bytes.ts";
import { sha256, sha256Hex } from "../../lib/digest.ts";
import { readDocument } from "../../lib/document.ts";
import { SluiceError } from "../../lib/errors.ts";
import { typed } from "../../lib/shell-word.ts";

export const TOKEN_BYTES = 32;
const TOKEN = /^sluice_[A-Za-z0-9_-]{43}$/;

/** @param random 32 bytes */
export function tokenText(random: Uint8Array): string {
  if (random.byteLength !== TOKEN_BYTES) throw new TypeError(`a token is made of ${TOKEN_BYTES} random bytes`);
  return `sluice_${Buffer.from(random).toString("base64url")}`;
}

/** @throws SluiceError `tokens-invalid`, `access-endless`, `secret-missing`, `secret-readable-by-others` */
export function readTokens(path: string): readonly TokenYaml[] {
  const maker = `sluice token new --role operator --person NAME --file ${typed(path)}`;
  const { tokens } = readDocument(readSecretFile(path, maker), path, tokensSchema, "tokens-invalid");
  for (const [at, { sha256: digest, role, person, until }] of tokens.entries()) {
    if (role === "auditor" && until === undefined) throw endless(`The token of ${person} in ${path}`);
    if (tokens.findIndex((other) => other.sha256 === digest) !== at) {
      throw new SluiceError("tokens-invalid", `${path} has one token twice, so it is unclear what it may do.`);
    }
  }
  return tokens;
}

/** The one whose SHA-256 this is; every one is compared, each in constant time. */
export function findToken(tokens: readonly TokenYaml[], presented: string): TokenYaml | null {
  if (!TOKEN.test(presented)) return null;
  const digest = sha256(Buffer.from(presented, "utf8"));
  let found: TokenYaml | null = null;
  for (const token of tokens) {
    if (equalBytes(decodeHex(token.sha256) ?? new Uint8Array(), digest)) found = token;
  }
  return found;
}

/**
 * Adds one token to the file, made with mode 0600 where it is not there; readers see the old file or the new one.
 * @throws SluiceError what readTokens() throws; `usage` where it cannot be written, or somebody else is writing it
 */
export function addToken(path: string, entry: Omit<TokenYaml, "sha256">, token: string): void {
  const isThere = existsSync(path);
  const before = isThere ? readTokens(path) : [];
  const added = { sha256: sha256Hex(token), ...entry };
  const text = isThere ? readFileSync(path, "utf8").trimEnd() : "version: 1\ntokens:";
  const next = `${text}\n  - ${JSON.stringify(added)}\n`;
  if (!holds(next, [...before, added])) {
    throw new SluiceError("tokens-invalid", `${path} does not end in a list that another line can be added to.`, {
      fix: 'end it with the list, two spaces before each item: `  - {sha256: "...", role: reader, person: ada}`',
    });
  }
  replaceFile(path, next);
}

/** The file's own text is kept, comments too; so what it says with one line more is read before it is written. */
function holds(text: string, tokens: readonly TokenYaml[]): boolean {
  try {
    const read = readDocument(text, "tokens.yaml", tokensSchema, "tokens-invalid");
    return isDeepStrictEqual(read.tokens, tokens);
  } catch {
    return false;
  }
}

function replaceFile(path: string, text: string): void {
  const next = `${path}.new`;
  try {
    const descriptor = openSync(next, "wx", 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new SluiceError("usage", `${next} cannot be written, or is being written.`, {
      fix: `name a file in a folder of yours; remove ${next} where nobody writes it`,
      cause,
    });
  }
  try {
    renameSync(next, path);
  } catch (cause) {
    rmSync(next, { force: true });
    throw new SluiceError("usage", `${path} cannot be replaced.`, { fix: "name a file in a folder of yours", cause });
  }
}
