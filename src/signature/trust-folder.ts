/**
 * Reads the trust folder: `people.yaml` and the key files that it names. Everything that is doubtful is refused with its
 * place, and nothing of the folder counts until it is right.
 */

import { decodeUtf8 } from "../lib/bytes.ts";
import { canonicalJson } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { readDocument } from "../lib/document.ts";
import { SluiceError } from "../lib/errors.ts";
import { escapeToken } from "../lib/json-pointer.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import { locate } from "../lib/yaml-position.ts";
import { asciiLower } from "./email.ts";
import { keysOf } from "./openpgp-certificate.ts";
import { readKeyFile } from "./openpgp-keyfile.ts";
import { type KeyYaml, type PeopleYaml, peopleSchema, type SshAuthorityYaml } from "./people-schema.ts";
import { sshKeyFromLine } from "./ssh-key.ts";
import { readRevokedSshKeys } from "./ssh-revoked.ts";
import type { KeyTerms, Owner, SshAuthority, Trust, TrustedKey } from "./trust.ts";
import { comparableFingerprint } from "./verify.ts";
import { type AuthorityReading, readX509Authorities } from "./x509-authority.ts";

const PEOPLE_YAML = "people.yaml";

export interface TrustOptions {
  /** Fingerprints from `gate.yaml` `revoked:`, whole. */
  readonly revokedKeys: readonly string[];
  /** Where the folder lies, for messages: `trust/`. */
  readonly folder?: string;
}

type Path = readonly (string | number)[];

/** What reading needs besides the document: the files, and how to refuse at a place in people.yaml. */
interface Reading {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly used: Map<string, Uint8Array>;
  readonly refuse: (path: Path, code: Code, message: string) => never;
  /** `file:line:column` of a place in people.yaml. */
  readonly place: (path: Path) => string;
  /** Where the folder lies, for messages. */
  readonly folder: string;
}

/**
 * `files` are those of the folder, by their path from it.
 * @throws SluiceError `trust-missing`, `trust-invalid`, `trust-file-outside`, `trust-file-missing`, `trust-key-invalid`,
 *   `trust-key-shared`, `trust-authority-invalid`, `revoked-key-invalid`, `not-supported`, each with file, line and
 *   column where it has a place
 */
export async function readTrustFolder(files: ReadonlyMap<string, Uint8Array>, options: TrustOptions): Promise<Trust> {
  const shown = `${options.folder ?? ""}${PEOPLE_YAML}`;
  const bytes = files.get(PEOPLE_YAML);
  if (bytes === undefined)
    throw new SluiceError("trust-missing", `${shown} is missing; nobody's signature could count.`);
  const text = decodeUtf8(bytes);
  if (text === null) throw new SluiceError("trust-invalid", `${shown} is not UTF-8 text.`);
  const document = readDocument(text, shown, peopleSchema, "trust-invalid");
  const reading = {
    files,
    used: new Map([[PEOPLE_YAML, bytes]]),
    refuse: refuser(text, shown),
    place: (path: Path) => {
      const { line, column } = locate(text, 0, path.map((part) => `/${escapeToken(`${part}`)}`).join(""));
      return `${shown}:${line}:${column}`;
    },
    folder: options.folder ?? "",
  };
  const listed = [...peopleIn(document), ...robotsIn(document), ...forgesIn(document)];
  const owners = listed.map((entry) => entry.owner);
  const keys = listed.flatMap((entry) => entry.keys.flatMap((key, index) => readKey(key, index, entry, reading)));
  const authorities = readAuthorities(document, owners, reading);
  refuseShared([...keys.map(asListing), ...authorities.map((one) => one.listing)], reading);
  const { change } = document;
  const revokedKeys = [...readRevoked(options.revokedKeys), ...authorities.flatMap((one) => one.revokedKeys)];
  return {
    owners,
    keys: keys.map((one) => one.key),
    sshAuthorities: authorities.map((one) => one.authority),
    x509Authorities: readX509Authorities(document, owners, x509Reading(reading)),
    sha1Until: instant(document.sha1Until),
    change: change === undefined ? null : { count: change.count, roles: change.roles },
    revokedKeys,
    digest: digestOf(reading.used, revokedKeys),
  };
}

/** The schema is asked to object at one path, so that the message carries its line and column. */
function refuser(text: string, file: string): Reading["refuse"] {
  return (path, code, message) => {
    const objecting = peopleSchema.superRefine((_, context) => {
      context.addIssue({ code: "custom", path: [...path], message });
    });
    readDocument(text, file, objecting, code);
    throw new SluiceError(code, `${file}: ${message}.`);
  };
}

