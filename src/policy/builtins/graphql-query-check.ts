/**
 * Whether the queries of a GraphQL document hold against a schema (section 5), by the rules of gqlparser. It is walked as
 * gqlparser walks it: each operation with the fragments that it spreads, then each fragment by itself.
 */
import { checkFragments, checkIntrospection, checkSubscription } from "./graphql-fragments.ts";
import { Overlaps } from "./graphql-overlap.ts";
import { TYPENAME } from "./graphql-prelude.ts";
import { type PlacedField, Query } from "./graphql-query-state.ts";
import type { Node, Selection } from "./graphql-tree.ts";
import {
  isComposite,
  isInput,
  isLeaf,
  isValued,
  named,
  require,
  type Schema,
  type TypeDefinition,
  typeName,
} from "./graphql-types.ts";
import { checkValue, type Expected, type Variables } from "./graphql-values.ts";

/** @throws BuiltinError for a document that does not hold */
export function checkQuery(schema: Schema, document: Node<"QueryDocument">): void {
  const { Operations, Fragments } = document;
  const query = new Query(schema, Fragments);
  checkFragments(query, Fragments);
  require(areUnique(Operations.map(({ Name }) => Name)), "there are two operations of one name");
  const isAlone = Operations.length <= 1 || Operations.every(({ Name }) => Name !== "");
  require(isAlone, "an operation without a name is not the only one");
  const walk = new Walk(query);
  for (const operation of Operations) walk.operation(operation);
  for (const fragment of Fragments) walk.fragment(fragment);
}

function areUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

class Walk {
  readonly #query: Query;
  readonly #overlaps: Overlaps;
  /** Fragments that some operation spreads. */
  readonly #spread = new Set<string>();
  /** Fragments that were entered since the walk of this operation or fragment began. */
  #entered = new Set<string>();
  /** Null outside of operations, where no variable is looked at. */
  #variables: Variables | null = null;

  constructor(query: Query) {
    this.#query = query;
    this.#overlaps = new Overlaps(query);
  }

