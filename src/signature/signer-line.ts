/**
 * One line of OpenSSH's `allowed_signers` (ssh-keygen(1) ALLOWED SIGNERS, sshsig.c parse_principals_key_and_options):
 *
 *   principals [options] keytype base64 [comment]
 *   principals   pattern list, may stand in double quotes
 *   options      cert-authority  namespaces="a,b"  valid-after="T"  valid-before="T", names in any case, commas between;
 *                a value stands in double quotes, \" is a quote in it
 *   T            YYYYMMDD or YYYYMMDDHHMM[SS], then Z or UTC; both bounds are inclusive, to the second
 *
 * A repeated or unknown option makes the line invalid. A time without zone is UTC: OpenSSH takes the local zone, and a
 * verdict must not depend on where it is given.
 */
import type { Instant } from "../lib/time.ts";
import { asciiLower } from "./email.ts";
import { type SshPublicKey, sshKeyFromLine } from "./ssh-key.ts";
import type { KeyTerms } from "./trust.ts";

export interface SignerLine {
  readonly principals: string;
  readonly isAuthority: boolean;
  readonly terms: KeyTerms;
  /** Options whose time has no zone, as written. */
  readonly withoutZone: readonly string[];
  readonly key: SshPublicKey;
}

const MAXIMUM_LINE_CHARACTERS = 32_768;
const PRINCIPALS = /^(?:"([^"]+)"|([^\s"]+))[ \t]+(.*)$/;
/** Options end at the first space outside quotes. */
const OPTIONS = /^((?:\\"|\\(?!")|[^\s"\\]|"(?:\\"|\\(?!")|[^"\\])*")+)[ \t]+(.+)$/;
const OPTION = /^([A-Za-z-]+)(?:="((?:\\"|\\(?!")|[^"\\])*)")?(?:,(?=.)|$)/;
const NO_TERMS: KeyTerms = { from: null, until: null, revoked: null, touch: false };

/** The line, or a sentence saying why it is none. */
export function readSignerLine(line: string): SignerLine | string {
  if (line.length > MAXIMUM_LINE_CHARACTERS) return "a line has at most 32,768 characters.";
  const match = PRINCIPALS.exec(line);
  if (match === null) return "a line is principals, options, key type and key.";
  const principals = match[1] ?? match[2] ?? "";
  const rest = match[3] ?? "";
  const bare = sshKeyFromLine(rest);
  if (bare.kind === "key") {
    return { principals, isAuthority: false, terms: NO_TERMS, withoutZone: [], key: bare };
  }
  const [, written, keyText] = OPTIONS.exec(rest) ?? [];
  if (written === undefined || keyText === undefined) return bare.detail;
  const isOption = /^(?:cert-authority|namespaces|valid-|[a-z-]+=)/i.test(written);
  if (!isOption) return bare.detail;
  const options = readOptions(written);
  if (typeof options === "string") return options;
  const key = sshKeyFromLine(keyText);
  return key.kind === "refused" ? key.detail : { principals, ...options, key };
}

type Options = Pick<SignerLine, "isAuthority" | "terms" | "withoutZone">;

function readOptions(text: string): Options | string {
  const options = new Map<string, string | null>();
  let rest = text;
  while (rest !== "") {
    const match = OPTION.exec(rest);
    if (match === null) return `the options cannot be read at ${JSON.stringify(rest.slice(0, 40))}.`;
    const name = asciiLower(match[1] ?? "");
    if (options.has(name)) return `the option ${name} stands twice.`;
    options.set(name, match[2]?.replaceAll('\\"', '"') ?? null);
    rest = rest.slice(match[0].length);
  }
  return toOptions(options);
}

function toOptions(options: ReadonlyMap<string, string | null>): Options | string {
  let terms = NO_TERMS;
  const withoutZone: string[] = [];
  for (const [name, value] of options) {
    if (!KNOWN.has(name)) return `the option ${name} is not known.`;
    if (name === "cert-authority") {
      if (value !== null) return `the option ${name} has no value.`;
      continue;
    }
    if (value === null || value === "") return `the option ${name} needs a value in double quotes.`;
    if (name === "namespaces") {
      terms = { ...terms, namespaces: [value] };
      continue;
    }
    const at = readTime(value);
    if (at === null) return `${JSON.stringify(value)} is not a time such as 20270131 or 20270131235959Z.`;
    if (!ZONE.test(value)) withoutZone.push(`${name}="${value}"`);
    terms = name === "valid-after" ? { ...terms, from: at } : { ...terms, until: at + 1000 };
  }
  if (terms.from !== null && terms.until !== null && terms.until - 1000 <= terms.from) {
    return "valid-before must be later than valid-after.";
  }
  return { isAuthority: options.has("cert-authority"), terms, withoutZone };
}

const KNOWN = new Set(["cert-authority", "namespaces", "valid-after", "valid-before"]);
const ZONE = /(?:Z|UTC)$/i;
const TIME = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(?:Z|UTC)?$/i;

/** null for what is no time, for 31 February, and as in OpenSSH for the first second of 1970 and what is before it. */
function readTime(text: string): Instant | null {
  const match = TIME.exec(text);
  const [year = "", month = "", day = "", hour = "00", minute = "00", second = "00"] = match?.slice(1) ?? [];
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const at = match === null ? Number.NaN : Date.parse(written);
  return at > 0 && new Date(at).toISOString() === written ? at : null;
}
