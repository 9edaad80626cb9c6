/**
 * The values beside an entry as their writer lays them out, `{"name":{"salt":"...","value":...},"other":null}`, taken apart
 * without being parsed: parsing them, and writing each value in its canonical form again, would be half of the price of
 * verifying a log. A text whose hash is the commitment is the text that was committed to, wherever it was cut out.
 */
import type { Leaf } from "./entry.ts";
import { isCommittedText } from "./leaf.ts";

const SALT = '{"salt":"';
const SALT_CHARACTERS = 24;
const VALUE = '","value":';
const WITHHELD = "null";
/** Inside of a value there may be what looks like its end. */
const MAXIMUM_TRIES = 8;

/**
 * How many values match and which are withheld, where the text holds exactly the values that are committed to; null for
 * any other text, which says nothing about it but that it has to be looked at closely.
 */
export function countQuickly(
  json: string,
  commitments: Leaf["commitments"],
): { readonly matching: number; readonly withheld: readonly string[] } | null {
  const seen: string[] = [];
  const last = json.length - 1;
  if (!json.startsWith('{"') || json[last] !== "}") return null;
  const withheld: string[] = [];
  for (let at = 1; ; at += 1) {
    const end = json.indexOf('":', at + 1);
    const name = json.slice(at + 1, end);
    if (end < 0 || json[at] !== '"' || !Object.hasOwn(commitments, name) || seen.includes(name)) return null;
    seen.push(name);
    const isWithheld = json.startsWith(WITHHELD, end + 2);
    if (isWithheld) withheld.push(name);
    const behind = isWithheld ? end + 2 + WITHHELD.length : behindValue(json, end + 2, commitments[name] as string);
    if (behind === last && seen.length === Object.keys(commitments).length)
      return { matching: seen.length - withheld.length, withheld };
    if (behind === null || json[behind] !== ",") return null;
    at = behind;
  }
}

/** Where the value's closing brace has been passed; null where none of the places that could be it gives the commitment. */
function behindValue(json: string, start: number, commitment: string): number | null {
  const salt = start + SALT.length;
  const value = salt + SALT_CHARACTERS + VALUE.length;
  if (!json.startsWith(SALT, start) || !json.startsWith(VALUE, salt + SALT_CHARACTERS)) return null;
  const saltText = json.slice(salt, salt + SALT_CHARACTERS);
  const matches = (end: number) => isCommittedText(saltText, json.slice(value, end), commitment);
  let from = value;
  for (let tries = 0; tries < MAXIMUM_TRIES; tries++) {
    const end = nextEnd(json, from);
    if (end === null) break;
    if (matches(end)) return end + 1;
    from = end + 1;
  }
  const last = json.length - 2;
  return json[last] === "}" && matches(last) ? last + 1 : null;
}

/** Where a closing brace is followed by another name with a salt or with nothing. */
function nextEnd(json: string, from: number): number | null {
  for (let end = json.indexOf('},"', from); end >= 0; end = json.indexOf('},"', end + 1)) {
    const behind = json.indexOf('":', end + 3) + 2;
    if (behind > 1 && (json.startsWith(SALT, behind) || json.startsWith(WITHHELD, behind))) return end;
  }
  return null;
}
