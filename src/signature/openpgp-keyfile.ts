/** Armoured public keys (`gpg --armor --export`), several certificates and several blocks a file. */
import { concatBytes } from "../lib/bytes.ts";
import { readArmour } from "./armour.ts";
import { type Certificate, readCertificate, splitCertificates } from "./openpgp-certificate.ts";
import { readPackets } from "./openpgp-packets.ts";

const BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END = "-----END PGP PUBLIC KEY BLOCK-----";
const BEGIN_PRIVATE = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
const MAXIMUM_BYTES = 8 * 1024 * 1024;

/** A certificate with its own binary form. */
export interface ListedCertificate {
  readonly certificate: Certificate;
  readonly binary: Uint8Array;
}

/** All certificates of a file, or a clause saying why it is not one. Text between blocks is skipped. */
export function readKeyFile(bytes: Uint8Array): readonly ListedCertificate[] | string {
  if (bytes.byteLength > MAXIMUM_BYTES) return "is larger than 8 MiB";
  const text = Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n");
  // `cat *.asc` glues two blocks together where a file does not end in a line feed.
  const lines = text.replaceAll(`${END}${BEGIN}`, `${END}\n${BEGIN}`).split("\n");
  if (lines.includes(BEGIN_PRIVATE)) return "holds a private key";
  const found: ListedCertificate[] = [];
  for (let start = lines.indexOf(BEGIN); start !== -1; start = lines.indexOf(BEGIN, start + 1)) {
    const end = lines.indexOf(END, start);
    const block = lines.slice(start, end === -1 ? undefined : end + 1).join("\n");
    const binary = readArmour(block, { begin: BEGIN, end: END, openPgp: true }, block.length);
    const certificates = typeof binary === "string" ? binary : readCertificates(binary);
    if (typeof certificates === "string") return certificates;
    found.push(...certificates);
  }
  return found.length === 0 ? "holds no armoured OpenPGP public key" : withoutCopies(found);
}

/** Copies in several blocks are one certificate, as they are in one block. */
function withoutCopies(found: readonly ListedCertificate[]): readonly ListedCertificate[] | string {
  const fingerprints = new Set(found.map(({ certificate }) => certificate.fingerprint));
  return fingerprints.size === found.length ? found : readCertificates(concatBytes(...found.map((one) => one.binary)));
}

/** The certificates of a binary keyring, in order; what stands in several copies of one counts together. */
export function readCertificates(binary: Uint8Array): readonly ListedCertificate[] | string {
  const packets = readPackets(binary);
  const groups = typeof packets === "string" ? packets : splitCertificates(packets);
  if (typeof groups === "string") return groups;
  const found: ListedCertificate[] = [];
  for (const group of groups) {
    const certificate = readCertificate(group);
    if (typeof certificate === "string") return certificate;
    found.push({ certificate, binary: concatBytes(...group.map((packet) => packet.bytes)) });
  }
  return found;
}
