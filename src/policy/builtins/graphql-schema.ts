/** Type system documents (section 3): definitions, extensions, directives and the schema itself. */
import { GraphqlReader } from "./graphql-tokens.ts";
import { type Comment, type Node, nodeOf } from "./graphql-tree.ts";

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
const OPERATIONS: readonly string[] = ["query", "mutation", "subscription"];

/** What may stand before a definition: its description and the comments around it. */
interface Heading {
  readonly Description: string;
  readonly BeforeDescriptionComment: Comment;
  readonly AfterDescriptionComment: Comment;
}

export function parseSchemaDocument(text: string): Node<"SchemaDocument"> {
  const read = new GraphqlReader(text);
  const found = {
    ...{ Schema: [] as Node<"SchemaDefinition">[], SchemaExtension: [] as Node<"SchemaDefinition">[] },
    ...{ Definitions: [] as Node<"Definition">[], Extensions: [] as Node<"Definition">[] },
    Directives: [] as Node<"DirectiveDefinition">[],
  };
  while (read.next.kind !== "end") {
    const given = heading(read);
    const isExtension = read.isAt("extend");
    if (isExtension && given.Description !== "") throw read.wrong();
    read.skip("extend");
    const head = isExtension ? { ...given, BeforeDescriptionComment: null } : given;
    if (read.skip("schema")) found[isExtension ? "SchemaExtension" : "Schema"].push(schema(read, head, isExtension));
    else if (!isExtension && read.skip("directive")) found.Directives.push(directive(read, head));
    else found[isExtension ? "Extensions" : "Definitions"].push(definition(read, head, isExtension));
  }
  return nodeOf("SchemaDocument", { ...found, Comment: read.comment });
}

function heading(read: GraphqlReader): Heading {
  const { comment } = read;
  const isDescribed = read.isAtText();
  const description = isDescribed ? read.take() : "";
  return {
    Description: description,
    BeforeDescriptionComment: isDescribed ? comment : null,
    AfterDescriptionComment: read.comment,
  };
}

/** What stands inside of a definition forgets the comment before a description that is empty. */
function innerHeading(read: GraphqlReader): Heading {
  const given = heading(read);
  return given.Description === "" ? { ...given, BeforeDescriptionComment: null } : given;
}

/** An extension has to bring something. */
function schema(read: GraphqlReader, head: Heading, isExtension: boolean): Node<"SchemaDefinition"> {
  const directives = read.directives(true);
  const { items, comment } = read.someAndComment("{", "}", () => operationType(read));
  if (isExtension && directives.length + items.length === 0) throw read.wrong();
  const parts = { Directives: directives, OperationTypes: items, EndOfDefinitionComment: comment };
  return nodeOf("SchemaDefinition", { ...head, ...parts });
}

function operationType(read: GraphqlReader): Node<"OperationTypeDefinition"> {
  const { comment } = read;
  const operation = read.take(); // a string is as good as the word in gqlparser
  if (!OPERATIONS.includes(operation)) throw read.wrong();
  read.expect(":");
  return nodeOf("OperationTypeDefinition", { Operation: operation, Type: read.name(), Comment: comment });
}

function definition(read: GraphqlReader, head: Heading, isExtension: boolean): Node<"Definition"> {
  const kind = KINDS.find((one) => read.skip(one));
  if (kind === undefined) throw read.wrong();
  const name = read.name();
  const interfaces = kind === "type" || (kind === "interface" && !isExtension) ? implemented(read) : [];
  const directives = read.directives(!(isExtension && kind === "input"));
  const content = contentOf(read, kind);
  const isEmpty = !Object.values(content).some((list) => list !== null && list.length > 0);
  if (isExtension && interfaces.length + directives.length === 0 && isEmpty) throw read.wrong();
  const parts = { Kind: SHOWN[kind], Name: name, Directives: directives, Interfaces: interfaces };
  return nodeOf("Definition", { ...head, ...parts, ...content });
}

type Content = Partial<Pick<Node<"Definition">, "Fields" | "Types" | "EnumValues" | "EndOfDefinitionComment">>;

function contentOf(read: GraphqlReader, kind: Kind): Content {
  if (kind === "scalar") return {};
  if (kind === "union") return { Types: read.skip("=") ? separated(read, "|") : [] };
  if (kind === "enum") {
    const { items, comment } = read.someAndComment("{", "}", () => {
      const head = innerHeading(read);
      return nodeOf("EnumValueDefinition", { ...head, Name: read.name(), Directives: read.directives(true) });
    });
    return { EnumValues: items, EndOfDefinitionComment: comment };
  }
  const isInput = kind === "input";
  const { items, comment } = read.someAndComment("{", "}", () =>
    isInput ? nodeOf("FieldDefinition", inputValue(read)) : field(read),
  );
  return { Fields: items, EndOfDefinitionComment: comment };
}

/** As in gqlparser, a string that says `implements` is as good as the word. */
function implemented(read: GraphqlReader): readonly string[] {
  if (read.next.text !== "implements") return [];
  read.take();
  return separated(read, "&");
}

function separated(read: GraphqlReader, separator: string): readonly string[] {
  read.skip(separator);
  const names = [read.name()];
  while (read.skip(separator)) names.push(read.name());
  return names;
}

function field(read: GraphqlReader): Node<"FieldDefinition"> {
  const head = innerHeading(read);
  const name = read.name();
  const parameters = read.some("(", ")", () => nodeOf("ArgumentDefinition", inputValue(read)));
  read.expect(":");
  const type = read.type();
  const directives = read.directives(true);
  return nodeOf("FieldDefinition", { ...head, Name: name, Arguments: parameters, Type: type, Directives: directives });
}

type InputValue = Heading & Pick<Node<"ArgumentDefinition">, "Name" | "DefaultValue" | "Type" | "Directives">;

function inputValue(read: GraphqlReader): InputValue {
  const head = innerHeading(read);
  const name = read.name();
  read.expect(":");
  const type = read.type();
  const value = read.skip("=") ? read.value(true) : null;
  return { ...head, Name: name, DefaultValue: value, Type: type, Directives: read.directives(true) };
}

function directive(read: GraphqlReader, head: Heading): Node<"DirectiveDefinition"> {
  read.expect("@");
  const name = read.name();
  const parameters = read.some("(", ")", () => nodeOf("ArgumentDefinition", inputValue(read)));
  const isRepeatable = read.skip("repeatable");
  read.expect("on");
  const locations = separated(read, "|");
  if (!locations.every((one) => LOCATIONS.has(one))) throw read.wrong();
  const parts = { Name: name, Arguments: parameters, Locations: locations, IsRepeatable: isRepeatable };
  return nodeOf("DirectiveDefinition", { ...head, ...parts });
}
