/** Whether the type system of a GraphQL document holds (specification of October 2021, section 3), in gqlparser's steps. */
import { PRELUDE, ROOT_FIELDS } from "./graphql-prelude.ts";
import { KIND, type Node } from "./graphql-tree.ts";
import {
  isCompatible,
  isInput,
  isOutput,
  isRequired,
  named,
  require,
  type Schema,
  type TypeDefinition,
  typeName,
} from "./graphql-types.ts";

interface Draft extends Schema {
  readonly types: Map<string, TypeDefinition>;
  readonly directives: Map<string, Node<"DirectiveDefinition">>;
  readonly possible: Map<string, TypeDefinition[]>;
  readonly roots: Map<string, TypeDefinition>;
}

const REDECLARED: ReadonlySet<string> = new Set(["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"]);
const ROOT_NAMES = { query: "Query", mutation: "Mutation", subscription: "Subscription" };
const NO_ENUMS: ReadonlySet<string> = new Set(["true", "false", "null"]);

/** @throws BuiltinError for a schema that does not hold */
export function checkedSchema(document: Node<"SchemaDocument">): Schema {
  const schema: Draft = { types: new Map(), directives: new Map(), possible: new Map(), roots: new Map() };
  declareTypes(schema, document);
  for (const directive of [...PRELUDE.Directives, ...document.Directives]) {
    const isKnown = schema.directives.has(directive.Name);
    require(!isKnown || REDECLARED.has(directive.Name), `directive ${directive.Name} is declared again`);
    schema.directives.set(directive.Name, directive);
  }
  findRoots(schema, document);
  for (const definition of schema.types.values()) checkDefinition(schema, definition);
  checkInputCycles(schema);
  for (const directive of schema.directives.values()) {
    checkName(directive.Name);
    checkArguments(schema, directive.Arguments, directive.Name);
  }
  if (document.Schema.length === 0) inferRoots(schema);
  schema.roots.get("query")?.Fields.push(...ROOT_FIELDS);
  return schema;
}

function declareTypes(schema: Draft, document: Node<"SchemaDocument">): void {
  for (const one of [...PRELUDE.Definitions, ...document.Definitions]) {
    require(!schema.types.has(one.Name), `type ${one.Name} is declared again`);
    schema.types.set(one.Name, { ...one, ...copied(one) });
  }
  for (const extension of document.Extensions) {
    const known = schema.types.get(extension.Name);
    const { Kind, Name } = extension;
    if (known === undefined) schema.types.set(Name, { Kind, Name, BuiltIn: false, ...copied(extension) });
    else {
      require(known.Kind === Kind, `type ${Name} is extended as another kind`);
      const more = copied(extension);
      known.Directives.push(...more.Directives);
      known.Interfaces.push(...more.Interfaces);
      known.Fields.push(...more.Fields);
      known.Types.push(...more.Types);
      known.EnumValues.push(...more.EnumValues);
    }
  }
  for (const definition of schema.types.values()) notePossible(schema, definition);
}

function copied(
  one: Node<"Definition">,
): Pick<TypeDefinition, "Directives" | "Interfaces" | "Fields" | "Types" | "EnumValues"> {
  return {
    ...{ Directives: [...one.Directives], Interfaces: [...one.Interfaces], Fields: [...one.Fields] },
    ...{ Types: [...one.Types], EnumValues: [...one.EnumValues] },
  };
}

function notePossible({ types, possible }: Draft, definition: TypeDefinition): void {
  const note = (asked: string, one: TypeDefinition | undefined): void => {
    if (one === undefined) return;
    const known = possible.get(asked);
    if (known === undefined) possible.set(asked, [one]);
    else known.push(one);
  };
  const { Kind, Name, Types, Interfaces } = definition;
  if (Kind === "UNION") for (const one of Types) note(Name, types.get(one));
  if (Kind === "INPUT_OBJECT" || Kind === "OBJECT" || Kind === "INTERFACE")
    for (const one of Interfaces) note(one, definition);
  if (Kind === "INPUT_OBJECT" || Kind === "OBJECT") note(Name, definition);
}

function findRoots(schema: Draft, document: Node<"SchemaDocument">): void {
  require(document.Schema.length <= 1, "there is more than one schema");
  for (const one of [...document.Schema, ...document.SchemaExtension]) {
    for (const { Operation, Type } of one.OperationTypes) {
      const root = schema.types.get(Type);
      require(root !== undefined, `the schema names type ${Type}, which is not there`);
      schema.roots.set(Operation, root);
    }
    checkDirectives(schema, one.Directives, "SCHEMA");
  }
}

/** Only where no `schema` names them. */
function inferRoots({ roots, types }: Draft): void {
  for (const [operation, name] of Object.entries(ROOT_NAMES)) {
    const type = types.get(name);
    if (!roots.has(operation) && type !== undefined) roots.set(operation, type);
  }
}

function checkName(name: string): void {
  require(!name.startsWith("__"), `name ${name} begins as only names of introspection do`);
}

