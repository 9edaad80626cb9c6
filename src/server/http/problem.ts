/** Refusals as `application/problem+json` (RFC 9457) with a stable code, one plain sentence and what to do; never a stack. */
import * as z from "zod";
import { type Code, type CodeClass, codeEntry } from "../../lib/codes.ts";
import type { SluiceError } from "../../lib/errors.ts";
import { printable } from "../../lib/printable.ts";

export const problemSchema = z.strictObject({
  type: z.literal("about:blank"),
  title: z.string().describe("What the code means, always the same for a code."),
  status: z.int().min(400).max(599),
  code: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/)
    .describe("Stable; `sluice explain CODE` says more."),
  detail: z.string().describe("One plain sentence about this request."),
  fix: z.string().describe("What to do."),
  requestId: z.string().describe("Names this request in the service's own log."),
});
export type Problem = z.infer<typeof problemSchema>;

/** By class, where the code itself says nothing more. */
const STATUS_OF_CLASS: Readonly<Record<CodeClass, number>> = {
  usage: 400,
  deny: 409,
  refused: 409,
  rejected: 409,
  wait: 409,
  warning: 409,
  error: 500,
};

const STATUS_OF_CODE: Readonly<Partial<Record<Code, number>>> = {
  "not-authenticated": 401,
  "hint-unsigned": 401,
  "hint-signature": 401,
  "hint-expired": 401,
  "not-permitted": 403,
  "person-needed": 403,
  "route-unknown": 404,
  "entry-unknown": 404,
  "target-unknown": 404,
  "method-unknown": 405,
  "request-too-slow": 408,
  "request-too-large": 413,
  "media-type-unknown": 415,
  "host-unknown": 421,
  "too-many-requests": 429,
  "not-supported": 501,
  "answer-too-slow": 503,
  "change-deadline": 503,
  "disk-low": 503,
  "head-superseded": 409,
  "log-busy": 503,
  "log-failed": 503,
  "log-full": 503,
  "log-unreadable": 503,
  "nothing-held": 409,
  "queue-full": 503,
  "service-stopping": 503,
};

function statusOf({ code, retryable }: SluiceError): number {
  const status = STATUS_OF_CODE[code] ?? STATUS_OF_CLASS[codeEntry(code).class];
  return status === 500 && retryable ? 503 : status;
}

/** The cause stays here; strangers' text in the sentence can neither hide nor move anything. */
export function problemOf(error: SluiceError, requestId: string): Problem {
  const { means, fix } = codeEntry(error.code);
  return {
    type: "about:blank",
    title: means,
    status: statusOf(error),
    code: error.code,
    detail: printable(error.message),
    fix: printable(error.fix ?? fix),
    requestId,
  };
}
