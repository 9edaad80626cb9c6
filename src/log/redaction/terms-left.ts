/** Which terms of the search an entry still has when some of its values are taken away. */
import type { JsonValue } from "../../lib/canonical.ts";
import type { Term } from "../entry.ts";

/**
 * A term stays only while what is left of the entry says each of its parts, as a text or a number of its own. What a
 * decision is about is one of few words and stays.
 */
export function termsLeft(terms: readonly Term[], left: readonly JsonValue[]): readonly Term[] {
  const said = new Set<string>();
  const gather = (value: JsonValue): void => {
    if (typeof value === "string" || typeof value === "number") said.add(String(value));
    else if (value !== null && typeof value === "object") for (const one of Object.values(value)) gather(one);
  };
  for (const value of left) gather(value);
  const isLeft = (value: string) => said.has(value) || value.split("/").every((part) => said.has(part));
  return terms.filter(({ kind, value }) => kind === "subject" || isLeft(value));
}
