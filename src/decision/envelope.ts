/**
 * DSSE envelopes of approvals (secure-systems-lab/dsse protocol.md), payloadType `application/vnd.sluice.approval+json`.
 *
 *   PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body      (LEN in ASCII decimal, of bytes)
 *   envelope        = {"payload": base64(body), "payloadType": type, "signatures": [{"keyid": "", "sig": base64(armour)}]}
 *
 * The signature is an armoured SSHSIG in namespace `sluice-approval`, or an armoured OpenPGP signature, over the PAE.
 */
import * as z from "zod";
import { concatBytes, decodeBase64, decodeUtf8, encodeBase64, utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { parseStrictJson } from "../lib/json.ts";
import { once } from "../lib/once.ts";

export const APPROVAL_TYPE = "application/vnd.sluice.approval+json";
export const APPROVAL_NAMESPACE = "sluice-approval";
export const MAXIMUM_ENVELOPE_BYTES = 64 * 1024;
export const APPROVAL_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

/** Made when the first approval is read: most runs read none, and making them costs as much as reading a configuration. */
const schemas = once(() => {
  const id = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
  const name = z.string().min(1).max(200);
  return {
    statement: z.strictObject({
      repository: name,
      target: name,
      base: id,
      head: id,
      tree: id,
      changeDigest: z.string().regex(/^[0-9a-f]{64}$/),
      judge: id,
      approver: name,
      expiresAt: z.iso.datetime(),
    }),
    envelope: z.strictObject({
      payloadType: z.literal(APPROVAL_TYPE),
      payload: z.string(),
      signatures: z.tuple([z.strictObject({ keyid: z.string().max(200).optional(), sig: z.string() })]),
    }),
  };
});

export type ApprovalStatement = z.infer<ReturnType<typeof schemas>["statement"]>;

export interface Envelope {
  readonly statement: ApprovalStatement;
  readonly signature: Uint8Array;
  readonly format: "ssh" | "openpgp";
  /** The bytes that were signed. */
  readonly signed: Uint8Array;
  /** SHA-256 of the envelope's bytes, hex: its name under refs/sluice/approvals/. */
  readonly digest: string;
}

/** What an approver's tool signs. */
export function preAuthentication(body: Uint8Array): Uint8Array {
  const type = utf8(APPROVAL_TYPE);
  return concatBytes(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${body.length} `), body);
}

export function statementBytes(statement: ApprovalStatement): Uint8Array {
  return utf8(canonicalJson(statement as unknown as JsonValue));
}

export function writeEnvelope(statement: ApprovalStatement, armouredSignature: Uint8Array): Uint8Array {
  const payload = encodeBase64(statementBytes(statement));
  const signatures = [{ keyid: "", sig: encodeBase64(armouredSignature) }];
  return utf8(canonicalJson({ payloadType: APPROVAL_TYPE, payload, signatures }));
}

/** null for anything that is not exactly one signed statement of ours within the bounds; the caller says `approval-malformed`. */
export function readEnvelope(bytes: Uint8Array): Envelope | null {
  if (bytes.length > MAXIMUM_ENVELOPE_BYTES) return null;
  const envelope = schemas().envelope.safeParse(json(bytes));
  if (!envelope.success) return null;
  const body = decodeBase64(envelope.data.payload);
  const signature = decodeBase64(envelope.data.signatures[0].sig);
  if (body === null || signature === null) return null;
  const statement = schemas().statement.safeParse(json(body));
  const format = signatureFormat(signature);
  // Canonical or nothing: two readers of one signed text must not disagree about a repeated key.
  if (!statement.success || format === null || !sameText(body, statementBytes(statement.data))) return null;
  return { statement: statement.data, signature, format, signed: preAuthentication(body), digest: sha256Hex(bytes) };
}

function signatureFormat(armour: Uint8Array): "ssh" | "openpgp" | null {
  const text = decodeUtf8(armour);
  if (text?.startsWith("-----BEGIN SSH SIGNATURE-----")) return "ssh";
  return text?.startsWith("-----BEGIN PGP SIGNATURE-----") ? "openpgp" : null;
}

/** undefined where two readers could read two things: a repeated key, bytes that are not UTF-8. */
function json(bytes: Uint8Array): JsonValue | undefined {
  const text = decodeUtf8(bytes);
  const reading = text === null ? null : parseStrictJson(text, { bytes: MAXIMUM_ENVELOPE_BYTES, depth: 8 });
  return reading?.kind === "value" ? reading.value : undefined;
}

function sameText(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
