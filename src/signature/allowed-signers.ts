/**
 * Trust from what people already have: OpenSSH's `allowed_signers` (ssh-keygen(1) ALLOWED SIGNERS) and armoured keyrings.
 *
 *   principals [options] keytype base64 [comment]
 *   principals   pattern list, may stand in double quotes
 *   options      namespaces="a,b"  valid-after="YYYYMMDD[HHMM[SS]][Z]"  valid-before="..."  cert-authority
 *
 * A repeated or unknown option refuses the file. A time without zone is UTC: OpenSSH takes the local zone, and a verdict
 * must not depend on where it is given. Both bounds are inclusive, to the second.
 */
import { utf8 } from "../lib/bytes.ts";
import type { Code } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import { asciiLower } from "./email.ts";
import { type Certificate, emailsOf } from "./openpgp-certificate.ts";
import { readKeyFile } from "./openpgp-keyfile.ts";
import { sshKeyFromLine } from "./ssh-key.ts";
import type { KeyTerms, Owner, Trust, TrustedKey } from "./trust.ts";
import { digestOf } from "./trust-folder.ts";

const MAXIMUM_CHARACTERS = 8 * 1024 * 1024;
const NO_TERMS: KeyTerms = { from: null, until: null, revoked: null, touch: false };

/** @throws SluiceError `allowed-signers-invalid`, `not-supported` (certificate authorities), with the line */
export function readAllowedSigners(text: string, file: string): Trust {
  if (text.length > MAXIMUM_CHARACTERS)
    throw new SluiceError("allowed-signers-invalid", `${file} is larger than 8 MiB.`);
  const keys = text.split(/\r?\n/).flatMap((line, index) => {
    const isEmpty = /^[ \t]*(?:#|$)/.test(line);
    return isEmpty ? [] : [readLine(line.trim(), (code, message) => refuse(code, message, file, index + 1))];
  });
  const owners = [...new Map(keys.map(({ owner }) => [owner.id, owner])).values()];
  const shared = new Map(owners.map((owner) => [owner.id, owner]));
  return {
    owners,
    keys: keys.map((key) => ({ ...key, owner: shared.get(key.owner.id) ?? key.owner })),
    change: null,
    revokedKeys: [],
    digest: digestOf(new Map([["allowed_signers", utf8(text)]]), []),
  };
}

type Refuse = (code: Code, message: string) => never;

function refuse(code: Code, message: string, file: string, line: number): never {
  throw new SluiceError(code, `${file}:${line}:1 ${message}`, { position: { file, line, column: 1 } });
}

const PRINCIPALS = /^(?:"([^"]+)"|([^\s"]+))[ \t]+(.*)$/;

function readLine(line: string, refuse: Refuse): TrustedKey {
  const match = PRINCIPALS.exec(line);
  if (match === null) return refuse("allowed-signers-invalid", "a line is principals, options, key type and key.");
  const principals = match[1] ?? match[2] ?? "";
  const rest = match[3] ?? "";
  const bare = sshKeyFromLine(rest);
  const split = bare.kind === "key" ? { options: "", key: rest } : splitOptions(rest, refuse);
  const terms = split.options === "" ? NO_TERMS : readOptions(split.options, refuse);
  const key = sshKeyFromLine(split.key);
  if (key.kind === "refused") {
    return refuse(key.reason === "not-supported" ? "not-supported" : "allowed-signers-invalid", key.detail);
  }
  const { fingerprint, blob } = key;
  return { format: "ssh", owner: ownerOf(principals), fingerprint, blob, key: key.key, terms };
}