interface Entry {
  readonly owner: Owner;
  readonly keys: readonly KeyYaml[];
  readonly path: Path;
}

const NOTHING: Omit<Owner, "id" | "class"> = {
  emails: [],
  roles: [],
  accounts: {},
  left: null,
  mayChange: [],
  mayCarry: [],
};

function peopleIn({ people }: PeopleYaml): Entry[] {
  return Object.entries(people).map(([id, entry]) => ({
    owner: {
      ...NOTHING,
      id,
      class: "person",
      emails: entry.email.map(asciiLower),
      roles: entry.roles ?? [],
      accounts: entry.accounts ?? {},
      left: instant(entry.left),
    },
    keys: entry.keys,
    path: ["people", id, "keys"],
  }));
}

function robotsIn({ robots = {} }: PeopleYaml): Entry[] {
  return Object.entries(robots).map(([id, entry]) => ({
    owner: {
      ...NOTHING,
      id,
      class: "robot",
      emails: entry.email.map(asciiLower),
      mayChange: entry.may,
      ...(entry.forge === undefined ? {} : { forge: entry.forge }),
    },
    keys: entry.keys ?? [],
    path: ["robots", id, "keys"],
  }));
}

function forgesIn({ forges = {} }: PeopleYaml): Entry[] {
  return Object.entries(forges).map(([id, entry]) => ({
    owner: { ...NOTHING, id, class: "forge", mayCarry: entry.may },
    keys: entry.keys,
    path: ["forges", id, "keys"],
  }));
}

interface PlacedKey {
  readonly key: TrustedKey;
  readonly path: Path;
  /** Its own and, for OpenPGP, those of its subkeys. */
  readonly fingerprints: readonly string[];
}

function readKey(listed: KeyYaml, index: number, entry: Entry, reading: Reading): readonly PlacedKey[] {
  const path = [...entry.path, index];
  const written = typeof listed === "string" ? shorthand(listed) : listed;
  const terms = readTerms(written);
  if (written.ssh !== undefined) return [sshKey(written.ssh, terms, entry.owner, path, reading)];
  const file = written.file ?? "";
  const bytes = readFile(file, path, reading);
  const text = Buffer.from(bytes).toString("latin1");
  if (text.includes("-----BEGIN PGP")) return openPgpKeys(bytes, file, terms, entry.owner, path, reading);
  if (terms.sha1Until !== undefined) reading.refuse(path, "trust-invalid", "sha1Until is for OpenPGP keys only");
  return [sshKey(text.trim(), terms, entry.owner, path, reading)];
}

/** A line of a key has spaces, a path has none. */
function shorthand(text: string): Exclude<KeyYaml, string> {
  return text.includes(" ") ? { ssh: text } : { file: text };
}

function readTerms(written: Exclude<KeyYaml, string>): KeyTerms {
  const { revoked } = written;
  return {
    from: instant(written.from),
    until: instant(written.until),
    revoked: revoked === undefined ? null : { at: parseTime(revoked.at) ?? 0, reason: revoked.reason },
    touch: written.touch ?? false,
    ...(written.sha1Until === undefined ? {} : { sha1Until: parseTime(written.sha1Until) ?? 0 }),
  };
}

function instant(text: string | undefined): Instant | null {
  return text === undefined ? null : parseTime(text);
}

const INSIDE = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._@+-]+(?:\/[A-Za-z0-9._@+-]+)*$/;

function readFile(file: string, path: Path, { files, used, refuse }: Reading): Uint8Array {
  if (!INSIDE.test(file)) {
    refuse(path, "trust-file-outside", `${JSON.stringify(file)} is not a plain path inside the trust folder`);
  }
  const bytes = files.get(file) ?? refuse(path, "trust-file-missing", `the trust folder has no file ${file}`);
  used.set(file, bytes);
  return bytes;
}

function sshKey(line: string, terms: KeyTerms, owner: Owner, path: Path, { refuse }: Reading): PlacedKey {
  const found = sshKeyFromLine(line);
  if (found.kind === "refused") return refuse(path, "trust-key-invalid", found.detail.replace(/\.$/, ""));
  const { fingerprint, blob, key } = found;
  return { key: { format: "ssh", owner, fingerprint, blob, key, terms }, path, fingerprints: [fingerprint] };
}

