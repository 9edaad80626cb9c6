/** JSON whose numbers keep the text that they were written as: a double would change large integers, and `1.0` to `1`. */

export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type ExactJson = null | boolean | string | number | WrittenNumber | readonly ExactJson[] | ExactObject;
export interface ExactObject {
  readonly [key: string]: ExactJson;
}

export function isExactObject(value: ExactJson | undefined): value is ExactObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof WrittenNumber);
}

/**
 * One text for one value, as Go's encoder writes it without HTML escapes: no white space, keys by code point, U+2028 and
 * U+2029 escaped. Texts MUST be well-formed.
 */
export function exactJsonText(value: ExactJson): string {
  if (value instanceof WrittenNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(exactJsonText).join(",")}]`;
  if (!isExactObject(value)) return textOf(value as null | boolean | string | number);
  const members = keysOf(value).map((key) => `${textOf(key)}:${exactJsonText(value[key] as ExactJson)}`);
  return `{${members.join(",")}}`;
}

function textOf(value: null | boolean | string | number): string {
  const text = JSON.stringify(value);
  return /[\u2028\u2029]/.test(text)
    ? text.replace(/[\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`)
    : text;
}

/** JavaScript compares halves of surrogate pairs, which is another order only where there are some. */
function keysOf(value: ExactObject): readonly string[] {
  const keys = Object.keys(value).sort();
  if (!keys.some((key) => /[\ud800-\udfff]/.test(key))) return keys;
  return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