/** Options end at the first space outside quotes. */
function splitOptions(text: string, refuse: Refuse): { options: string; key: string } {
  const match = /^((?:[^\s"]|"[^"]*")+)[ \t]+(.+)$/.exec(text);
  if (match === null) return refuse("allowed-signers-invalid", "a line is principals, options, key type and key.");
  return { options: match[1] ?? "", key: match[2] ?? "" };
}

const OPTION = /^([A-Za-z-]+)(?:="([^"]*)")?(?:,|$)/;

function readOptions(text: string, refuse: Refuse): KeyTerms {
  const options = new Map<string, string | undefined>();
  let rest = text;
  while (rest !== "") {
    const match = OPTION.exec(rest);
    if (match === null)
      return refuse("allowed-signers-invalid", `the options cannot be read at ${JSON.stringify(rest.slice(0, 40))}.`);
    const name = asciiLower(match[1] ?? "");
    if (options.has(name)) return refuse("allowed-signers-invalid", `the option ${name} stands twice.`);
    options.set(name, match[2]);
    rest = rest.slice(match[0].length);
  }
  return toTerms(options, refuse);
}

function toTerms(options: ReadonlyMap<string, string | undefined>, refuse: Refuse): KeyTerms {
  let terms = NO_TERMS;
  for (const [name, value] of options) {
    if (name === "cert-authority") return refuse("not-supported", "SSH certificate authorities are not supported yet.");
    if (value === undefined || value === "")
      return refuse("allowed-signers-invalid", `the option ${name} has no value.`);
    if (name === "namespaces") terms = { ...terms, namespaces: [value] };
    else if (name === "valid-after") terms = { ...terms, from: readTime(value, refuse) };
    else if (name === "valid-before") terms = { ...terms, until: readTime(value, refuse) + 1000 };
    else return refuse("allowed-signers-invalid", `the option ${name} is not known.`);
  }
  if (terms.from !== null && terms.until !== null && terms.until - 1000 <= terms.from) {
    return refuse("allowed-signers-invalid", "valid-before must be later than valid-after.");
  }
  return terms;
}

const TIME = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(?:Z|UTC)?$/;

function readTime(text: string, refuse: Refuse): Instant {
  const match = TIME.exec(text);
  const [year = "", month = "", day = "", hour = "00", minute = "00", second = "00"] = match?.slice(1) ?? [];
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const at = match === null ? Number.NaN : Date.parse(written);
  if (!Number.isNaN(at) && new Date(at).toISOString() === written) return at;
  return refuse(
    "allowed-signers-invalid",
    `${JSON.stringify(text)} is not a time such as 20270131 or 20270131235959Z.`,
  );
}

/** The principals as written name the owner; those without wildcards are addresses too. */
function ownerOf(principals: string): Owner {
  const exact = principals.split(",").filter((one) => !/[*?!]/.test(one) && one.includes("@"));
  return { ...person(principals, exact.map(asciiLower)), principals };
}

function person(id: string, emails: readonly string[]): Owner {
  return { id, class: "person", emails, roles: [], accounts: {}, left: null, mayChange: [], mayCarry: [] };
}

/**
 * An armoured OpenPGP keyring. Each certificate belongs to the e-mail of its primary user id (or its fingerprint, where it
 * has none); two certificates with one e-mail belong to one owner.
 * @throws SluiceError `keyring-invalid`
 */
export async function readKeyring(bytes: Uint8Array): Promise<Trust> {
  const found = readKeyFile(bytes);
  if (typeof found === "string") throw new SluiceError("keyring-invalid", `The keyring ${found}.`);
  const owners = new Map<string, Owner>();
  for (const { certificate } of found) {
    const id = idOf(certificate);
    const emails = new Set([...(owners.get(id)?.emails ?? []), ...emailsOf(certificate)]);
    owners.set(id, person(id, [...emails]));
  }
  const keys = found.map(({ certificate, binary }): TrustedKey => {
    const id = idOf(certificate);
    const owner = owners.get(id) ?? person(id, []);
    return { format: "openpgp", owner, fingerprint: certificate.fingerprint, certificate: binary, terms: NO_TERMS };
  });
  return {
    owners: [...owners.values()],
    keys,
    change: null,
    revokedKeys: [],
    digest: digestOf(new Map([["keyring", bytes]]), []),
  };
}

function idOf(certificate: Certificate): string {
  return emailsOf(certificate)[0] ?? certificate.fingerprint;
}
