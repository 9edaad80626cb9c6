/** A URL as Go's encoding/json shows a net/url.URL, and as it prints itself. */
import type { RegoValue } from "../rego-value.ts";
import { isObjectValue, member, object } from "./call.ts";
import { parseUrl } from "./url-text.ts";

/** @throws BuiltinError where Go has an error. */
export function goUrl(text: string): { readonly value: RegoValue; readonly text: string } {
  const parsed = parseUrl(text);
  const at = (key: string): string => {
    const found = isObjectValue(parsed) ? member(parsed, key) : undefined;
    return typeof found === "string" ? found : "";
  };
  const plain = text.replace(/#.*$/s, "");
  const opaque = at("path") === "" && /^[a-zA-Z][a-zA-Z0-9+.-]*:[^/?]/.exec(plain) !== null;
  const authority = /^[^:/?#]+:\/\/([^/?#]*)/.exec(plain)?.[1] ?? "";
  const user = authority.includes("@");
  const value = object({
    Scheme: at("scheme"),
    Opaque: opaque ? plain.replace(/^[^:]*:/, "").replace(/\?.*$/s, "") : "",
    User: user ? object({}) : null,
    Host: authority.slice(authority.lastIndexOf("@") + 1),
    Path: at("path"),
    RawPath: at("raw_path") === at("path") || !isWritten(at("path"), at("raw_path")) ? "" : at("raw_path"),
    OmitHost: false,
    ForceQuery: plain.endsWith("?"),
    RawQuery: at("raw_query"),
    Fragment: at("fragment"),
    RawFragment: "",
  });
  return { value, text };
}

/** Go keeps the written path only where it would itself write another one. */
function isWritten(path: string, raw: string): boolean {
  return encodeURI(path) !== raw;
}
