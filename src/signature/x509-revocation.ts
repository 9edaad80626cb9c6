/**
 * Certificate revocation lists (RFC 5280 section 5) from the trust folder:
 *
 *   CertificateList  SEQUENCE { tbsCertList, signatureAlgorithm, signature }
 *   tbsCertList      SEQUENCE { version 2, signatureAlgorithm again, issuer, thisUpdate, nextUpdate,
 *                               SEQUENCE OF { serial, revocationDate, extensions }, [0] extensions }
 *
 * Partial lists (a critical issuingDistributionPoint or deltaCRLIndicator) and lists without a next update are refused.
 * Where lists are configured, each certificate below the listed authority must be covered by a current one.
 */
import { encodeHex, equalBytes } from "../lib/bytes.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { isSignedBy, readSignatureAlgorithm, type SignatureAlgorithm } from "./x509-algorithm.ts";
import type { Certificate } from "./x509-certificate.ts";
import {
  boolean,
  childrenOf,
  context,
  DerError,
  type Element,
  Fields,
  integerHex,
  octets,
  oid,
  onlyChild,
  orClause,
  readDer,
  smallInteger,
  TAG,
  time,
  wholeBits,
} from "./x509-der.ts";
import type { CertificatePath } from "./x509-path.ts";

interface Entry {
  readonly at: Instant;
  readonly reason: number;
}

