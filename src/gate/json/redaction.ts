/** The JSON of `log redact`. */
import type { RedactionPlan } from "../../log/redaction/plan.ts";
import type { RedactionRequest } from "../../log/redaction/record.ts";

/** `index` is null where it was only said what would be erased. */
export function redactionReport(
  { erasures, kept }: RedactionPlan,
  { by, reason }: RedactionRequest,
  index: number | null,
) {
  const values = erasures.reduce((sum, { names }) => sum + names.length, 0);
  return { apiVersion: "sluice/v1", kind: "Redaction", index, by, reason, values, erased: erasures, kept } as const;
}

export type RedactionReport = ReturnType<typeof redactionReport>;
