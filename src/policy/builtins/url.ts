/** `urlquery.*` and `uri.*` as Go's net/url does them. */
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, object, objectOf, textOf } from "./call.ts";
import { goJson } from "./json-text.ts";
import { parseUrl } from "./url-text.ts";

export const BUILTINS: BuiltinFamily = {
  "urlquery.encode": (operands) => escapeQuery(textOf(operands, 0)),
  "urlquery.decode": (operands) => unescapeQuery(textOf(operands, 0)),
  "urlquery.encode_object": (operands) => encodeObject(goJson(objectOf(operands, 0))),
  "urlquery.decode_object": (operands) => decodeObject(textOf(operands, 0)),
  "uri.is_valid": ([text]) => typeof text === "string" && text !== "" && isUrl(text),
  "uri.parse": (operands) => parseUrl(textOf(operands, 0)),
};

function isUrl(text: string): boolean {
  try {
    parseUrl(text);
    return true;
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return false;
    throw thrown;
  }
}

/** Letters, digits and `-_.~` stay; a space becomes a plus. */
function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}

function unescapeQuery(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new BuiltinError("the text has an invalid URL escape");
  const bytes = Buffer.from(text.replaceAll("+", " ")).toString("latin1");
  const decoded = bytes.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1").toString("utf8");
}

function encodeObject(value: RegoValue): string {
  const pairs: string[] = [];
  for (const [key, one] of objectOf([value], 0).entries) {
    for (const text of Array.isArray(one) ? one : [one]) {
      if (typeof text !== "string") throw new BuiltinError("values must be string, array[string], or set[string]");
      pairs.push(`${escapeQuery(key as string)}=${escapeQuery(text)}`);
    }
  }
  return pairs.join("&");
}

function decodeObject(query: string): RegoValue {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&").filter((part) => part !== "")) {
    if (pair.includes(";")) throw new BuiltinError("the query has a semicolon as separator");
    const at = pair.indexOf("=");
    const [key, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    const name = unescapeQuery(key);
    values.set(name, [...(values.get(name) ?? []), unescapeQuery(value)]);
  }
  return object(Object.fromEntries(values));
}