export interface RevocationList {
  readonly issuer: string;
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant;
  readonly revoked: ReadonlyMap<string, Entry>;
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** A list that a listed authority was found to have signed. */
export interface ListedRevocations extends RevocationList {
  /** Fingerprint of that authority's key: two authorities may have one name. */
  readonly issuerKey: string;
}

const MAXIMUM_LIST_BYTES = 8 * 1024 * 1024;
/** The trust folder's own file: as many as fit into it. */
const MAXIMUM_ENTRIES = MAXIMUM_LIST_BYTES;
const REASON_CODE = "2.5.29.21";
const ISSUER_OF_ENTRY = "2.5.29.29";
/** CRLReason: affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn. All others, "unspecified" too, count as compromised. */
const SOFT_REASONS: ReadonlySet<number> = new Set([3, 4, 5, 9]);
const UNSPECIFIED = 0;

/** A list, or a clause saying why it is none. */
export function readRevocationList(der: Uint8Array): RevocationList | string {
  return orClause(() => parse(der));
}

function parse(der: Uint8Array): RevocationList {
  if (der.byteLength > MAXIMUM_LIST_BYTES) throw new DerError("is larger than 8 MiB");
  const outer = new Fields(readDer(der));
  const tbs = outer.next(TAG.sequence);
  const outerAlgorithm = outer.next(TAG.sequence);
  const signature = wholeBits(outer.next(TAG.bitString));
  outer.end();
  const fields = new Fields(tbs);
  if (smallInteger(fields.next(TAG.integer)) !== 1) throw new DerError("is not a revocation list of version 2");
  if (!equalBytes(fields.next(TAG.sequence).whole, outerAlgorithm.whole)) {
    throw new DerError("names two signature algorithms");
  }
  const issuer = encodeHex(fields.next(TAG.sequence).whole);
  const thisUpdate = time(fields.next());
  const next = fields.optional(TAG.utcTime, TAG.generalizedTime);
  if (next === null) throw new DerError("does not say when the next one comes");
  const entries = fields.optional(TAG.sequence);
  const extensions = fields.optional(context(0));
  fields.end();
  refuseCritical(extensions === null ? [] : childrenOf(onlyChild(extensions)));
  const algorithm = readSignatureAlgorithm(outerAlgorithm);
  if (algorithm.kind === "refused") throw new DerError("uses a signature algorithm that is not supported");
  const listed = entries === null ? [] : childrenOf(entries, "der", MAXIMUM_ENTRIES).map(readEntry);
  const revoked = new Map(listed);
  if (revoked.size !== listed.length) throw new DerError("names a certificate twice");
  return { issuer, thisUpdate, nextUpdate: time(next), revoked, tbs: tbs.whole, algorithm, signature };
}

function readEntry(element: Element): readonly [string, Entry] {
  const fields = new Fields(element);
  const serial = integerHex(fields.next(TAG.integer));
  const at = time(fields.next());
  const extensions = fields.optional(TAG.sequence);
  fields.end();
  const list = extensions === null ? [] : childrenOf(extensions);
  refuseCritical(list);
  const reason = list.map(readExtension).find(({ id }) => id === REASON_CODE)?.value;
  return [serial, { at, reason: reason === undefined ? UNSPECIFIED : smallInteger(readDer(reason), TAG.enumerated) }];
}

function readExtension(element: Element): { id: string; critical: boolean; value: Uint8Array } {
  const fields = new Fields(element);
  const id = oid(fields.next(TAG.oid));
  const critical = fields.optional(TAG.boolean);
  const value = octets(fields.next(TAG.octetString));
  fields.end();
  return { id, critical: critical !== null && boolean(critical), value };
}

function refuseCritical(extensions: readonly Element[]): void {
  const read = extensions.map(readExtension);
  const partial = read.find(({ id, critical }) => (critical && id !== REASON_CODE) || id === ISSUER_OF_ENTRY);
  if (partial !== undefined) throw new DerError(`has the extension ${partial.id}, which is not supported`);
}

/** Whether the list is this listed authority's: its name, its key, and a key that may sign lists. */
export function isListOf(list: RevocationList, authority: Certificate): boolean {
  return (
    list.issuer === authority.subject &&
    authority.extensions.keyUsage?.revoke !== false &&
    isSignedBy(list.algorithm, authority.key, list.tbs, list.signature)
  );
}

/**
 * The first certificate of the path, from the signer up, that is revoked or that no current list of its issuer covers.
 * `at` decides: a revocation for a harmless reason counts from its date on, any other for everything ever signed.
 */
export function objectionByLists(
  path: CertificatePath,
  lists: readonly ListedRevocations[],
  at: Instant,
): Refusal | null {
  for (const [index, certificate] of path.slice(0, -1).entries()) {
    const covering = listsOf(certificate, path[index + 1], lists);
    for (const list of covering) {
      const entry = list.revoked.get(certificate.serial);
      if (entry === undefined || (SOFT_REASONS.has(entry.reason) && at < entry.at)) continue;
      const since = formatTime(entry.at).slice(0, 10);
      return refusal("key-revoked", `Its authority revoked the certificate ${certificate.fingerprint} on ${since}.`);
    }
    if (!covering.some((list) => at < list.nextUpdate)) return uncovered(certificate, covering);
  }
  return null;
}

/** Instants at which objectionByLists() may begin to say something else. */
export function turningPointsByLists(path: CertificatePath, lists: readonly ListedRevocations[]): readonly Instant[] {
  return path.slice(0, -1).flatMap((certificate, index) =>
    listsOf(certificate, path[index + 1], lists).flatMap(({ nextUpdate, revoked }) => {
      const entry = revoked.get(certificate.serial);
      return entry === undefined ? [nextUpdate] : [nextUpdate, entry.at];
    }),
  );
}

/** Those that the issuer of the certificate signed. */
function listsOf(
  certificate: Certificate,
  issuer: Certificate | undefined,
  lists: readonly ListedRevocations[],
): readonly ListedRevocations[] {
  return lists.filter((list) => list.issuer === certificate.issuer && list.issuerKey === issuer?.keyFingerprint);
}

function uncovered(certificate: Certificate, covering: readonly RevocationList[]): Refusal {
  const last = Math.max(...covering.map((list) => list.nextUpdate));
  const why =
    covering.length === 0
      ? "no revocation list of its issuer is in the trust folder"
      : `the revocation list of its issuer ended on ${formatTime(last)}`;
  return refusal("revocation-unknown", `Whether ${certificate.fingerprint} is revoked is not known: ${why}.`);
}
