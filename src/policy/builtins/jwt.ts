/** `io.jwt.*`: JSON Web Tokens (RFC 7515, 7518, 7519, 8037) by node:crypto; encrypted ones are refused, as in OPA. */
import type { RegoObject, RegoValue } from "../rego-value.ts";
import {
  type Builtin,
  BuiltinError,
  type BuiltinFamily,
  isObjectValue,
  member,
  object,
  objectOf,
  textOf,
} from "./call.ts";
import { goJsonText, readJson } from "./json-text.ts";
import { ALGORITHMS, type Algorithm, signText, verifyText } from "./jwt-algorithms.ts";
import { type Constraints, checkClaims, readConstraints } from "./jwt-claims.ts";
import { type KeyEntry, readKeys, readSigningKey } from "./jwt-keys.ts";

export const BUILTINS: BuiltinFamily = {
  "io.jwt.decode": (operands) => decode(textOf(operands, 0)),
  "io.jwt.decode_verify": (operands, { nowNs }) =>
    decodeVerify(textOf(operands, 0), readConstraints(objectOf(operands, 1), nowNs)),
  "io.jwt.encode_sign": ([headers = null, payload = null, key = null]) =>
    encodeSign(goJsonText(headers), goJsonText(payload), goJsonText(key)),
  "io.jwt.encode_sign_raw": (operands) => encodeSign(textOf(operands, 0), textOf(operands, 1), textOf(operands, 2)),
  ...Object.fromEntries(
    ALGORITHMS.map((algorithm) => [`io.jwt.verify_${algorithm.toLowerCase()}`, verifier(algorithm)]),
  ),
};

interface Token {
  readonly header: RegoObject;
  /** What is signed: header and payload as they are written. */
  readonly signed: string;
  readonly payload: string;
  readonly signature: string;
}

function split(text: string): readonly [string, string, string] {
  const parts = text.split(".");
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    throw new BuiltinError("a token has three parts");
  return [header, payload, signature];
}

function readToken(text: string): Token {
  const [head, payload, signature] = split(text);
  const header = readObject(bytesOf(head).toString("utf8"));
  if (member(header, "enc") !== undefined) throw new BuiltinError("encrypted tokens are not supported");
  return { header, signed: `${head}.${payload}`, payload, signature };
}

/** Padding may be left out, and must be whole when it is there. */
function bytesOf(text: string): Buffer {
  const padded = text.endsWith("=") ? text : text.padEnd(Math.ceil(text.length / 4) * 4, "=");
  const clean = padded.replaceAll(/[\r\n]/g, "");
  if (clean.length % 4 !== 0 || !/^[A-Za-z0-9_-]*={0,2}$/.test(clean)) throw new BuiltinError("invalid base64url");
  return Buffer.from(clean, "base64url");
}

function readObject(text: string): RegoObject {
  const value = readJson(text);
  if (!isObjectValue(value)) throw new BuiltinError("the JSON is not an object");
  return value;
}

function textMember(header: RegoObject, name: string): string {
  const value = member(header, name);
  if (value !== undefined && typeof value !== "string") throw new BuiltinError(`${name} is not a string`);
  return value ?? "";
}

function decode(text: string): RegoValue {
  const { header, payload, signature } = readToken(text);
  const content = bytesOf(payload).toString("utf8");
  if (textMember(header, "cty") === "JWT") return decode(content.replaceAll(/^["']+|["']+$/g, ""));
  return [header, readObject(content), bytesOf(signature).toString("hex")];
}

function verifier(algorithm: Algorithm): Builtin {
  if (algorithm.startsWith("HS"))
    return (operands) => verifySecret(algorithm, textOf(operands, 0), textOf(operands, 1));
  return (operands) => {
    const text = textOf(operands, 0);
    split(text);
    const keys = readKeys(textOf(operands, 1));
    const token = readToken(text);
    const signature = bytesOf(token.signature);
    const { alg, kid } = namesOf(token.header);
    return someKey(keys, kid, alg, ({ key }) => verifyText(algorithm, key, token.signed, signature));
  };
}

/** The header does not matter here, and is not even read. */
function verifySecret(algorithm: Algorithm, text: string, secret: string): boolean {
  const [head, payload, signature] = split(text);
  return verifyText(algorithm, Buffer.from(secret), `${head}.${payload}`, bytesOf(signature));
}

function namesOf(header: RegoObject): { alg: string; kid: string; cty: string } {
  for (const name of ["typ"]) textMember(header, name);
  return { alg: textMember(header, "alg"), kid: textMember(header, "kid"), cty: textMember(header, "cty") };
}

/** The key that the token names, when there is one, decides alone. */
function someKey(keys: readonly KeyEntry[], kid: string, alg: string, verify: (key: KeyEntry) => boolean): boolean {
  const named = kid === "" ? undefined : keys.find((key) => key.kid === kid);
  if (named !== undefined) return verify(named);
  return keys.some((key) => (key.alg === "" || key.alg === alg) && verify(key));
}

const UNVERIFIED: RegoValue = [false, object({}), object({})];
/** Tokens in tokens. */
const MAXIMUM_DEPTH = 16;

function decodeVerify(text: string, constraints: Constraints, depth = 0): RegoValue {
  if (depth > MAXIMUM_DEPTH) throw new BuiltinError(`more than ${MAXIMUM_DEPTH} tokens in each other`);
  const token = readToken(text);
  const { alg, kid, cty } = namesOf(token.header);
  if (alg === "" || hasUnknownCritical(token.header)) return UNVERIFIED;
  if (constraints.alg !== "" && constraints.alg !== alg) return UNVERIFIED;
  const signature = bytesOf(token.signature);
  const fits = ({ key }: KeyEntry): boolean =>
    (ALGORITHMS as readonly string[]).includes(alg) && verifyText(alg as Algorithm, key, token.signed, signature);
  const isVerified =
    constraints.keys === null
      ? fits({ alg: "", kid: "", key: Buffer.from(constraints.secret) })
      : someKey(constraints.keys, kid, alg, fits);
  if (!isVerified) return UNVERIFIED;
  const content = bytesOf(token.payload).toString("utf8");
  if (cty.toUpperCase() === "JWT") return decodeVerify(content, constraints, depth + 1);
  const payload = readObject(content);
  return checkClaims(payload, constraints) ? [true, token.header, payload] : UNVERIFIED;
}

const KNOWN_HEADERS = new Set(["alg", "kid", "typ", "cty", "crit"]);

/** RFC 7515 section 4.1.11. */
function hasUnknownCritical(header: RegoObject): boolean {
  const critical = member(header, "crit");
  if (critical === undefined) return false;
  if (!Array.isArray(critical) || critical.length === 0) throw new BuiltinError("crit is not a list of names");
  return header.entries.some(([name]) => !KNOWN_HEADERS.has(name as string) && critical.includes(name));
}

function encodeSign(headers: string, payload: string, key: string): RegoValue {
  const signing = readSigningKey(key);
  const header = readObject(headers);
  const alg = member(header, "alg");
  if (typeof alg !== "string" || !(ALGORITHMS as readonly string[]).includes(alg))
    throw new BuiltinError("the header alg is no known algorithm");
  const type = member(header, "typ");
  if (typeof type !== "string" || type === "JWT") readJson(payload);
  const signed = `${Buffer.from(headers).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`;
  return `${signed}.${signText(alg as Algorithm, signing, signed).toString("base64url")}`;
}
