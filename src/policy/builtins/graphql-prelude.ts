/** What every GraphQL schema has from the start: scalars, directives and introspection (section 4), as gqlparser has it. */
import { parseSchemaDocument } from "./graphql-schema.ts";
import { nodeOf } from "./graphql-tree.ts";

const PARSED = parseSchemaDocument(`
  scalar Int scalar Float scalar String scalar Boolean scalar ID
  directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @deprecated(reason: String = "") on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
  directive @specifiedBy(url: String!) on SCALAR
  directive @oneOf on INPUT_OBJECT
  type __Schema {
    description: String types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type
    directives: [__Directive!]!
  }
  type __Type {
    kind: __TypeKind! name: String description: String specifiedByURL: String
    fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
    enumValues(includeDeprecated: Boolean = false): [__EnumValue!]
    inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type isOneOf: Boolean
  }
  enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
  type __Field {
    name: String! description: String args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type!
    isDeprecated: Boolean! deprecationReason: String
  }
  type __InputValue {
    name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean! deprecationReason: String
  }
  type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
  type __Directive {
    name: String! description: String isRepeatable: Boolean! locations: [__DirectiveLocation!]!
    args(includeDeprecated: Boolean = false): [__InputValue!]!
  }
  enum __DirectiveLocation {
    QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA
    SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION
  }
`);

export const PRELUDE = nodeOf("SchemaDocument", {
  Directives: PARSED.Directives,
  Definitions: PARSED.Definitions.map((one) => ({ ...one, BuiltIn: true })),
});

const name = nodeOf("Type", { NamedType: "String", NonNull: true });

/** What the type that queries start at has besides its own. */
export const ROOT_FIELDS = [
  nodeOf("FieldDefinition", { Name: "__schema", Type: nodeOf("Type", { NamedType: "__Schema", NonNull: true }) }),
  nodeOf("FieldDefinition", {
    Name: "__type",
    Type: nodeOf("Type", { NamedType: "__Type" }),
    Arguments: [nodeOf("ArgumentDefinition", { Name: "name", Type: name })],
  }),
];

/** What every object can be asked. */
export const TYPENAME = nodeOf("FieldDefinition", {
  Name: "__typename",
  Type: nodeOf("Type", { NamedType: "String" }),
});
