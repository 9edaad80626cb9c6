/**
 * `yaml.*` with js-yaml, which reads YAML 1.2 where OPA reads 1.1: `yes` is a text here and true there. Of several
 * documents the first is the value, and all must be well formed.
 */
import { dump, loadAll } from "js-yaml";
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, textOf } from "./call.ts";
import { goJsonText, readJson } from "./json-text.ts";

export const BUILTINS: BuiltinFamily = {
  "yaml.is_valid": ([text]) => typeof text === "string" && isYaml(text),
  "yaml.marshal": ([value = null]) =>
    dump(JSON.parse(goJsonText(value)), { sortKeys: true, lineWidth: -1, noRefs: true, seqNoIndent: true }),
  "yaml.unmarshal": (operands) => read(textOf(operands, 0)),
};

function isYaml(text: string): boolean {
  try {
    loadAll(text);
    return true;
  } catch {
    return false;
  }
}

function read(text: string): RegoValue {
  if (!isYaml(text)) throw new BuiltinError("the text is not YAML");
  const [value = null]: unknown[] = loadAll(text);
  return readJson(JSON.stringify(value));
}
