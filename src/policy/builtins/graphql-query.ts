/** Executable documents (section 2.2): operations and fragments. */
import { GraphqlReader } from "./graphql-tokens.ts";
import { type Node, nodeOf, type Selection } from "./graphql-tree.ts";

const OPERATIONS: readonly string[] = ["query", "mutation", "subscription"];

export function parseQueryDocument(text: string): Node<"QueryDocument"> {
  const read = new GraphqlReader(text);
  const operations: Node<"OperationDefinition">[] = [];
  const fragments: Node<"FragmentDefinition">[] = [];
  while (read.next.kind !== "end") {
    if (read.isAt("fragment")) fragments.push(fragmentDefinition(read));
    else operations.push(operation(read));
  }
  return nodeOf("QueryDocument", { Operations: operations, Fragments: fragments });
}

function operation(read: GraphqlReader): Node<"OperationDefinition"> {
  const { comment } = read;
  // The comment before a query without its keyword is lost.
  if (read.isAt("{")) return nodeOf("OperationDefinition", { Operation: "query", SelectionSet: required(read) });
  const kind = OPERATIONS.find((one) => read.skip(one));
  if (kind === undefined) throw read.wrong();
  const name = read.next.kind === "name" ? read.name() : "";
  const definitions = variables(read);
  const directives = read.directives(false);
  return nodeOf("OperationDefinition", {
    Operation: kind,
    Name: name,
    VariableDefinitions: definitions,
    Directives: directives,
    SelectionSet: required(read),
    Comment: comment,
  });
}

function fragmentDefinition(read: GraphqlReader): Node<"FragmentDefinition"> {
  const { comment } = read;
  read.expect("fragment");
  const name = fragmentName(read);
  const definitions = variables(read);
  read.expect("on");
  const condition = read.name();
  const directives = read.directives(false);
  return nodeOf("FragmentDefinition", {
    Name: name,
    VariableDefinition: definitions,
    TypeCondition: condition,
    Directives: directives,
    SelectionSet: required(read),
    Comment: comment,
  });
}

function fragmentName(read: GraphqlReader): string {
  if (read.isAt("on")) throw read.wrong();
  return read.name();
}

function variables(read: GraphqlReader): readonly Node<"VariableDefinition">[] {
  return read.some("(", ")", () => {
    const { comment } = read;
    const variable = read.variable();
    read.expect(":");
    const type = read.type();
    const value = read.skip("=") ? read.value(true) : null;
    const directives = read.directives(false);
    const parts = { Variable: variable, Type: type, DefaultValue: value, Directives: directives, Comment: comment };
    return nodeOf("VariableDefinition", parts);
  });
}

function required(read: GraphqlReader): readonly Selection[] {
  if (!read.isAt("{")) throw read.wrong();
  return selections(read);
}

function selections(read: GraphqlReader): readonly Selection[] {
  return read.some("{", "}", () => (read.isAt("...") ? fragment(read) : field(read)));
}

/** As in gqlparser, a string that says `on` is as good as the word. */
function fragment(read: GraphqlReader): Selection {
  const { comment } = read;
  read.expect("...");
  const isOn = read.next.text === "on";
  if (read.next.kind === "name" && !isOn) {
    const name = fragmentName(read);
    return nodeOf("FragmentSpread", { Name: name, Directives: read.directives(false), Comment: comment });
  }
  if (isOn) read.take();
  const condition = isOn ? read.name() : "";
  const directives = read.directives(false);
  const parts = { TypeCondition: condition, Directives: directives, SelectionSet: required(read), Comment: comment };
  return nodeOf("InlineFragment", parts);
}

function field(read: GraphqlReader): Selection {
  const { comment } = read;
  const alias = read.name();
  const name = read.skip(":") ? read.name() : alias;
  const parameters = read.arguments(false);
  const directives = read.directives(false);
  const parts = { Alias: alias, Name: name, Arguments: parameters, Directives: directives, Comment: comment };
  return nodeOf("Field", { ...parts, SelectionSet: selections(read) });
}
