/** Type system documents (section 3): definitions, extensions, directives and the schema itself. */
import type { RegoValue } from "../rego-value.ts";
import { GraphqlReader, node } from "./graphql-tokens.ts";

const KINDS = ["scalar", "type", "interface", "union", "enum", "input"] as const;
type Kind = (typeof KINDS)[number];
const SHOWN: Readonly<Record<Kind, string>> = {
  ...{ scalar: "SCALAR", type: "OBJECT", interface: "INTERFACE", union: "UNION", enum: "ENUM", input: "INPUT_OBJECT" },
};
const LOCATIONS = new Set([
  ...["QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
  ...["VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE"],
  ...["UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION"],
]);

export function parseSchemaDocument(text: string, skipsComments = false): RegoValue {
  const read = new GraphqlReader(text, skipsComments);
  const found: Record<"Schema" | "SchemaExtension" | "Directives" | "Definitions" | "Extensions", RegoValue[]> = {
    ...{ Schema: [], SchemaExtension: [], Directives: [], Definitions: [], Extensions: [] },
  };
  while (read.next.kind !== "end") {
    const description = read.description();
    const isExtension = read.isAt("extend");
    if (isExtension && description !== "") throw read.wrong();
    read.skip("extend");
    if (read.skip("schema"))
      found[isExtension ? "SchemaExtension" : "Schema"].push(schema(read, description, isExtension));
    else if (!isExtension && read.skip("directive")) found.Directives.push(directive(read, description));
    else found[isExtension ? "Extensions" : "Definitions"].push(definition(read, description, isExtension));
  }
  return node(found);
}

/** An extension has to bring something. */
function schema(read: GraphqlReader, description: string, isExtension: boolean): RegoValue {
  const directives = read.directives(true);
  const types = read.some("{", "}", () => {
    const operation = ["query", "mutation", "subscription"].find((one) => read.skip(one));
    if (operation === undefined) throw read.wrong();
    read.expect(":");
    return node({ Operation: operation, Type: read.name() });
  });
  if (isExtension && directives.length + types.length === 0) throw read.wrong();
  return node({ Description: description, Directives: directives, OperationTypes: types });
}

function definition(read: GraphqlReader, description: string, isExtension: boolean): RegoValue {
  const kind = KINDS.find((one) => read.skip(one));
  if (kind === undefined) throw read.wrong();
  const name = read.name();
  const interfaces = kind === "type" || (kind === "interface" && !isExtension) ? implemented(read) : [];
  const directives = read.directives(true);
  const content = contentOf(read, kind);
  const isEmpty = Object.values(content).every((list) => list.length === 0);
  if (isExtension && interfaces.length + directives.length === 0 && isEmpty) throw read.wrong();
  const parts = { Kind: SHOWN[kind], Description: description, Name: name, Directives: directives };
  return node({ ...parts, Interfaces: interfaces, ...content, BuiltIn: false });
}

function contentOf(read: GraphqlReader, kind: Kind): Readonly<Record<string, readonly RegoValue[]>> {
  switch (kind) {
    case "scalar":
      return {};
    case "union":
      return { Types: read.skip("=") ? separated(read, "|") : [] };
    case "enum":
      return {
        EnumValues: read.some("{", "}", () => {
          const description = read.description();
          return node({ Description: description, Name: read.name(), Directives: read.directives(true) });
        }),
      };
    case "input":
      return { Fields: read.some("{", "}", () => inputValue(read)) };
    default:
      return { Fields: read.some("{", "}", () => field(read)) };
  }
}

function implemented(read: GraphqlReader): readonly string[] {
  return read.skip("implements") ? separated(read, "&") : [];
}

function separated(read: GraphqlReader, separator: string): readonly string[] {
  read.skip(separator);
  const names = [read.name()];
  while (read.skip(separator)) names.push(read.name());
  return names;
}

function field(read: GraphqlReader): RegoValue {
  const description = read.description();
  const name = read.name();
  const parameters = read.some("(", ")", () => inputValue(read));
  read.expect(":");
  const type = read.type();
  const directives = read.directives(true);
  return node({ Description: description, Name: name, Arguments: parameters, Type: type, Directives: directives });
}

function inputValue(read: GraphqlReader): RegoValue {
  const description = read.description();
  const name = read.name();
  read.expect(":");
  const type = read.type();
  const value = read.skip("=") ? read.value(true) : null;
  const directives = read.directives(true);
  return node({ Description: description, Name: name, DefaultValue: value, Type: type, Directives: directives });
}

function directive(read: GraphqlReader, description: string): RegoValue {
  read.expect("@");
  const name = read.name();
  const parameters = read.some("(", ")", () => inputValue(read));
  const isRepeatable = read.skip("repeatable");
  read.expect("on");
  const locations = separated(read, "|");
  if (!locations.every((one) => LOCATIONS.has(one))) throw read.wrong();
  const parts = { Description: description, Name: name, Arguments: parameters, Locations: locations };
  return node({ ...parts, IsRepeatable: isRepeatable });
}
