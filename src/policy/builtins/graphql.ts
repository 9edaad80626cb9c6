/** GraphQL as OPA has it: documents parsed and shown without positions, schemas and queries checked by gqlparser's rules. */
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, object, textOf } from "./call.ts";
import { parseQueryDocument } from "./graphql-query.ts";
import { checkQuery } from "./graphql-query-check.ts";
import { parseSchemaDocument } from "./graphql-schema.ts";
import { checkedSchema } from "./graphql-schema-check.ts";
import { documentOf, nodeFrom } from "./graphql-tree.ts";

export const BUILTINS: BuiltinFamily = {
  "graphql.is_valid": ([query = null, schema = null]) => holds(() => verified(query, schema)),
  "graphql.parse": ([query = null, schema = null]) => verified(query, schema),
  "graphql.parse_and_verify": ([query = null, schema = null]) =>
    orElse([false, object({}), object({})], () => [true, ...verified(query, schema)]),
  "graphql.parse_query": (operands) => documentOf(parseQueryDocument(textOf(operands, 0))),
  "graphql.parse_schema": (operands) => documentOf(parseSchemaDocument(textOf(operands, 0))),
  "graphql.schema_is_valid": ([schema = null]) => holds(() => checkedSchema(schemaOf(schema))),
};

/** @returns both documents. @throws BuiltinError where one of them does not hold */
function verified(query: RegoValue, schema: RegoValue): readonly RegoValue[] {
  const asked = typeof query === "string" ? parseQueryDocument(query) : nodeFrom("QueryDocument", given(query));
  const types = schemaOf(schema);
  checkQuery(checkedSchema(types), asked);
  return [documentOf(asked), documentOf(types)];
}

function schemaOf(schema: RegoValue): ReturnType<typeof parseSchemaDocument> {
  return typeof schema === "string" ? parseSchemaDocument(schema) : nodeFrom("SchemaDocument", given(schema));
}

function given(document: RegoValue): RegoValue {
  if (document === null) throw new BuiltinError("a document is a text or an object");
  return document;
}

function holds(check: () => unknown): boolean {
  return orElse<boolean>(false, () => {
    check();
    return true;
  });
}

/** What is beyond our limits is an error all the same. */
function orElse<Answer>(otherwise: Answer, run: () => Answer): Answer {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return otherwise;
    throw thrown;
  }
}
