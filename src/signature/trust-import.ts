/**
 * A first `people.yaml` from what people already have: allowed_signers, armoured keyrings, the Secret with which Flux
 * verifies, and the signatures of a history. What is found is a proposal for people to read: a key in a history proves
 * only that its holder could push, so every fingerprint is written beside its key, to be compared with its owner.
 */
import type { Commit } from "../git/object.ts";
import { encodeBase64 } from "../lib/bytes.ts";
import type { Code } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { readYamlDocuments } from "../lib/yaml.ts";
import { readAllowedSigners } from "./allowed-signers.ts";
import { splitCommit } from "./commit-payload.ts";
import { asciiLower } from "./email.ts";
import { keyInSignature } from "./formats/ssh.ts";
import { emailsOf } from "./openpgp-certificate.ts";
import { readKeyFile } from "./openpgp-keyfile.ts";
import { sshKeyFromBlob, sshKeyFromLine } from "./ssh-key.ts";
import type { KeyTerms, SshAuthority, Trust } from "./trust.ts";
import type { Verification } from "./verification.ts";

export interface FoundKey {
  readonly format: "ssh" | "openpgp";
  readonly fingerprint: string;
  /** `type base64` of an SSH key; the binary certificate of an OpenPGP one. */
  readonly line: string | null;
  readonly certificate: Uint8Array | null;
  /** Of its owner, as the source has them; lower case. */
  readonly emails: readonly string[];
  readonly from: number | null;
  readonly until: number | null;
  /** Where it was found, for people: `allowed_signers:3`, `12 of 500 commits`. */
  readonly source: string;
}

export interface FoundAuthority {
  readonly line: string;
  readonly fingerprint: string;
  readonly patterns: readonly string[];
  readonly from: number | null;
  readonly until: number | null;
  readonly source: string;
}

/** Something that cannot become an entry, and why. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}

export interface Found {
  readonly keys: readonly FoundKey[];
  readonly authorities: readonly FoundAuthority[];
  readonly skipped: readonly Skipped[];
}

const EMAIL = /^[^\s@<>]+@[^\s@<>]+$/;
const COMMITS = "git";

/** @throws SluiceError `allowed-signers-invalid` */
export function importAllowedSigners(text: string, file: string): Found {
  const trust = readAllowedSigners(text, file);
  const skipped: Skipped[] = [];
  const keys = trust.keys.flatMap(({ format, fingerprint, owner, terms, ...key }): FoundKey[] => {
    const why = reasonToSkip(owner.emails, terms);
    if (why !== null || format !== "ssh" || !("blob" in key)) {
      skipped.push({ what: `${owner.id} ${fingerprint}`, why: why ?? "it is no SSH key" });
      return [];
    }
    const { from, until } = terms;
    return [
      {
        format,
        fingerprint,
        line: lineOf(key.blob),
        certificate: null,
        emails: owner.emails,
        from,
        until,
        source: file,
      },
    ];
  });
  return { keys, authorities: authoritiesOf(trust, text, file), skipped };
}

function reasonToSkip(emails: readonly string[], terms: KeyTerms): string | null {
  const isForCommits =
    terms.namespaces === undefined || terms.namespaces.some((list) => list.split(",").includes(COMMITS));
  if (!isForCommits) return "it is listed for another namespace than git";
  return emails.length === 0 ? "its principals name no single e-mail address" : null;
}

function lineOf(blob: Uint8Array): string {
  const key = sshKeyFromBlob(blob);
  return `${key.kind === "key" ? key.type : ""} ${encodeBase64(blob)}`;
}