function openPgpKeys(
  bytes: Uint8Array,
  file: string,
  terms: KeyTerms,
  owner: Owner,
  path: Path,
  { refuse }: Reading,
): readonly PlacedKey[] {
  const found = readKeyFile(bytes);
  if (typeof found === "string") return refuse(path, "trust-key-invalid", `${file} ${found}`);
  const unusable = found.find(({ certificate }) => certificate.primary.signing === null)?.certificate.fingerprint;
  if (unusable !== undefined)
    refuse(path, "trust-key-invalid", `${file}: the key ${unusable} is of a kind that is not supported`);
  return found.map(({ certificate, binary }) => ({
    key: { format: "openpgp", owner, fingerprint: certificate.fingerprint, certificate: binary, terms },
    path,
    fingerprints: keysOf(certificate).map((key) => key.fingerprint),
  }));
}

/** Whose a key is, or that it is an authority's: no key is listed twice. */
interface Listing {
  readonly owner: string;
  readonly path: Path;
  readonly fingerprints: readonly string[];
}

function asListing({ key, path, fingerprints }: PlacedKey): Listing {
  return { owner: key.owner.id, path, fingerprints };
}

function refuseShared(listings: readonly Listing[], { refuse }: Reading): void {
  const owners = new Map<string, string>();
  for (const { owner, path, fingerprints } of listings) {
    for (const fingerprint of new Set(fingerprints)) {
      const earlier = owners.get(fingerprint);
      if (earlier !== undefined)
        refuse(path, "trust-key-shared", `the key ${fingerprint} is already listed for ${earlier}`);
      owners.set(fingerprint, owner);
    }
  }
}

interface ListedAuthority {
  readonly authority: SshAuthority;
  readonly listing: Listing;
  /** From its list of revoked keys; a list that is named and missing refuses the folder. */
  readonly revokedKeys: readonly string[];
}

function readAuthorities(
  { authorities = {} }: PeopleYaml,
  owners: readonly Owner[],
  reading: Reading,
): readonly ListedAuthority[] {
  const named = owners.filter((owner) => owner.class !== "forge");
  return Object.entries(authorities).flatMap(([id, entry]) =>
    "ssh" in entry ? [readSshAuthority(entry, named, ["authorities", id], reading)] : [],
  );
}

function x509Reading(reading: Reading): AuthorityReading {
  return {
    file: (name, path) => readFile(name, path, reading),
    use: (name, bytes) => void reading.used.set(name, bytes),
    refuse: reading.refuse,
    place: reading.place,
  };
}

function readSshAuthority(
  { ssh, email, from, until, touch = false, revocations }: SshAuthorityYaml,
  owners: readonly Owner[],
  path: Path,
  reading: Reading,
): ListedAuthority {
  const key = sshKeyFromLine(ssh);
  if (key.kind === "refused") {
    return reading.refuse([...path, "ssh"], "trust-key-invalid", key.detail.replace(/\.$/, ""));
  }
  const { fingerprint } = key;
  const terms: KeyTerms = { from: instant(from), until: instant(until), revoked: null, touch };
  const list = revocations === undefined ? null : readFile(revocations, [...path, "revocations"], reading);
  return {
    authority: { id: String(path[1]), fingerprint, principals: email.join(), terms, owners },
    listing: { owner: `the authority ${path[1]}`, path, fingerprints: [fingerprint] },
    revokedKeys: list === null ? [] : readRevokedSshKeys(list, `${reading.folder}${revocations}`),
  };
}

const WHOLE_FINGERPRINT = /^(?:SHA256:[A-Za-z0-9+/]{43}|[0-9A-F]{40})$/;

/** A short key id would match nothing and so take nothing away: only whole fingerprints are accepted. */
function readRevoked(revokedKeys: readonly string[]): readonly string[] {
  return revokedKeys.map((text) => {
    const whole = comparableFingerprint(text.replaceAll(/\s/g, ""));
    if (WHOLE_FINGERPRINT.test(whole)) return whole;
    throw new SluiceError("revoked-key-invalid", `${JSON.stringify(text)} under revoked is not a whole fingerprint.`);
  });
}

/** SHA-256 over canonical JSON of every file that was read and of the keys taken away. */
export function digestOf(files: ReadonlyMap<string, Uint8Array>, revokedKeys: readonly string[]): string {
  const digests = Object.fromEntries([...files].map(([path, bytes]) => [path, sha256Hex(bytes)]));
  return sha256Hex(canonicalJson({ files: digests, revoked: [...new Set(revokedKeys)].sort() }));
}
