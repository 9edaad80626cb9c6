/** `json.match_schema` and `json.verify_schema` as OPA's copy of gojsonschema answers them: drafts 4, 6, 7 and their mixture. */
import { isArray, type RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, isObjectValue, object } from "./call.ts";
import { checkDocument } from "./json-schema-check.ts";
import { SchemaError } from "./json-schema-pool.ts";
import { readSchema } from "./json-schema-read.ts";
import { goJson, readJson } from "./json-text.ts";

export const BUILTINS: BuiltinFamily = {
  "json.match_schema": ([document = null, schema = null]) => matchSchema(document, schema),
  "json.verify_schema": ([schema = null]) => verifySchema(schema),
};

function matchSchema(document: RegoValue, schema: RegoValue): RegoValue {
  const read = loaded(document);
  const problems = checkDocument(readSchema(loaded(schema)), read);
  const shown = problems.map(({ type, field, description }) =>
    object({ error: `${field}: ${description}`, type, field, desc: description }),
  );
  return [problems.length === 0, shown];
}

function verifySchema(schema: RegoValue): RegoValue {
  try {
    readSchema(loaded(schema));
    return [true, null];
  } catch (thrown) {
    if (thrown instanceof SchemaError) return [false, `jsonschema: ${thrown.message}`];
    throw thrown;
  }
}

/** Text is JSON; an object or an array is what it is. */
function loaded(value: RegoValue): RegoValue {
  if (typeof value === "string") {
    try {
      return goJson(readJson(value));
    } catch (thrown) {
      if (thrown instanceof BuiltinError) throw new SchemaError("invalid JSON string");
      throw thrown;
    }
  }
  if (isArray(value) || isObjectValue(value)) return goJson(value);
  throw new SchemaError("wrong type, expected string or object");
}
