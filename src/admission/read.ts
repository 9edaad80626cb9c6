/** From the bytes of an AdmissionReview to a request that can be judged, or to a refusal that can be answered. */
import * as z from "zod";
import { decodeUtf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { parseStrictJson } from "../lib/json.ts";
import { type AdmissionRequest, OPERATIONS } from "./review.ts";

/** An object has 3 MiB at most, and an UPDATE brings it twice. */
export const MAXIMUM_REVIEW_BYTES = 7 * 1024 * 1024;
const MAXIMUM_DEPTH = 200;
const SHOWN_PROBLEMS = 3;

export type ReviewReading =
  | { readonly kind: "request"; readonly request: AdmissionRequest }
  /** `uid` is null where nothing can be answered in the form of a review. */
  | { readonly kind: "refused"; readonly uid: string | null; readonly message: string };

const word = z.string().max(1000);
const gvk = z.looseObject({ group: word, version: word.min(1), kind: word.min(1) });
const gvr = z.looseObject({ group: word, version: word.min(1), resource: word.min(1) });
const object = z.record(z.string(), z.unknown()).nullable().default(null);
const uid = z.string().min(1).max(200);

/** The API server adds fields from version to version, so others may stand beside these. */
const reviewSchema = z.looseObject({
  apiVersion: z.literal("admission.k8s.io/v1"),
  kind: z.literal("AdmissionReview"),
  request: z.looseObject({
    uid,
    kind: gvk,
    resource: gvr,
    subResource: word.default(""),
    name: word.default(""),
    namespace: word.default(""),
    operation: z.enum(OPERATIONS),
    userInfo: z.record(z.string(), z.unknown()),
    object,
    oldObject: object,
    dryRun: z.boolean().default(false),
  }),
});
const uidSchema = z.looseObject({
  apiVersion: z.literal("admission.k8s.io/v1"),
  kind: z.literal("AdmissionReview"),
  request: z.looseObject({ uid }),
});

export function readReview(bytes: Uint8Array): ReviewReading {
  const text = decodeUtf8(bytes);
  if (text === null) return { kind: "refused", uid: null, message: "The review is not UTF-8." };
  const reading = parseStrictJson(text, { bytes: MAXIMUM_REVIEW_BYTES, depth: MAXIMUM_DEPTH });
  if (reading.kind === "refused") {
    const { message, line, column } = reading;
    return {
      kind: "refused",
      uid: null,
      message: `The review is refused at line ${line}, column ${column}: ${message}`,
    };
  }
  const parsed = reviewSchema.safeParse(reading.value);
  if (parsed.success) return complete(parsed.data.request, (reading.value as { request: JsonObject }).request);
  const known = uidSchema.safeParse(reading.value);
  const problems = parsed.error.issues
    .slice(0, SHOWN_PROBLEMS)
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
  const message = `The review is refused: ${problems.join("; ")}.`;
  return { kind: "refused", uid: known.success ? known.data.request.uid : null, message };
}

/** What an operation brings (types.go, AdmissionRequest): without it, nothing would be judged and all allowed. */
function complete(request: z.output<typeof reviewSchema>["request"], whole: JsonObject): ReviewReading {
  const { operation, object: next, oldObject: previous } = request;
  const missing =
    (operation === "DELETE" ? previous : next) === null ? (operation === "DELETE" ? "oldObject" : "object") : null;
  if (missing !== null) {
    return { kind: "refused", uid: request.uid, message: `The review of ${operation} brings no ${missing}.` };
  }
  if (operation === "UPDATE" && previous === null) {
    return { kind: "refused", uid: request.uid, message: "The review of UPDATE brings no oldObject." };
  }
  const { uid, kind, resource, subResource, name, namespace, userInfo, dryRun } = request;
  const objects = { object: next as JsonObject | null, oldObject: previous as JsonObject | null };
  return {
    kind: "request",
    request: {
      uid,
      kind: { group: kind.group, version: kind.version, kind: kind.kind },
      resource: { group: resource.group, version: resource.version, resource: resource.resource },
      subResource,
      name,
      namespace,
      operation,
      userInfo: userInfo as JsonObject,
      ...objects,
      dryRun,
      whole,
    },
  };
}
