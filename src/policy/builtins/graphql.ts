/**
 * `graphql.parse_query` and `graphql.parse_schema`: the documents that OPA's parser shows, without positions; and whether a
 * schema holds.
 */
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, textOf } from "./call.ts";
import { parseQueryDocument } from "./graphql-query.ts";
import { parseSchemaDocument } from "./graphql-schema.ts";
import { isValidSchema } from "./graphql-schema-check.ts";

export const BUILTINS: BuiltinFamily = {
  "graphql.parse_query": (operands): RegoValue => parseQueryDocument(textOf(operands, 0)),
  "graphql.parse_schema": (operands): RegoValue => parseSchemaDocument(textOf(operands, 0)),
  "graphql.schema_is_valid": ([schema = null]) => schemaIsValid(schema),
};

/** A text, or a document that has been parsed. */
function schemaIsValid(schema: RegoValue): boolean {
  if (typeof schema !== "string") return isValidSchema(schema);
  try {
    return isValidSchema(parseSchemaDocument(schema, true));
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return false;
    throw thrown;
  }
}