function checkDefinition(schema: Draft, definition: TypeDefinition): void {
  const { Kind, Name, Fields, Types, Interfaces, EnumValues } = definition;
  for (const field of Fields) {
    checkName(field.Name);
    require(schema.types.has(typeName(field.Type)), `type ${typeName(field.Type)} is not there`);
    checkArguments(schema, field.Arguments, null);
    checkDirectives(schema, field.Directives, Kind === "INPUT_OBJECT" ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION");
  }
  for (const one of Types) require(schema.types.get(one)?.Kind === "OBJECT", `${one} is no object of union ${Name}`);
  for (const one of Interfaces) checkImplements(schema, definition, one);
  checkContent(schema, definition);
  for (const names of [Fields.map((field) => field.Name), EnumValues.map((value) => value.Name), Types])
    require(new Set(names).size === names.length, `${Kind} ${Name} says something twice`);
  if (!definition.BuiltIn) checkName(Name);
  // They are merged from several places, each of which may have the same one.
  checkDirectives(schema, definition.Directives, Kind, { isOnePlace: false });
}

function checkContent(schema: Draft, { Kind, Name, Fields, EnumValues }: TypeDefinition): void {
  const kinds = Fields.map((field) => schema.types.get(typeName(field.Type))?.Kind);
  if (Kind === "OBJECT" || Kind === "INTERFACE")
    require(Fields.length > 0 && kinds.every(isOutput), `${Kind} ${Name} has no fields, or one of a kind of input`);
  if (Kind === "INPUT_OBJECT")
    require(Fields.length > 0 && kinds.every(isInput), `input ${Name} has no fields, or one of a kind of answers`);
  if (Kind !== "ENUM") return;
  require(EnumValues.length > 0 &&
    !EnumValues.some((one) => NO_ENUMS.has(one.Name)), `enum ${Name} has no right values`);
  for (const value of EnumValues) checkDirectives(schema, value.Directives, "ENUM_VALUE");
}

function checkArguments(schema: Draft, all: readonly Node<"ArgumentDefinition">[], directive: string | null): void {
  for (const one of all) {
    checkName(one.Name);
    require(isInput(schema.types.get(typeName(one.Type))?.Kind), `argument ${one.Name} has no type of input`);
    checkDirectives(schema, one.Directives, "ARGUMENT_DEFINITION", { inside: directive });
  }
}

interface Place {
  /** The directive of whose definition this is a part. */
  readonly inside?: string | null;
  readonly isOnePlace?: boolean;
}

function checkDirectives(
  { directives }: Draft,
  all: readonly Node<"Directive">[],
  location: string,
  { inside = null, isOnePlace = true }: Place = {},
): void {
  const seen = new Set<string>();
  for (const { Name, Arguments } of all) {
    checkName(Name);
    const directive = directives.get(Name);
    require(directive !== undefined && Name !== inside, `directive ${Name} is not there, or is its own`);
    require(!isOnePlace || !seen.has(Name) || directive.IsRepeatable, `directive ${Name} is said twice`);
    seen.add(Name);
    require(directive.Locations.includes(location), `directive ${Name} is not for ${location}`);
    for (const one of Arguments)
      require(named(directive.Arguments, one.Name) !== undefined, `directive ${Name} has no argument ${one.Name}`);
    for (const needed of directive.Arguments.filter(isRequired)) {
      const given = named(Arguments, needed.Name);
      require(given !== undefined && given.Value.Kind !== KIND.null, `directive ${Name} needs ${needed.Name}`);
    }
  }
}

function checkImplements(schema: Draft, own: TypeDefinition, name: string): void {
  const wanted = schema.types.get(name);
  require(wanted?.Kind === "INTERFACE", `${name} is no interface`);
  const why = `${own.Name} is not as ${name} wants it`;
  for (const required of wanted.Fields) {
    const found = named(own.Fields, required.Name);
    require(found !== undefined && isCovariant(schema, required.Type, found.Type), why);
    for (const one of required.Arguments) {
      const same = named(found.Arguments, one.Name);
      require(same !== undefined && isCompatible(one.Type, same.Type), why);
    }
    for (const one of found.Arguments)
      require(named(required.Arguments, one.Name) !== undefined || !isRequired(one), why);
  }
  require(wanted.Interfaces.every((one) => own.Interfaces.includes(one)), why);
}

function isCovariant(schema: Draft, required: Node<"Type">, actual: Node<"Type">): boolean {
  if (required.NonNull && !actual.NonNull) return false;
  const { NamedType: wanted } = required;
  if (wanted !== "")
    return (
      wanted === actual.NamedType ||
      (schema.possible.get(wanted) ?? []).some((possible) => possible.Name === actual.NamedType)
    );
  return required.Elem !== null && actual.Elem !== null && isCovariant(schema, required.Elem, actual.Elem);
}

/** No input object may need itself. */
function checkInputCycles({ types }: Draft): void {
  const done = new Set<string>();
  const path = new Set<string>();
  const visit = ({ Name, Fields }: TypeDefinition): void => {
    if (done.has(Name)) return;
    done.add(Name);
    path.add(Name);
    for (const { Type } of Fields) {
      const next = types.get(Type.NamedType);
      if (!Type.NonNull || next?.Kind !== "INPUT_OBJECT") continue;
      require(!path.has(next.Name), `input ${next.Name} needs itself`);
      visit(next);
    }
    path.delete(Name);
  };
  for (const definition of types.values()) if (definition.Kind === "INPUT_OBJECT") visit(definition);
}
