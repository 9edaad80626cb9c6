/** Base64url without padding, hexadecimal, and JSON as Go's encoding/json indents it. */
import { isArray, type RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, isObjectValue, objectOf, textOf } from "./call.ts";
import { goJson, goString, print } from "./json-text.ts";

export const BUILTINS: BuiltinFamily = {
  "base64url.encode_no_pad": (operands) => Buffer.from(textOf(operands, 0)).toString("base64url"),
  "hex.encode": (operands) => Buffer.from(textOf(operands, 0)).toString("hex"),
  "hex.decode": (operands) => {
    const text = textOf(operands, 0);
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new BuiltinError("the text is not hexadecimal");
    return Buffer.from(text, "hex").toString("utf8");
  },
  "json.marshal_with_options": ([value = null, ...rest]) => marshal(value, readOptions([value, ...rest])),
};

interface Indentation {
  readonly prefix: string;
  readonly indent: string;
}

/** null = all in one line. A prefix or an indent asks for lines unless `pretty` says otherwise. */
function readOptions(operands: readonly RegoValue[]): Indentation | null {
  let [prefix, indent, pretty, implied] = ["", "\t", null as boolean | null, false];
  for (const [key, value] of objectOf(operands, 1).entries) {
    if (key === "pretty" && typeof value === "boolean") pretty = value;
    else if (key === "prefix" && typeof value === "string") [prefix, implied] = [value, true];
    else if (key === "indent" && typeof value === "string") [indent, implied] = [value, true];
    else throw new BuiltinError("operand 2 has an unknown key or a value of another type");
  }
  return (pretty ?? implied) ? { prefix, indent } : null;
}

function marshal(value: RegoValue, indentation: Indentation | null): string {
  const json = goJson(value);
  if (indentation === null) return print(json);
  return indentation.prefix + printLines(json, indentation, `\n${indentation.prefix}`);
}

function printLines(value: RegoValue, indentation: Indentation, line: string): string {
  const inner = line + indentation.indent;
  if (value !== null && isArray(value) && value.length > 0)
    return `[${value.map((one) => inner + printLines(one, indentation, inner)).join(",")}${line}]`;
  if (!isObjectValue(value) || value.entries.length === 0) return print(value);
  const entries = value.entries.map(
    ([key, one]) => `${inner}${goString(key as string)}: ${printLines(one, indentation, inner)}`,
  );
  return `{${entries.join(",")}${line}}`;
}