  operation(operation: Node<"OperationDefinition">): void {
    const kind = operation.Operation === "" ? "query" : operation.Operation;
    const root = this.#query.schema.roots.get(kind);
    require(root !== undefined, `the schema has nothing for a ${kind}`);
    const variables = { definitions: operation.VariableDefinitions, used: new Set<Node<"VariableDefinition">>() };
    [this.#entered, this.#variables] = [new Set(), variables];
    require(areUnique(variables.definitions.map(({ Variable }) => Variable)), "there are two variables of one name");
    for (const variable of variables.definitions) this.#variable(variable);
    this.#directives(operation.Directives, kind.toUpperCase());
    this.#selections(root, operation.SelectionSet);
    const unused = variables.definitions.find((one) => !one.Used && !variables.used.has(one));
    require(unused === undefined, `variable ${unused?.Variable} is not used`);
    if (kind === "subscription") checkSubscription(this.#query, operation);
    this.#overlaps.within(operation.SelectionSet);
    this.#variables = null;
  }

  #variable({ Variable, Type, DefaultValue, Directives }: Node<"VariableDefinition">): void {
    const definition = this.#query.schema.types.get(typeName(Type));
    require(definition !== undefined && isInput(definition.Kind), `variable ${Variable} has no type of input`);
    if (DefaultValue !== null)
      this.#value(DefaultValue, { type: Type, definition, hasDefault: DefaultValue.ExpectedTypeHasDefault });
    this.#directives(Directives, "VARIABLE_DEFINITION");
  }

  fragment(fragment: Node<"FragmentDefinition">): void {
    require(this.#spread.has(fragment.Name), `fragment ${fragment.Name} is not used`);
    this.#entered = new Set();
    const type = this.#conditioned(fragment.TypeCondition);
    this.#directives(fragment.Directives, "FRAGMENT_DEFINITION");
    this.#selections(type, fragment.SelectionSet);
    this.#overlaps.within(fragment.SelectionSet);
  }

  #conditioned(name: string): TypeDefinition {
    const type = this.#query.schema.types.get(name);
    require(type !== undefined && isComposite(type.Kind), `a fragment is on ${name}, which has no fields`);
    return type;
  }

  #selections(parent: TypeDefinition, all: readonly Selection[]): void {
    this.#query.nested(() => {
      for (const one of all) {
        this.#query.step();
        if (one.shape === "Field") this.#field(parent, one);
        else if (one.shape === "InlineFragment") this.#inline(parent, one);
        else this.#fragmentSpread(parent, one);
      }
    });
  }

  #field(parent: TypeDefinition, field: Node<"Field">): void {
    const definition = field.Name === "__typename" ? TYPENAME : named(parent.Fields, field.Name);
    require(definition !== undefined, `type ${parent.Name} has no field ${field.Name}`);
    const type = this.#query.schema.types.get(typeName(definition.Type));
    require(type !== undefined, `field ${field.Name} has no type`);
    this.#query.fields.set(field, { parent, definition } satisfies PlacedField);
    this.#arguments(field.Arguments, definition.Arguments);
    this.#directives(field.Directives, "FIELD");
    this.#selections(type, field.SelectionSet);
    require(isLeaf(type.Kind) === (field.SelectionSet.length === 0), `field ${field.Name} is or is not selected from`);
    if (field.Name === "__schema" || field.Name === "__type") checkIntrospection(this.#query, field);
    if (this.#variables !== null) this.#overlaps.within(field.SelectionSet);
  }

  #inline(parent: TypeDefinition, fragment: Node<"InlineFragment">): void {
    const { TypeCondition: name } = fragment;
    const type = name === "" ? parent : this.#conditioned(name);
    this.#directives(fragment.Directives, "INLINE_FRAGMENT");
    this.#selections(type, fragment.SelectionSet);
    if (name !== "") this.#checkPossible(parent, type);
    this.#overlaps.within(fragment.SelectionSet);
  }

  #fragmentSpread(parent: TypeDefinition, { Name, Directives }: Node<"FragmentSpread">): void {
    const fragment = this.#query.fragments.get(Name);
    require(fragment !== undefined, `there is no fragment ${Name}`);
    const type = this.#conditioned(fragment.TypeCondition);
    this.#directives(Directives, "FRAGMENT_SPREAD");
    if (this.#variables !== null) this.#spread.add(Name);
    if (!this.#entered.has(Name)) {
      this.#entered.add(Name);
      this.#directives(fragment.Directives, "FRAGMENT_DEFINITION");
      this.#selections(type, fragment.SelectionSet);
    }
    this.#checkPossible(parent, type);
  }

  /** Some object must be of both types. */
  #checkPossible(parent: TypeDefinition, type: TypeDefinition): void {
    if (!isComposite(parent.Kind)) return;
    const { possible } = this.#query.schema;
    const parents = parent.Kind === "OBJECT" ? [parent] : (possible.get(parent.Name) ?? []);
    const names = new Set(parents.map(({ Name }) => Name));
    const isPossible = (possible.get(type.Name) ?? []).some(({ Name }) => names.has(Name));
    require(isPossible, `nothing is both ${parent.Name} and ${type.Name}`);
  }

  #directives(all: readonly Node<"Directive">[], location: string): void {
    const seen = new Set<string>();
    for (const one of all) {
      const definition = this.#query.schema.directives.get(one.Name);
      require(definition?.Locations.includes(location) === true, `directive ${one.Name} is not for ${location}`);
      this.#arguments(one.Arguments, definition.Arguments);
      require(!seen.has(one.Name) || definition.IsRepeatable, `directive ${one.Name} is said twice`);
      seen.add(one.Name);
    }
  }

  #arguments(given: readonly Node<"Argument">[], known: readonly Node<"ArgumentDefinition">[]): void {
    const names = new Set(given.map(({ Name }) => Name));
    require(names.size === given.length, "an argument is given twice");
    for (const { Name, Value } of given) {
      const argument = named(known, Name);
      require(argument !== undefined, `there is no argument ${Name}`);
      const { Type: type, DefaultValue } = argument;
      const definition = this.#query.schema.types.get(typeName(type));
      this.#value(Value, { type, definition, hasDefault: isValued(DefaultValue) });
    }
    for (const { Name, Type, DefaultValue } of known)
      require(!Type.NonNull || DefaultValue !== null || names.has(Name), `argument ${Name} is missing`);
  }

  #value(value: Node<"Value">, expected: Expected): void {
    checkValue({ schema: this.#query.schema, variables: this.#variables }, value, expected);
  }
}
