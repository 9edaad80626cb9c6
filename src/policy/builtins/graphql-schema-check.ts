/** Whether the type system of a GraphQL document holds (specification of October 2021, section 3), in gqlparser's steps. */
import { isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import { isObjectValue, member, numberText } from "./call.ts";
import { parseSchemaDocument } from "./graphql-schema.ts";

/** What every schema has from the start; none of it is checked again. */
const PRELUDE = parseSchemaDocument(`
  scalar Int scalar Float scalar String scalar Boolean scalar ID
  directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @deprecated(reason: String = "") on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
  directive @specifiedBy(url: String!) on SCALAR
  directive @oneOf on INPUT_OBJECT
  type __Schema { description: String } type __Type { name: String } type __Field { name: String }
  type __InputValue { name: String } type __EnumValue { name: String } type __Directive { name: String }
  enum __TypeKind { SCALAR } enum __DirectiveLocation { QUERY }
`);

/** Merged from its definition and all its extensions. */
interface Definition {
  readonly kind: string;
  readonly name: string;
  readonly isGiven: boolean;
  readonly parts: Record<"Directives" | "Interfaces" | "Fields" | "Types" | "EnumValues", RegoValue[]>;
}

interface Schema {
  readonly types: Map<string, Definition>;
  readonly directives: Map<string, RegoObject>;
  /** Names of what may stand where a union or an interface is asked for. */
  readonly possible: Map<string, Set<string>>;
}

class Wrong extends Error {}

const NULL_KIND = "6";
const REDECLARED: ReadonlySet<string> = new Set(["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"]);
const INPUT_KINDS: ReadonlySet<string> = new Set(["SCALAR", "ENUM", "INPUT_OBJECT"]);
const PARTS = ["Directives", "Interfaces", "Fields", "Types", "EnumValues"] as const;

/** @param document as parseSchemaDocument() gives it */
export function isValidSchema(document: RegoValue): boolean {
  try {
    check(document);
    return true;
  } catch (thrown) {
    if (thrown instanceof Wrong) return false;
    throw thrown;
  }
}

function check(document: RegoValue): void {
  if (!isObjectValue(document)) throw new Wrong();
  const schema: Schema = { types: new Map(), directives: new Map(), possible: new Map() };
  declare(schema, PRELUDE as RegoObject, true);
  declare(schema, document, false);
  for (const definition of schema.types.values()) notePossible(schema, definition);
  checkEntryPoints(schema, document);
  for (const definition of schema.types.values()) if (!definition.isGiven) checkDefinition(schema, definition);
  checkInputCycles(schema);
  for (const directive of schema.directives.values()) {
    checkName(directive);
    checkArguments(schema, nodes(directive, "Arguments"), text(directive, "Name"));
  }
}

function require(holds: boolean): void {
  if (!holds) throw new Wrong();
}

function list(node: RegoObject, key: string): readonly RegoValue[] {
  const value = member(node, key) ?? [];
  if (!isArray(value)) throw new Wrong();
  return value;
}

function nodes(node: RegoObject, key: string): readonly RegoObject[] {
  const all = list(node, key);
  if (!all.every(isObjectValue)) throw new Wrong();
  return all as readonly RegoObject[];
}

function text(node: RegoObject, key: string): string {
  const value = member(node, key) ?? "";
  if (typeof value !== "string") throw new Wrong();
  return value;
}

function declare(schema: Schema, document: RegoObject, isGiven: boolean): void {
  for (const node of nodes(document, "Definitions")) {
    require(!schema.types.has(text(node, "Name")));
    schema.types.set(text(node, "Name"), definitionOf(node, isGiven));
  }
  for (const node of nodes(document, "Extensions")) {
    const name = text(node, "Name");
    const extended = definitionOf(node, false);
    const known = schema.types.get(name);
    if (known === undefined) schema.types.set(name, extended);
    else {
      require(known.kind === extended.kind);
      for (const part of PARTS) known.parts[part].push(...extended.parts[part]);
    }
  }
  for (const node of nodes(document, "Directives")) {
    const name = text(node, "Name");
    require(!schema.directives.has(name) || REDECLARED.has(name));
    schema.directives.set(name, node);
  }
}

function definitionOf(node: RegoObject, isGiven: boolean): Definition {
  const [Directives, Interfaces, Fields, Types, EnumValues] = PARTS.map((part) => [...list(node, part)]);
  const parts = { Directives, Interfaces, Fields, Types, EnumValues } as Definition["parts"];
  return { kind: text(node, "Kind"), name: text(node, "Name"), isGiven, parts };
}

function notePossible({ possible }: Schema, { kind, name, parts }: Definition): void {
  const note = (asked: string, one: string) => possible.set(asked, (possible.get(asked) ?? new Set()).add(one));
  if (kind === "UNION") for (const one of parts.Types) note(name, String(one));
  else for (const one of parts.Interfaces) note(String(one), name);
}

function checkEntryPoints(schema: Schema, document: RegoObject): void {
  const own = nodes(document, "Schema");
  require(own.length <= 1);
  for (const node of [...own, ...nodes(document, "SchemaExtension")]) {
    for (const point of nodes(node, "OperationTypes")) require(schema.types.has(text(point, "Type")));
    checkDirectives(schema, nodes(node, "Directives"), "SCHEMA", null, true);
  }
}

function checkName(node: RegoObject): void {
  require(!text(node, "Name").startsWith("__"));
}

/** The type at the bottom of lists. */
function namedType(type: RegoValue | undefined): string {
  if (!isObjectValue(type)) throw new Wrong();
  const inner = member(type, "Elem");
  return inner === undefined ? text(type, "NamedType") : namedType(inner);
}

function isRequired(node: RegoObject): boolean {
  const type = member(node, "Type");
  return isObjectValue(type) && member(type, "NonNull") === true && member(node, "DefaultValue") === undefined;
}

function checkDefinition(schema: Schema, definition: Definition): void {
  const { kind, name, parts } = definition;
  const fields = nodes({ type: "object", entries: [["Fields", parts.Fields]] }, "Fields");
  const place = kind === "INPUT_OBJECT" ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION";
  for (const field of fields) {
    checkName(field);
    require(schema.types.has(namedType(member(field, "Type"))));
    checkArguments(schema, nodes(field, "Arguments"), null);
    checkDirectives(schema, nodes(field, "Directives"), place, null, true);
  }
  for (const one of parts.Types) require(schema.types.get(String(one))?.kind === "OBJECT");
  for (const one of parts.Interfaces) checkImplements(schema, definition, fields, String(one));
  checkContent(schema, definition, fields);
  for (const named of [fields.map((field) => text(field, "Name")), parts.Types.map(String), enumNames(parts)])
    require(new Set(named).size === named.length);
  require(!name.startsWith("__"));
  const directives = nodes({ type: "object", entries: [["Directives", parts.Directives]] }, "Directives");
  checkDirectives(schema, directives, kind, null, false);
}

function enumNames({ EnumValues }: Definition["parts"]): readonly string[] {
  return EnumValues.map((one) => (isObjectValue(one) ? text(one, "Name") : ""));
}

function checkContent(schema: Schema, { kind, parts }: Definition, fields: readonly RegoObject[]): void {
  const kindsOfFields = fields.map((field) => schema.types.get(namedType(member(field, "Type")))?.kind ?? "");
  if (kind === "OBJECT" || kind === "INTERFACE")
    require(fields.length > 0 && kindsOfFields.every((one) => one !== "INPUT_OBJECT"));
  if (kind === "INPUT_OBJECT") require(fields.length > 0 && kindsOfFields.every((one) => INPUT_KINDS.has(one)));
  if (kind !== "ENUM") return;
  require(parts.EnumValues.length > 0 && !enumNames(parts).some((one) => /^(?:true|false|null)$/.test(one)));
  for (const value of parts.EnumValues)
    if (isObjectValue(value)) checkDirectives(schema, nodes(value, "Directives"), "ENUM_VALUE", null, true);
}

function checkArguments(schema: Schema, all: readonly RegoObject[], directive: string | null): void {
  for (const one of all) {
    checkName(one);
    require(INPUT_KINDS.has(schema.types.get(namedType(member(one, "Type")))?.kind ?? ""));
    checkDirectives(schema, nodes(one, "Directives"), "ARGUMENT_DEFINITION", directive, true);
  }
}

function checkDirectives(
  schema: Schema,
  all: readonly RegoObject[],
  place: string,
  inside: string | null,
  isOnePlace: boolean,
): void {
  const seen = new Set<string>();
  for (const one of all) {
    const name = text(one, "Name");
    const directive = schema.directives.get(name);
    if (directive === undefined) throw new Wrong();
    require(!name.startsWith("__") && name !== inside && list(directive, "Locations").includes(place));
    require(!(isOnePlace && seen.has(name) && member(directive, "IsRepeatable") !== true));
    seen.add(name);
    const given = nodes(one, "Arguments");
    const known = nodes(directive, "Arguments");
    require(given.every((each) => known.some((other) => text(other, "Name") === text(each, "Name"))));
    for (const needed of known.filter(isRequired)) require(given.some((each) => says(each, text(needed, "Name"))));
  }
}

function says(given: RegoObject, name: string): boolean {
  const value = member(given, "Value");
  return (
    text(given, "Name") === name && isObjectValue(value) && numberText(member(value, "Kind") ?? null) !== NULL_KIND
  );
}

function checkImplements(schema: Schema, own: Definition, fields: readonly RegoObject[], name: string): void {
  const wanted = schema.types.get(name);
  if (wanted === undefined || wanted.kind !== "INTERFACE") throw new Wrong();
  for (const required of wanted.parts.Fields as readonly RegoObject[]) {
    const found = fields.find((field) => text(field, "Name") === text(required, "Name"));
    if (found === undefined) throw new Wrong();
    require(isCovariant(schema, member(required, "Type"), member(found, "Type")));
    const [asked, given] = [nodes(required, "Arguments"), nodes(found, "Arguments")];
    for (const one of asked) {
      const same = given.find((each) => text(each, "Name") === text(one, "Name"));
      require(same !== undefined && isCompatible(member(one, "Type"), member(same, "Type")));
    }
    for (const one of given)
      require(asked.some((each) => text(each, "Name") === text(one, "Name")) || !isRequired(one));
  }
  require(wanted.parts.Interfaces.every((one) => own.parts.Interfaces.includes(one)));
}

function isCovariant(schema: Schema, required: RegoValue | undefined, actual: RegoValue | undefined): boolean {
  if (!isObjectValue(required) || !isObjectValue(actual)) return false;
  if (member(required, "NonNull") === true && member(actual, "NonNull") !== true) return false;
  const [wanted, found] = [text(required, "NamedType"), text(actual, "NamedType")];
  if (wanted !== "") return wanted === found || schema.possible.get(wanted)?.has(found) === true;
  return isCovariant(schema, member(required, "Elem"), member(actual, "Elem"));
}

function isCompatible(a: RegoValue | undefined, b: RegoValue | undefined): boolean {
  if (!isObjectValue(a) || !isObjectValue(b) || text(a, "NamedType") !== text(b, "NamedType")) return false;
  const inner = member(a, "Elem");
  if (inner !== undefined && !isCompatible(inner, member(b, "Elem"))) return false;
  return member(b, "NonNull") !== true || member(a, "NonNull") === true;
}

/** No input object may need itself. */
function checkInputCycles({ types }: Schema): void {
  const done = new Set<string>();
  const visit = (definition: Definition, path: ReadonlySet<string>): void => {
    if (done.has(definition.name)) return;
    done.add(definition.name);
    const here = new Set([...path, definition.name]);
    for (const field of definition.parts.Fields as readonly RegoObject[]) {
      const type = member(field, "Type") as RegoObject;
      const next = types.get(text(type, "NamedType"));
      if (member(type, "NonNull") !== true || next?.kind !== "INPUT_OBJECT") continue;
      require(!here.has(next.name));
      visit(next, here);
    }
  };
  for (const definition of types.values()) if (definition.kind === "INPUT_OBJECT") visit(definition, new Set());
}
