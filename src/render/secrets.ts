/** Values that may be secret: masked before a policy sees them, collected so that no text carries them out, and refused in plain. */
import { decodeBase64, decodeUtf8 } from "../lib/bytes.ts";
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { parseStrictJson } from "../lib/json.ts";
import { isObject, splitApiVersion } from "./identity.ts";

export const MASK = "***";
/** kubectl keeps the whole object, values included, in this annotation. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** What SOPS writes for one value; the rule k8s-plain-secret of policies/ knows the same. */
const SOPS_VALUE =
  /^ENC\[AES256_GCM,data:[A-Za-z0-9+/]+={0,2},iv:[A-Za-z0-9+/]+={0,2},tag:[A-Za-z0-9+/]+={0,2},type:[a-z]+\]$/;
/** Kinds of the core group; an object that calls itself a SecretList and is none is taken for a Secret. */
const SECRET_KINDS = ["Secret", "SecretList"];
const VALUE_FIELDS = ["data", "stringData"];
/** The cluster fills in its values; every other Secret without any would empty the live one. */
const FILLED_BY_CLUSTER = "kubernetes.io/service-account-token";
/** Shorter values are words like "true" that every page needs. */
const SHORTEST_VALUE_BYTES = 5;
const ANNOTATION_LIMITS = { bytes: 1024 * 1024, depth: 100 };

/** Texts that no message, page or report may carry; see redactor.ts. */
export type SecretValues = ReadonlySet<string>;

/**
 * A copy in which values of a Secret, and of any object's last-applied annotation, are the mask; keys stay. SOPS
 * ciphertext stays too, since it hides itself and a rule has to tell it from plain text; so do null and the empty text.
 */
export function maskForPolicy(object: JsonObject): JsonObject {
  const { metadata } = object;
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  const isRemembered = isObject(annotations) && Object.hasOwn(annotations, LAST_APPLIED);
  if (!isSecret(object) && !isRemembered) return object;
  const masked: Record<string, JsonValue> = { ...object };
  if (isSecret(object)) {
    for (const field of VALUE_FIELDS)
      if (Object.hasOwn(object, field)) masked[field] = maskValues(object[field] ?? null);
  }
  if (isObject(metadata) && isObject(annotations) && isRemembered) {
    masked["metadata"] = { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: MASK } };
  }
  return masked;
}

/**
 * True for a Secret that no release may carry, whatever was decided. What passes: values that are all SOPS ciphertext,
 * under SOPS's own block with its encrypted checksum; a token that the cluster fills in; a SealedSecret (another kind).
 */
export function isPlainSecret(object: JsonObject): boolean {
  if (!isSecret(object)) return false;
  if (object["kind"] !== "Secret" || lastApplied(object) !== null) return true;
  const values = VALUE_FIELDS.flatMap((field) => membersOf(object[field] ?? {}));
  if (values.length === 0 && object["type"] === FILLED_BY_CLUSTER) return false;
  return !(isSealedBySops(object["sops"]) && values.every(isCiphertext));
}

function isSealedBySops(block: JsonValue | undefined): boolean {
  return isObject(block) && typeof block["mac"] === "string" && SOPS_VALUE.test(block["mac"]);
}

/** Values of Secrets (also decoded), of ConfigMaps and of `env` entries anywhere, from 5 bytes on. */
export function collectSecretValues(objects: Iterable<JsonObject>): SecretValues {
  const values = new Set<string>();
  for (const object of objects) collectFrom(object, values);
  return values;
}

function collectFrom(object: JsonObject, values: Set<string>): void {
  if (isSecret(object)) {
    for (const value of membersOf(object["data"] ?? {})) collectEncoded(value, values);
    for (const value of membersOf(object["stringData"] ?? {})) collectLines(value, values);
  }
  if (isCoreKind(object, "ConfigMap")) {
    for (const value of membersOf(object["data"] ?? {})) collect(value, values);
    for (const value of membersOf(object["binaryData"] ?? {})) collectEncoded(value, values);
  }
  collectEnvironment(object, values);
  const annotation = lastApplied(object);
  if (annotation !== null) collectAnnotation(annotation, values);
}

/** The annotation holds the object as it was, perhaps with values that the object no longer has. */
function collectAnnotation(annotation: string, values: Set<string>): void {
  collect(annotation, values);
  const reading = parseStrictJson(annotation, ANNOTATION_LIMITS);
  if (reading.kind === "value" && isObject(reading.value) && lastApplied(reading.value) === null) {
    collectFrom(reading.value, values);
  }
}

function collectEnvironment(value: JsonValue, values: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectEnvironment(item, values);
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === "env" && Array.isArray(member)) {
      for (const entry of member) if (isObject(entry)) collect(entry["value"] ?? null, values);
    }
    collectEnvironment(member, values);
  }
}

function collectEncoded(value: JsonValue, values: Set<string>): void {
  collect(value, values);
  const bytes = typeof value === "string" ? decodeBase64(value.replace(/\s+/g, "")) : null;
  const text = bytes === null ? null : decodeUtf8(bytes);
  if (text !== null) collectLines(text, values);
}

/** Lines of a key or certificate count one by one, because a report may quote one of them. */
function collectLines(value: JsonValue, values: Set<string>): void {
  collect(value, values);
  if (typeof value === "string" && value.includes("\n")) for (const line of value.split("\n")) collect(line, values);
}

function collect(value: JsonValue, values: Set<string>): void {
  if (value === null || typeof value === "object") return;
  const text = String(value).trim();
  if (Buffer.byteLength(text) >= SHORTEST_VALUE_BYTES) values.add(text);
}

function maskValues(value: JsonValue): JsonValue {
  if (!isObject(value)) return value === null ? null : MASK;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, one === null || isCiphertext(one) ? one : MASK]),
  );
}

/** The values of a map; whatever else stands there counts as one value. */
function membersOf(value: JsonValue): readonly JsonValue[] {
  if (value === null) return [];
  return isObject(value) ? Object.values(value) : [value];
}

/** SOPS leaves an empty text as it is. */
function isCiphertext(value: JsonValue): boolean {
  return value === "" || (typeof value === "string" && SOPS_VALUE.test(value));
}

function isSecret(object: JsonObject): boolean {
  return SECRET_KINDS.some((kind) => isCoreKind(object, kind));
}

function isCoreKind(object: JsonObject, kind: string): boolean {
  const { apiVersion } = object;
  return object["kind"] === kind && typeof apiVersion === "string" && splitApiVersion(apiVersion)[0] === "";
}

function lastApplied(object: JsonObject): string | null {
  const { metadata } = object;
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  const text = isObject(annotations) ? annotations[LAST_APPLIED] : undefined;
  return typeof text === "string" ? text : null;
}
