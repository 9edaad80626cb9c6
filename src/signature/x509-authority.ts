/**
 * Reads `authorities` of the trust folder: who may say, by a certificate, that a key is a listed person's or robot's.
 * A certificate authority of one's own speaks for e-mail addresses, Fulcio for identities that are listed one by one.
 */
import { utf8 } from "../lib/bytes.ts";
import type { Code } from "../lib/codes.ts";
import { asciiLower } from "./email.ts";
import { PUBLIC_GOOD_ROOT } from "./fulcio-public-good.ts";
import { readFulcioRoot } from "./fulcio-root.ts";
import type { CompanyAuthorityYaml, FulcioAuthorityYaml, PeopleYaml } from "./people-schema.ts";
import type { FulcioIdentity, Owner, X509Authority } from "./trust.ts";
import { type Certificate, readCertificate } from "./x509-certificate.ts";
import { PURPOSE } from "./x509-path.ts";
import { readPem } from "./x509-pem.ts";
import { isListOf, type ListedRevocations, readRevocationList } from "./x509-revocation.ts";

type Path = readonly (string | number)[];

/** What reading needs: the folder's files, a place in the trust digest, and how to refuse at a place in people.yaml. */
export interface AuthorityReading {
  readonly file: (name: string, path: Path) => Uint8Array;
  /** Makes bytes from elsewhere part of the trust digest. */
  readonly use: (name: string, bytes: Uint8Array) => void;
  readonly refuse: (path: Path, code: Code, message: string) => never;
  /** `file:line:column` of a place in people.yaml. */
  readonly place: (path: Path) => string;
}

/** @throws SluiceError `trust-authority-invalid`, `not-supported`, `trust-file-missing`, `trust-file-outside` */
export function readX509Authorities(
  { authorities = {} }: Pick<PeopleYaml, "authorities">,
  owners: readonly Owner[],
  reading: AuthorityReading,
): readonly X509Authority[] {
  return Object.entries(authorities).flatMap(([id, entry]) => {
    const place: Place = { path: ["authorities", id], reading };
    if ("certificate" in entry) return [readCompany(id, entry, owners, place)];
    return "root" in entry ? [readFulcio(id, entry, owners, place)] : [];
  });
}

interface Place {
  readonly path: Path;
  readonly reading: AuthorityReading;
}

function at({ path, reading }: Place, ...more: readonly (string | number)[]): Place {
  return { path: [...path, ...more], reading };
}

function invalid({ path, reading }: Place, message: string): never {
  return reading.refuse(path, "trust-authority-invalid", message);
}

function readCompany(id: string, entry: CompanyAuthorityYaml, owners: readonly Owner[], place: Place): X509Authority {
  const anchors = readCertificates(entry.certificate, at(place, "certificate"));
  const { intermediates: file } = entry;
  const intermediates = file === undefined ? [] : readCertificates(file, at(place, "intermediates"));
  const { revocations } = entry;
  const listed = typeof revocations === "string" ? [revocations] : revocations;
  return {
    id,
    place: () => place.reading.place(place.path),
    purposes: [PURPOSE.emailProtection, PURPOSE.codeSigning],
    issuers: [{ anchors, intermediates, from: null, until: null }],
    revocations:
      listed?.flatMap((name) => readLists(name, [...anchors, ...intermediates], at(place, "revocations"))) ?? null,
    names: { kind: "emails", patterns: entry.email.map(asciiLower), owners: ownersByEmail(owners) },
    logs: [],
    certificateLogs: [],
    timestampers: [],
  };
}

function readCertificates(file: string, place: Place): readonly Certificate[] {
  const blocks = readPem(place.reading.file(file, place.path), "CERTIFICATE");
  if (typeof blocks === "string") return invalid(place, `${file} ${blocks}`);
  return blocks.map((der) => {
    const read = readCertificate(der);
    if (read.kind === "refused") return invalid(place, `${file} cannot be used: ${read.detail}`);
    const { isAuthority, keyUsage } = read.extensions;
    if (!isAuthority || keyUsage?.certify === false) {
      return invalid(place, `${file} holds a certificate that is no authority's`);
    }
    if (read.extensions.nameConstraints?.isKnown === false) {
      const message = `${file} holds an authority with name constraints of a kind that is not supported`;
      return place.reading.refuse(place.path, "not-supported", message);
    }
    return read;
  });
}

function readLists(file: string, authorities: readonly Certificate[], place: Place): readonly ListedRevocations[] {
  const blocks = readPem(place.reading.file(file, place.path), "X509 CRL");
  if (typeof blocks === "string") return invalid(place, `${file} ${blocks}`);
  return blocks.map((der) => {
    const list = readRevocationList(der);
    if (typeof list === "string") return invalid(place, `${file} ${list}`);
    const issuer = authorities.find((one) => isListOf(list, one));
    if (issuer !== undefined) return { ...list, issuerKey: issuer.keyFingerprint };
    return invalid(place, `${file} holds a revocation list that none of these authorities signed`);
  });
}

/** Robots that a forge signs for have no certificates of their own. */
function ownersByEmail(owners: readonly Owner[]): ReadonlyMap<string, Owner> {
  const own = owners.filter((owner) => owner.class !== "forge" && owner.forge === undefined);
  return new Map(own.flatMap((owner) => owner.emails.map((email) => [email, owner] as const)));
}

const PUBLIC_GOOD = "public-good";

function readFulcio(
  id: string,
  { root, identities: listed }: FulcioAuthorityYaml,
  owners: readonly Owner[],
  place: Place,
): X509Authority {
  const { reading } = place;
  const isPublic = root === PUBLIC_GOOD;
  const bytes = isPublic ? utf8(JSON.stringify(PUBLIC_GOOD_ROOT)) : reading.file(root, at(place, "root").path);
  if (isPublic) reading.use("authorities:public-good", bytes);
  const read = readFulcioRoot(bytes);
  if (typeof read === "string") return invalid(at(place, "root"), `${root} ${read.replace(/\.$/, "")}`);
  const identities = listed.map((identity, index) => readIdentity(identity, owners, at(place, "identities", index)));
  const owned = new Map<string, string>();
  for (const [index, { issuer, name, owner }] of identities.entries()) {
    const key = JSON.stringify([issuer, Object.entries(name)]);
    const earlier = owned.get(key);
    if (earlier !== undefined) {
      invalid(at(place, "identities", index), `this identity is already listed for ${earlier}`);
    }
    owned.set(key, owner.id);
  }
  return { id, purposes: [PURPOSE.codeSigning], revocations: null, names: { kind: "identities", identities }, ...read };
}

function readIdentity(
  identity: FulcioAuthorityYaml["identities"][number],
  owners: readonly Owner[],
  place: Place,
): FulcioIdentity {
  const { issuer, email, uri, pattern = "" } = identity;
  const owner = ownerOf(identity, owners, place);
  if (email !== undefined) return { issuer, owner, name: { kind: "email", email: asciiLower(email) } };
  return { issuer, owner, name: uri === undefined ? { kind: "pattern", pattern } : { kind: "uri", uri } };
}

function ownerOf(
  { person, robot }: { readonly person?: string | undefined; readonly robot?: string | undefined },
  owners: readonly Owner[],
  place: Place,
): Owner {
  const kind = person === undefined ? "robot" : "person";
  const id = person ?? robot;
  const owner = owners.find((one) => one.class === kind && one.id === id);
  return owner ?? invalid(place, `${id} is not listed under ${kind === "person" ? "people" : "robots"}`);
}
