/** `sprintf` and the searching functions of `strings.*`, as Go's packages fmt and strings do them. */
import { sprintf } from "../go-format.ts";
import { isArray, type RegoValue } from "../rego-value.ts";
import {
  arrayOf,
  BuiltinError,
  type BuiltinFamily,
  isSet,
  LimitError,
  MAXIMUM_VALUE_LENGTH,
  number,
  smallIntegerOf,
  textOf,
  wrongType,
} from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  sprintf: (operands) => {
    const formatted = sprintf(textOf(operands, 0), arrayOf(operands, 1));
    if (formatted.length > MAXIMUM_VALUE_LENGTH) throw new LimitError("the text is longer than 1 MiB");
    return formatted;
  },
  indexof_n: (operands) => indexes(textOf(operands, 0), textOf(operands, 1)),
  "strings.any_prefix_match": (operands) => anyMatch(operands, (text, affix) => text.startsWith(affix)),
  "strings.any_suffix_match": (operands) => anyMatch(operands, (text, affix) => text.endsWith(affix)),
  "strings.count": (operands) => number(countOf(textOf(operands, 0), textOf(operands, 1))),
  "strings.split_n": (operands) => splitN(textOf(operands, 0), textOf(operands, 1), smallIntegerOf(operands, 2)),
};

/** By characters, overlapping ones too. */
function indexes(text: string, search: string): RegoValue {
  if (search === "") throw new BuiltinError("empty search character");
  const [characters, wanted] = [[...text], [...search]];
  const found: RegoValue[] = [];
  for (let at = 0; at + wanted.length <= characters.length; at++) {
    if (wanted.every((character, offset) => characters[at + offset] === character)) found.push(number(at));
  }
  return found;
}

function anyMatch(operands: readonly RegoValue[], match: (text: string, affix: string) => boolean): boolean {
  const affixes = texts(operands, 1);
  return texts(operands, 0).some((text) => affixes.some((affix) => match(text, affix)));
}

/** A string stands for itself; arrays and sets of strings for their items. */
function texts(operands: readonly RegoValue[], index: number): readonly string[] {
  const value = operands[index] ?? null;
  if (typeof value === "string") return [value];
  const items = isArray(value) ? value : isSet(value) ? value.items : null;
  if (items === null) throw wrongType(index, "a string, an array or a set");
  if (!items.every((item) => typeof item === "string")) throw wrongType(index, "a list of strings");
  return items;
}

/** strings.Count of Go: an empty substring is found before and after every character. */
function countOf(text: string, substring: string): number {
  return substring === "" ? [...text].length + 1 : text.split(substring).length - 1;
}

/** The first n parts, or the last -n; an empty delimiter parts after every character. */
function splitN(text: string, delimiter: string, count: number): readonly string[] {
  const parts = delimiter === "" ? [...text] : text.split(delimiter);
  return count >= 0 ? parts.slice(0, count) : parts.slice(Math.max(0, parts.length + count));
}
