/**
 * What a plain (unquoted) YAML scalar means. YAML 1.2 (js-yaml, the core schema) and the reader of Kubernetes
 * (sigs.k8s.io/yaml over go-yaml 2, mostly YAML 1.1) differ on many; only what both read alike has a value here.
 */
import { exactNumber } from "./decimal.ts";

export type PlainScalar =
  | { readonly kind: "value"; readonly value: null | boolean | number | string }
  /** `why` never quotes the scalar, which may be a secret. */
  | { readonly kind: "ambiguous"; readonly why: string };

const WORDS: ReadonlyMap<string, null | boolean> = new Map([
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
]);
const DECIMAL = /^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** What can be a number to YAML 1.1, which drops the underscores in it. */
const NUMERIC = /^[-+.0-9]/;

const AMBIGUOUS: readonly (readonly [RegExp, string])[] = [
  [/^(?:y|n|yes|no|on|off)$/i, "a word that some readers take for true or false"],
  [/^(?:true|false|null)$/i, "a spelling of true, false or null that not every reader knows"],
  [/^[-+]?\.(?:inf|nan)$/i, "a number that JSON cannot carry"],
  [/^<<$/, "a merge key"],
  [/^=$/, "YAML 1.1's default value"],
  [/^[-+]?0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$/, "a number that is not decimal"],
  [/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/, "a number with leading zeros or underscores"],
  [/^[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?$/, "a number in base 60 to YAML 1.1"],
  [/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt\s])/, "a date to YAML 1.1"],
];

/** Most scalars begin like none of the texts that are anything but themselves. */
const PERHAPS_SPECIAL = /^(?:$|[-+.0-9~<=yYnNoOtTfF])/;

export function resolvePlain(text: string): PlainScalar {
  if (!PERHAPS_SPECIAL.test(text)) return { kind: "value", value: text };
  const word = WORDS.get(text);
  if (word !== undefined) return { kind: "value", value: word };
  if (DECIMAL.test(text)) return decimal(text);
  const bare = NUMERIC.test(text) ? text.replaceAll("_", "") : text;
  const found = AMBIGUOUS.find(([pattern]) => pattern.test(bare));
  return found === undefined ? { kind: "value", value: text } : { kind: "ambiguous", why: found[1] };
}

function decimal(text: string): PlainScalar {
  const value = exactNumber(text);
  if (value === null) return { kind: "ambiguous", why: "a number that changes when it is read" };
  return { kind: "value", value };
}
