/** `graphql.parse_query` and `graphql.parse_schema`: the documents that OPA's parser shows, without positions. */
import type { RegoValue } from "../rego-value.ts";
import { type BuiltinFamily, textOf } from "./call.ts";
import { parseQueryDocument } from "./graphql-query.ts";
import { parseSchemaDocument } from "./graphql-schema.ts";

export const BUILTINS: BuiltinFamily = {
  "graphql.parse_query": (operands): RegoValue => parseQueryDocument(textOf(operands, 0)),
  "graphql.parse_schema": (operands): RegoValue => parseSchemaDocument(textOf(operands, 0)),
};
