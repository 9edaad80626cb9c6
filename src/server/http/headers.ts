/** Headers of every answer: a browser runs, frames, guesses and keeps nothing of it. */
import type { Answer } from "./route.ts";

const CACHING = {
  none: "no-store",
  briefly: "private, max-age=5",
  /** Named by what it holds, and never written twice: for a year, by whoever may see it. */
  immutable: "private, max-age=31536000, immutable",
} as const;

/** Pages bring their own style sheet and nothing else; forms go nowhere. */
const CONTENT_SECURITY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const YEAR_S = 31_536_000;

export function securityHeaders(isSecure: boolean): Readonly<Record<string, string>> {
  return {
    "content-security-policy": CONTENT_SECURITY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    ...(isSecure ? { "strict-transport-security": `max-age=${YEAR_S}` } : {}),
  };
}

export function cacheControl({ caching }: Pick<Answer, "caching">): string {
  return CACHING[caching ?? "none"];
}
