/** The formats of JSON Schema that OPA checks, each as Go's packages read it; any other format passes. */
import { RE2JS } from "re2js";
import { parseAddress } from "./address.ts";
import { parseTime } from "./time-layout.ts";
import { parseUrl } from "./url-text.ts";

type Format = (text: string) => boolean;

const HOST_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const HOSTNAME = new RegExp(`^${HOST_LABEL}(?:\\.${HOST_LABEL})*$`);
const UUID = /^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/i;
const POINTER = /^(?:\/(?:[^~/]|~0|~1)*)*$/;
const RELATIVE_POINTER = /^(?:0|[1-9][0-9]*)(?:#|(?:\/(?:[^~/]|~0|~1)*)*)$/;
/** Characters of a mailbox's local part and of its domain, RFC 5322 section 3.2.3. */
const ATOM = "[\\p{L}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
const MAILBOX = new RegExp(`^(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\]|\\\\.)+")@${ATOM}(?:\\.${ATOM})*$`, "u");
const NAMED_MAILBOX = /^(?:[^<>@,;:]*)<([^<>]+)>$/;

const DATE = "2006-01-02";
const TIMES = ["15:04:05", "15:04:05Z07:00"];
const DATE_TIMES = [...TIMES, DATE, "2006-01-02T15:04:05Z07:00"];

const FORMATS: Readonly<Record<string, Format>> = {
  date: (text) => isTime(text, [DATE]),
  time: (text) => isTime(text, TIMES),
  "date-time": (text) => isTime(text, DATE_TIMES),
  hostname: (text) => HOSTNAME.test(text) && Buffer.byteLength(text) < 256,
  email: isMailbox,
  "idn-email": isMailbox,
  ipv4: (text) => text.includes(".") && parseAddress(text) !== null,
  ipv6: (text) => text.includes(":") && parseAddress(text) !== null,
  uri: (text) => isUrl(text) && /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text),
  iri: (text) => isUrl(text) && /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text),
  "uri-reference": isUrl,
  "iri-reference": isUrl,
  "uri-template": (text) => isUrl(text) && /^[^{]*(?:\{[^}]*\}[^{]*)*$/.test(text.replace(/[?#].*$/s, "")),
  uuid: (text) => UUID.test(text),
  regex: (text) => text === "" || passes(() => RE2JS.compile(text)),
  "json-pointer": (text) => POINTER.test(text),
  "relative-json-pointer": (text) => RELATIVE_POINTER.test(text),
};

export function isOfFormat(name: string, text: string): boolean {
  return Object.hasOwn(FORMATS, name) ? (FORMATS[name]?.(text) ?? true) : true;
}

function passes(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

function isTime(text: string, layouts: readonly string[]): boolean {
  return layouts.some((layout) => passes(() => parseTime(text, layout)));
}

function isUrl(text: string): boolean {
  return !text.includes("\\") && passes(() => parseUrl(text));
}

function isMailbox(text: string): boolean {
  const trimmed = text.trim();
  const address = NAMED_MAILBOX.exec(trimmed)?.[1] ?? trimmed;
  const literal = /@\[([^[\]@]*)\]$/.exec(address);
  if (literal === null) return MAILBOX.test(address);
  return parseAddress(literal[1] ?? "") !== null && MAILBOX.test(address.replace(literal[0], "@a"));
}
