/** The answer to a review, as an API server checks it: the uid as it came, no patch, short warnings without control characters. */
import type { JsonObject } from "../lib/canonical.ts";
import { printableUpTo } from "../lib/printable.ts";
import type { AdmissionVerdict } from "./review.ts";

/** The API server cuts there (endpoints/filters/warning.go), in the middle of a word. */
const WARNING_CHARACTERS = 256;
const ALL_WARNINGS_CHARACTERS = 4096;
const MESSAGE_CHARACTERS = 2000;

export function admissionAnswer(uid: string, verdict: AdmissionVerdict): JsonObject {
  const { allowed, decision } = verdict;
  const warnings = shortWarnings(verdict.warnings);
  return review({
    uid,
    allowed,
    ...(allowed ? {} : { status: refusal(403, "Forbidden", verdict.code ?? "denied", verdict.message ?? "") }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(decision === null ? {} : { auditAnnotations: { decision: decision.id, "log-index": String(decision.index) } }),
  });
}

/** Where it could not be judged: refused all the same. */
export function failureAnswer(uid: string, code: string, message: string): JsonObject {
  return review({ uid, allowed: false, status: refusal(500, "InternalError", code, message) });
}

function review(response: JsonObject): JsonObject {
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

function refusal(status: number, reason: string, code: string, message: string): JsonObject {
  const text = printableUpTo(`sluice: ${code}: ${message}`, MESSAGE_CHARACTERS);
  return { apiVersion: "v1", kind: "Status", status: "Failure", code: status, reason, message: text };
}

function shortWarnings(warnings: readonly string[]): readonly string[] {
  const short = new Set(warnings.map((one) => printableUpTo(one.trim(), WARNING_CHARACTERS)));
  let room = ALL_WARNINGS_CHARACTERS;
  return [...short].filter((one) => {
    room -= [...one].length;
    return one !== "" && room >= 0;
  });
}
