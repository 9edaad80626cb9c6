/** Go's url.Parse, as far as `uri.parse` shows what it found. */
import type { RegoValue } from "../rego-value.ts";
import { parseAddress } from "./address.ts";
import { BuiltinError, object } from "./call.ts";

/** @throws BuiltinError where Go has an error. */
export function parseUrl(text: string): RegoValue {
  if ([...text].some((character) => character < " " || character === "\x7f")) throw wrong("a control character");
  const hash = text.indexOf("#");
  const fragment = hash < 0 ? "" : decodeEscapes(text.slice(hash + 1), "fragment");
  const { scheme, rest: afterScheme } = splitScheme(hash < 0 ? text : text.slice(0, hash));
  const mark = afterScheme.indexOf("?");
  const query = mark < 0 ? "" : afterScheme.slice(mark + 1);
  const { host, path } = splitAuthority(mark < 0 ? afterScheme : afterScheme.slice(0, mark), scheme);
  const decoded = path === null ? "" : decodeEscapes(path, "path");
  const { hostname, port } = splitHost(host);
  const found = { scheme, hostname, port, path: decoded, raw_query: query, fragment };
  const present = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== ""));
  return object(decoded === "" ? present : { ...present, raw_path: rawPath(path ?? "", decoded) });
}

function splitScheme(text: string): { scheme: string; rest: string } {
  const [whole, scheme] = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text) ?? [];
  if (whole !== undefined && scheme !== undefined)
    return { scheme: scheme.toLowerCase(), rest: text.slice(whole.length) };
  if (text.startsWith(":")) throw wrong("no scheme before the colon");
  return { scheme: "", rest: text };
}

/** path is null for an opaque URL (`mailto:x`), which has none. */
function splitAuthority(text: string, scheme: string): { host: string; path: string | null } {
  if (!text.startsWith("/")) {
    if (scheme !== "") return { host: "", path: null };
    const [first = ""] = text.split("/");
    if (first.includes(":")) throw wrong("a colon in the first part of the path");
  }
  if (!text.startsWith("//") || (scheme === "" && text.startsWith("///"))) return { host: "", path: text };
  const [authority = ""] = text.slice(2).split("/");
  return { host: hostOf(authority, scheme), path: text.slice(2 + authority.length) };
}

function hostOf(authority: string, scheme: string): string {
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  if (!/^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(user)) throw wrong("invalid user information");
  decodeEscapes(user, "user");
  const host = authority.slice(at + 1);
  const bracket = host.lastIndexOf("]");
  if (host.startsWith("[") && parseAddress(host.slice(1, bracket).replace(/%25.+$/, "")) === null)
    throw wrong("no IPv6 address in its brackets");
  const port = host.startsWith("[")
    ? host.slice(bracket + 1)
    : host.includes(":")
      ? host.slice(host.lastIndexOf(":"))
      : "";
  if (!/^(?::\d*)?$/.test(port)) throw wrong("an invalid port after the host");
  const name = host.slice(0, host.length - port.length);
  if (!host.startsWith("[") && /[\x20"<>^`{}|\\[]/.test(host)) throw wrong("an invalid character in the host");
  // Elsewhere Go lets a list of hosts pass, as databases have it.
  if (!host.startsWith("[") && name.includes(":") && (scheme === "http" || scheme === "https"))
    throw wrong("more than one colon in the host");
  return decodeEscapes(host, "host");
}

function splitHost(host: string): { hostname: string; port: string } {
  const [, bracketed, plain = "", port = ""] = /^(?:\[(.*)\]|(.*?))(?::(\d*))?$/s.exec(host) ?? [];
  return { hostname: bracketed ?? plain, port };
}

/** In a host only what is no ASCII letter may be escaped. */
function decodeEscapes(text: string, part: "path" | "host" | "user" | "fragment"): string {
  for (const [one] of text.matchAll(/%.{0,2}/gs)) {
    if (!/^%[0-9a-fA-F]{2}$/.test(one)) throw wrong("an invalid escape");
    if (part === "host" && Number.parseInt(one.slice(1), 16) < 0x80 && one !== "%25")
      throw wrong("an invalid escape in the host");
  }
  const latin = Buffer.from(text).toString("latin1");
  const bytes = latin.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Go keeps the escaped form only where its own escaping of the path would differ. */
function rawPath(path: string, decoded: string): string {
  const usual = encodeURIComponent(decoded)
    .replaceAll(/%(2F|24|26|2B|2C|3A|3B|3D|40)/g, (one) => decodeURIComponent(one))
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return path === usual ? decoded : path;
}

function wrong(what: string): BuiltinError {
  return new BuiltinError(`the URL has ${what}`);
}
