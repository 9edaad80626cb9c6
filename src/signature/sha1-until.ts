/** Where a target allows fewer SHA-1 signatures than the trust folder does; nothing makes it allow more. */
import { sha256Hex } from "../lib/digest.ts";
import type { Instant } from "../lib/time.ts";
import type { KeyTerms, Trust } from "./trust.ts";

/** The trust with no SHA-1 signature counting that was made at `until` or later; null changes nothing. */
export function withSha1Until(trust: Trust, until: Instant | null): Trust {
  if (until === null) return trust;
  const narrowed = ({ sha1Until, ...terms }: KeyTerms): KeyTerms =>
    sha1Until === undefined ? terms : { ...terms, sha1Until: Math.min(sha1Until, until) };
  const { sha1Until = null } = trust;
  return {
    ...trust,
    sha1Until: sha1Until === null ? null : Math.min(sha1Until, until),
    keys: trust.keys.map((key) => ({ ...key, terms: narrowed(key.terms) })),
    // What was said under the whole trust is not what is said under this one.
    digest: sha256Hex(`${trust.digest} sha1Until ${until}`),
  };
}
