/** Executable documents (section 2.2): operations and fragments. */
import type { RegoValue } from "../rego-value.ts";
import { GraphqlReader, node } from "./graphql-tokens.ts";

const OPERATIONS: readonly string[] = ["query", "mutation", "subscription"];

export function parseQueryDocument(text: string): RegoValue {
  const read = new GraphqlReader(text);
  const [operations, fragments]: [RegoValue[], RegoValue[]] = [[], []];
  while (read.next.kind !== "end") {
    if (read.skip("fragment")) fragments.push(fragmentDefinition(read));
    else operations.push(operation(read));
  }
  return node({ Operations: operations, Fragments: fragments });
}

function operation(read: GraphqlReader): RegoValue {
  if (read.isAt("{")) return node({ Operation: "query", Name: "", SelectionSet: requiredSelection(read) });
  const kind = OPERATIONS.find((one) => read.skip(one));
  if (kind === undefined) throw read.wrong();
  const name = read.next.kind === "name" ? read.name() : "";
  const definitions = variables(read);
  const directives = read.directives(false);
  return node({
    Operation: kind,
    Name: name,
    VariableDefinitions: definitions,
    Directives: directives,
    SelectionSet: requiredSelection(read),
  });
}

function fragmentDefinition(read: GraphqlReader): RegoValue {
  const name = fragmentName(read);
  const definitions = variables(read);
  read.expect("on");
  const condition = read.name();
  const directives = read.directives(false);
  return node({
    Name: name,
    VariableDefinition: definitions,
    TypeCondition: condition,
    Directives: directives,
    SelectionSet: requiredSelection(read),
  });
}

function fragmentName(read: GraphqlReader): string {
  if (read.isAt("on")) throw read.wrong();
  return read.name();
}

function variables(read: GraphqlReader): readonly RegoValue[] {
  return read.some("(", ")", () => {
    const variable = read.variable();
    read.expect(":");
    const type = read.type();
    const value = read.skip("=") ? read.value(true) : null;
    const directives = read.directives(false);
    return node({ Variable: variable, Type: type, DefaultValue: value, Directives: directives, Used: false });
  });
}

function requiredSelection(read: GraphqlReader): readonly RegoValue[] {
  if (!read.isAt("{")) throw read.wrong();
  return selection(read);
}

function selection(read: GraphqlReader): readonly RegoValue[] {
  return read.some("{", "}", () => (read.skip("...") ? fragment(read) : field(read)));
}

function fragment(read: GraphqlReader): RegoValue {
  if (read.next.kind === "name" && !read.isAt("on"))
    return node({ Name: fragmentName(read), Directives: read.directives(false) });
  const condition = read.skip("on") ? read.name() : "";
  const directives = read.directives(false);
  return node({ TypeCondition: condition, Directives: directives, SelectionSet: requiredSelection(read) });
}

function field(read: GraphqlReader): RegoValue {
  const alias = read.name();
  const name = read.skip(":") ? read.name() : alias;
  const parts = { Arguments: read.arguments(false), Directives: read.directives(false) };
  return node({ Alias: alias, Name: name, ...parts, SelectionSet: selection(read) });
}
