/** Whether the values of a GraphQL query are of the types that are asked for (sections 5.6 and 5.8), as gqlparser says. */
import { KIND, type Node } from "./graphql-tree.ts";
import { isCompatible, isValued, named, require, type Schema, type TypeDefinition, typeName } from "./graphql-types.ts";

/** Those of an operation. */
export interface Variables {
  readonly definitions: readonly Node<"VariableDefinition">[];
  readonly used: Set<Node<"VariableDefinition">>;
}

/** What is asked for where a value stands; nothing is known of what is inside of a scalar of the schema's own. */
export interface Expected {
  readonly type: Node<"Type"> | null;
  readonly definition: TypeDefinition | undefined;
  /** Whether the place has a value without one. */
  readonly hasDefault: boolean;
}

interface Scope {
  readonly schema: Schema;
  /** Null in a fragment by itself: its variables are those of the operations that spread it. */
  readonly variables: Variables | null;
}

const NOTHING: Expected = { type: null, definition: undefined, hasDefault: false };
const SCALARS: ReadonlySet<string> = new Set(["Int", "Float", "String", "Boolean", "ID"]);
/** Scalars that take a literal. */
const TAKERS: Readonly<Record<number, readonly string[]>> = {
  [KIND.int]: ["Int", "Float", "ID"],
  [KIND.float]: ["Float"],
  [KIND.string]: ["String", "ID"],
  [KIND.block]: ["String", "ID"],
  [KIND.boolean]: ["Boolean"],
};

export function checkValue(scope: Scope, value: Node<"Value">, expected: Expected): void {
  if (value.Kind === KIND.variable) checkVariable(scope, value, expected);
  if (value.Kind === KIND.object)
    for (const child of value.Children) checkValue(scope, child.Value, expectedOf(scope, expected, child.Name));
  if (value.Kind === KIND.list) {
    const type = expected.type?.Elem ?? null;
    const inside = type === null ? NOTHING : { ...expected, type, hasDefault: false };
    for (const child of value.Children) checkValue(scope, child.Value, inside);
  }
  if (value.Kind === KIND.object) {
    const names = new Set(value.Children.map(({ Name }) => Name));
    require(names.size === value.Children.length, "a field of an input is given twice");
  }
  const { type, definition } = expected;
  if (type !== null && definition !== undefined) checkType(scope, value, type, definition);
}

function expectedOf({ schema }: Scope, { definition }: Expected, name: string): Expected {
  const field = definition && named(definition.Fields, name);
  if (field === undefined) return NOTHING;
  const { Type: type, DefaultValue } = field;
  return { type, definition: schema.types.get(typeName(type)), hasDefault: isValued(DefaultValue) };
}

function variableOf({ variables }: Scope, value: Node<"Value">): Node<"VariableDefinition"> | undefined {
  return variables?.definitions.find(({ Variable }) => Variable === value.Raw);
}

function checkVariable(scope: Scope, value: Node<"Value">, { type, hasDefault }: Expected): void {
  if (scope.variables === null) return;
  const variable = variableOf(scope, value);
  require(variable !== undefined, `variable ${value.Raw} is not defined`);
  scope.variables.used.add(variable);
  if (type === null) return;
  const needsValue = type.NonNull && !hasDefault && !isValued(variable.DefaultValue);
  require(isCompatible(variable.Type, { ...type, NonNull: needsValue }), `variable ${value.Raw} is of another type`);
}

function checkType(scope: Scope, value: Node<"Value">, type: Node<"Type">, definition: TypeDefinition): void {
  const why = `a value is not of type ${definition.Name}`;
  require(value.Kind !== KIND.null || !type.NonNull, why);
  if (definition.Kind === "SCALAR" && !SCALARS.has(definition.Name)) return;
  require(isReadable(scope, value), "a number is too large");
  const takers = TAKERS[value.Kind];
  if (takers !== undefined) require(takers.includes(definition.Name), why);
  if (value.Kind === KIND.list) require(type.Elem !== null, why);
  if (value.Kind === KIND.enum)
    require(definition.Kind === "ENUM" && named(definition.EnumValues, value.Raw) !== undefined, why);
  if (value.Kind === KIND.object) checkFields(scope, value, definition);
}

function checkFields(scope: Scope, { Children }: Node<"Value">, { Name, Fields, Directives }: TypeDefinition): void {
  for (const { Name: field, Type, DefaultValue } of Fields)
    require(!Type.NonNull || DefaultValue !== null || named(Children, field) !== undefined, `${Name} needs ${field}`);
  for (const child of Children) require(named(Fields, child.Name) !== undefined, `${Name} has no field ${child.Name}`);
  if (named(Directives, "oneOf") === undefined) return;
  const [only] = Children;
  require(Children.length === 1 && only?.Value.Kind !== KIND.null, `${Name} takes exactly one field`);
  const variable = only?.Value.Kind === KIND.variable ? variableOf(scope, only.Value) : undefined;
  require(variable === undefined || variable.Type.NonNull, `${Name} takes no variable that may be null`);
}

/** As Go's strconv: integers of 64 bits, and numbers that are finite as doubles. */
function isReadable(scope: Scope, value: Node<"Value">): boolean {
  switch (value.Kind) {
    case KIND.int:
      return /^[+-]?\d+$/.test(value.Raw) && BigInt.asIntN(64, BigInt(value.Raw)) === BigInt(value.Raw);
    case KIND.float:
      return Number.isFinite(Number.parseFloat(value.Raw));
    case KIND.boolean:
      return /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value.Raw);
    case KIND.variable: {
      const standard = variableOf(scope, value)?.DefaultValue ?? null;
      return standard === null || isReadable(scope, standard);
    }
    default:
      return value.Children.every((child) => isReadable(scope, child.Value));
  }
}
