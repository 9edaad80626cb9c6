/**
 * Trust from what people already have: OpenSSH's `allowed_signers` (signer-line.ts) and armoured keyrings. An invalid line
 * refuses the file: OpenSSH passes over such a line when it stands behind the one that it looks for, and a verdict must
 * not depend on the order of lines.
 */
import { utf8 } from "../lib/bytes.ts";
import { type FilePosition, SluiceError } from "../lib/errors.ts";
import { asciiLower } from "./email.ts";
import { type Certificate, emailsOf } from "./openpgp-certificate.ts";
import { readKeyFile } from "./openpgp-keyfile.ts";
import { readSignerLine, type SignerLine } from "./signer-line.ts";
import { sshKeyFromLine } from "./ssh-key.ts";
import type { KeyTerms, Owner, SshAuthority, Trust, TrustedKey } from "./trust.ts";
import { digestOf } from "./trust-folder.ts";

const MAXIMUM_CHARACTERS = 8 * 1024 * 1024;
const NO_TERMS: KeyTerms = { from: null, until: null, revoked: null, touch: false };

interface PlacedLine extends SignerLine {
  readonly line: number;
}

/** @throws SluiceError `allowed-signers-invalid` with the line, `signer-principal-missing` for a bare public key */
export function readAllowedSigners(text: string, file: string): Trust {
  if (text.length > MAXIMUM_CHARACTERS)
    throw new SluiceError("allowed-signers-invalid", `${file} is larger than 8 MiB.`);
  const lines = text.split(/\r?\n/).flatMap((one, index) => {
    const isEmpty = /^[ \t]*(?:#|$)/.test(one);
    return isEmpty ? [] : [readPlaced(one.trim(), file, index + 1)];
  });
  const owners = new Map(
    lines.filter((one) => !one.isAuthority).map(({ principals }) => [principals, ownerOf(principals)]),
  );
  return {
    owners: [...owners.values()],
    keys: lines.filter((one) => !one.isAuthority).map((one) => toKey(one, owners)),
    sshAuthorities: lines.filter((one) => one.isAuthority).map(toAuthority),
    change: null,
    revokedKeys: [],
    notes: lines.flatMap(({ line, withoutZone }) => withoutZone.map((option) => zoneNote(file, line, option))),
    digest: digestOf(new Map([["allowed_signers", utf8(text)]]), []),
  };
}

function readPlaced(text: string, file: string, line: number): PlacedLine {
  const found = readSignerLine(text);
  if (typeof found !== "string") return { ...found, line };
  const position = { file, line, column: 1 };
  if (sshKeyFromLine(text).kind === "key") throw withoutPrincipal(text, position);
  throw new SluiceError("allowed-signers-invalid", `${file}:${line}:1 ${found}`, { position });
}

/** People hand in the `.pub` file that ssh-keygen wrote; its comment is often the address that lacks. */
function withoutPrincipal(text: string, position: FilePosition): SluiceError {
  const [type = "", base64 = "", comment = ""] = text.split(/[ \t]+/);
  const principal = /^[\w.+-]+@[\w.-]+$/.test(comment) ? comment : "ada@example.com";
  const shown = base64.length > 100 ? `${base64.slice(0, 16)}...` : base64;
  const place = `${position.file}:${position.line}:1`;
  return new SluiceError(
    "signer-principal-missing",
    `${place} is a public key, and whose it is does not stand before it.`,
    {
      position,
      fix: `write this line into a file allowed_signers and name that: ${principal} ${type} ${shown}`,
    },
  );
}

function toKey({ principals, key, terms }: SignerLine, owners: ReadonlyMap<string, Owner>): TrustedKey {
  const { fingerprint, blob } = key;
  return {
    format: "ssh",
    owner: owners.get(principals) ?? ownerOf(principals),
    fingerprint,
    blob,
    key: key.key,
    terms,
  };
}

function toAuthority({ principals, key, terms }: SignerLine): SshAuthority {
  return { fingerprint: key.fingerprint, principals, terms, owners: null };
}

function zoneNote(file: string, line: number, option: string): string {
  return `${file}:${line} ${option} has no zone and is read as UTC; OpenSSH reads it in the zone of the machine.`;
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
