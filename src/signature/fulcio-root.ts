/**
 * A Sigstore trust root, in Sigstore's own `trusted_root.json` (protobuf-specs sigstore_trustroot.proto), read from a
 * file of the trust folder or from the pinned copy of the public good instance; never fetched.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import * as z from "zod";
import { decodeBase64, decodeUtf8 } from "../lib/bytes.ts";
import { parseStrictJson } from "../lib/json.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import type { TransparencyLog } from "./rekor-log.ts";
import type { Timestamper } from "./timestamp-token.ts";
import { type Certificate, readCertificate } from "./x509-certificate.ts";
import type { Issuers } from "./x509-path.ts";

/** Authorities that issue certificates during a time. */
export interface DatedIssuers extends Issuers {
  readonly from: Instant | null;
  /** Inclusive. */
  readonly until: Instant | null;
}

export interface FulcioRoot {
  readonly issuers: readonly DatedIssuers[];
  readonly logs: readonly TransparencyLog[];
  /** Logs of certificates; with at least one, a certificate must carry a promise. */
  readonly certificateLogs: readonly TransparencyLog[];
  readonly timestampers: readonly Timestamper[];
}

const LIMITS = { bytes: 1024 * 1024, depth: 20 } as const;
const MAXIMUM_LISTED = 50;
const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\.v[\w.]+)?\+json(?:;version=[\w.]+)?$/;

const base64 = z.string().max(16_384);
const period = z.object({ start: z.string().optional(), end: z.string().optional() });
const log = z.object({
  baseUrl: z.string().max(1024),
  publicKey: z.object({ rawBytes: base64, validFor: period.optional() }),
  logId: z.object({ keyId: base64 }),
});
const chain = z.object({
  certChain: z.object({
    certificates: z
      .array(z.object({ rawBytes: base64 }))
      .min(1)
      .max(10),
  }),
  validFor: period.optional(),
});
const rootSchema = z.object({
  mediaType: z.string().regex(MEDIA_TYPE),
  tlogs: z.array(log).max(MAXIMUM_LISTED).default([]),
  certificateAuthorities: z.array(chain).min(1).max(MAXIMUM_LISTED),
  ctlogs: z.array(log).max(MAXIMUM_LISTED).default([]),
  timestampAuthorities: z.array(chain).max(MAXIMUM_LISTED).default([]),
});

/** The root, or a clause saying what is wrong with it. */
export function readFulcioRoot(bytes: Uint8Array): FulcioRoot | string {
  const text = decodeUtf8(bytes);
  const json = text === null ? null : parseStrictJson(text, LIMITS);
  if (json?.kind !== "value") return "is no JSON";
  const parsed = rootSchema.safeParse(json.value);
  if (!parsed.success) return `is no Sigstore trusted root: ${parsed.error.issues[0]?.path.join(".")} is wrong`;
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = parsed.data;
  try {
    return {
      issuers: certificateAuthorities.map(readChain),
      logs: tlogs.map(readLog),
      certificateLogs: ctlogs.map(readLog),
      timestampers: timestampAuthorities.map(readChain),
    };
  } catch (thrown) {
    if (thrown instanceof Unusable) return thrown.message;
    throw thrown;
  }
}

class Unusable extends Error {}

function readChain({ certChain, validFor }: z.infer<typeof chain>): DatedIssuers {
  const certificates = certChain.certificates.map((one) => certificateIn(one.rawBytes));
  return { anchors: certificates.slice(-1), intermediates: certificates.slice(0, -1), ...readPeriod(validFor) };
}

function certificateIn(rawBytes: string): Certificate {
  const read = readCertificate(bytesIn(rawBytes));
  if (read.kind === "refused") throw new Unusable(`holds a certificate that cannot be used: ${read.detail}`);
  return read;
}

function readLog({ baseUrl, publicKey, logId }: z.infer<typeof log>): TransparencyLog {
  const name = URL.parse(baseUrl)?.host ?? "";
  if (name === "") throw new Unusable("holds a log without a host name");
  return { id: bytesIn(logId.keyId), name, key: keyIn(publicKey.rawBytes), ...readPeriod(publicKey.validFor) };
}

function keyIn(rawBytes: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(bytesIn(rawBytes)), format: "der", type: "spki" });
  } catch {
    throw new Unusable("holds the key of a log that cannot be read");
  }
}

function bytesIn(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === null) throw new Unusable("holds a value that is not base64");
  return bytes;
}

function readPeriod(validFor: z.infer<typeof period> | undefined): { from: Instant | null; until: Instant | null } {
  return { from: instant(validFor?.start), until: instant(validFor?.end) };
}

function instant(text: string | undefined): Instant | null {
  if (text === undefined) return null;
  const at = parseTime(text);
  if (at === null) throw new Unusable(`holds ${JSON.stringify(text)}, which is no time in UTC`);
  return at;
}