/** The authority's key stands on its line; a pattern of Trust does not keep it. */
function authoritiesOf({ sshAuthorities = [] }: Trust, text: string, file: string): readonly FoundAuthority[] {
  const lines = new Map<string, string>();
  for (const found of text.matchAll(/((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+=*)/g)) {
    const key = sshKeyFromLine(found[0]);
    if (key.kind === "key") lines.set(key.fingerprint, lineOf(key.blob));
  }
  return sshAuthorities.map(({ fingerprint, principals, terms: { from, until } }: SshAuthority) => {
    const line = lines.get(fingerprint) ?? "";
    return { line, fingerprint, patterns: principals.split(","), from, until, source: file };
  });
}

/** @throws SluiceError `keyring-invalid` */
export function importKeyring(bytes: Uint8Array, file: string): Found {
  const found = readKeyFile(bytes);
  if (typeof found === "string") throw new SluiceError("keyring-invalid", `${file} ${found}.`);
  const skipped: Skipped[] = [];
  const keys = found.flatMap(({ certificate, binary }): FoundKey[] => {
    const emails = emailsOf(certificate);
    const { fingerprint } = certificate;
    if (certificate.primary.signing === null || emails.length === 0) {
      const why =
        emails.length === 0 ? "no user id of it that stands is an e-mail address" : "its kind is not supported";
      skipped.push({ what: fingerprint, why });
      return [];
    }
    return [
      {
        format: "openpgp",
        fingerprint,
        line: null,
        certificate: binary,
        emails,
        from: null,
        until: null,
        source: file,
      },
    ];
  });
  return { keys, authorities: [], skipped };
}

/**
 * The Secret that `spec.verify.secretRef` of a GitRepository names: each entry is an armoured keyring or lines of public
 * SSH keys. SSH keys say no e-mail address unless their comment is one.
 * @throws SluiceError `trust-import-invalid`
 */
export function importFluxSecret(text: string, file: string): Found {
  const entries = secretEntries(text, file);
  const parts = entries.map(([name, bytes]): Found => {
    const content = Buffer.from(bytes).toString("latin1");
    const source = `${file} ${name}`;
    if (content.includes("-----BEGIN PGP PUBLIC KEY BLOCK-----")) return importKeyring(bytes, source);
    return importKeyLines(content, source);
  });
  return joined(parts);
}

function secretEntries(text: string, file: string): readonly (readonly [string, Uint8Array])[] {
  const reading = readYamlDocuments(text, file);
  if (reading.kind === "refused") {
    const { message, line, column } = reading.failure;
    throw invalid(`${file}:${line}:${column} ${message}`, { file, line, column });
  }
  const entries = reading.documents.flatMap(({ value }) => {
    const secret = value as { kind?: unknown; data?: unknown; stringData?: unknown } | null;
    if (typeof secret !== "object" || secret?.kind !== "Secret") return [];
    return [...texts(secret.data, "base64"), ...texts(secret.stringData, "utf8")];
  });
  if (entries.length === 0) throw invalid(`${file} holds no Secret with keys.`, null);
  return entries;
}

function texts(section: unknown, encoding: "base64" | "utf8"): readonly (readonly [string, Uint8Array])[] {
  if (typeof section !== "object" || section === null) return [];
  return Object.entries(section).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, new Uint8Array(Buffer.from(value, encoding))] as const] : [],
  );
}

function importKeyLines(content: string, source: string): Found {
  const skipped: Skipped[] = [];
  const keys = content.split(/\r?\n/).flatMap((line): FoundKey[] => {
    if (/^\s*(?:#|$)/.test(line)) return [];
    const key = sshKeyFromLine(line);
    const comment = line.trim().split(/[ \t]+/)[2] ?? "";
    if (key.kind === "refused" || !EMAIL.test(comment)) {
      const why = key.kind === "refused" ? "it is no key that can be listed" : "its comment is no e-mail address";
      skipped.push({ what: key.kind === "key" ? `${source} ${key.fingerprint}` : source, why });
      return [];
    }
    const emails = [asciiLower(comment)];
    const { fingerprint, blob } = key;
    return [
      { format: "ssh", fingerprint, line: lineOf(blob), certificate: null, emails, from: null, until: null, source },
    ];
  });
  return { keys, authorities: [], skipped };
}

/**
 * SSH signatures contain their key; git signs as the committer. `verifications` are those of a trust that lists nobody:
 * `unknown-signer` then says that the mathematics is right.
 */
export function importHistory(
  commits: readonly Commit[],
  verifications: readonly Verification[],
  objectFormat: "sha1" | "sha256",
): Found {
  const ssh = new Map<string, { line: string; emails: Set<string>; count: number }>();
  const others = new Map<string, number>();
  for (const [index, commit] of commits.entries()) {
    const verification = verifications[index];
    if (verification?.kind !== "rejected" || verification.reason !== "unknown-signer") continue;
    const split = splitCommit(commit.raw, objectFormat);
    const key = split.kind === "signed" && split.format === "ssh" ? keyInSignature(split.signature) : null;
    if (key === null) {
      others.set(verification.detail, (others.get(verification.detail) ?? 0) + 1);
      continue;
    }
    const entry = ssh.get(key.fingerprint) ?? { line: lineOf(key.blob), emails: new Set<string>(), count: 0 };
    if (EMAIL.test(commit.committer.email)) entry.emails.add(asciiLower(commit.committer.email));
    ssh.set(key.fingerprint, { ...entry, count: entry.count + 1 });
  }
  const found = [...ssh].map(([fingerprint, { line, emails, count }]) => ({
    fingerprint,
    line,
    emails: [...emails].sort(),
    count,
  }));
  return {
    keys: found
      .filter(({ emails }) => emails.length > 0)
      .map(({ count, ...key }) => ({
        ...key,
        format: "ssh",
        certificate: null,
        from: null,
        until: null,
        source: `${count} of ${commits.length} commits`,
      })),
    authorities: [],
    skipped: [
      ...found
        .filter(({ emails }) => emails.length === 0)
        .map(({ fingerprint }) => ({ what: fingerprint, why: "no committer has an e-mail address" })),
      ...[...others].map(([detail, count]) => ({
        what: `${count} of ${commits.length} commits`,
        why: detail.replace(/\.$/, ""),
      })),
    ],
  };
}

export function joined(parts: readonly Found[]): Found {
  return {
    keys: parts.flatMap((part) => part.keys),
    authorities: parts.flatMap((part) => part.authorities),
    skipped: parts.flatMap((part) => part.skipped),
  };
}

function invalid(message: string, position: { file: string; line: number; column: number } | null): SluiceError {
  const code: Code = "trust-import-invalid";
  return new SluiceError(code, message, { position });
}
