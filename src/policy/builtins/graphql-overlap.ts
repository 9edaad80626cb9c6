/**
 * Fields that would be answered under one name must be the same (section 5.3.2). The steps and what is remembered between
 * them are those of gqlparser, for the order in which fragments are remembered decides which comparisons are left out.
 * It is asked about each selection when the walk leaves it, when all that is inside has been placed.
 */
import type { Query } from "./graphql-query-state.ts";
import { KIND, type Node, type Selection } from "./graphql-tree.ts";
import { require } from "./graphql-types.ts";

/** Fields by the name of their answer, and the fragments beside them. */
interface Collected {
  readonly fields: ReadonlyMap<string, readonly Node<"Field">[]>;
  readonly fragments: readonly string[];
}

export class Overlaps {
  readonly #query: Query;
  /** Pairs of fragments that were compared, and whether as what can never be answered together. */
  readonly #pairs = new Map<string, boolean>();
  /** Fragments that some fields were compared with. */
  #compared = new Set<string>();

  constructor(query: Query) {
    this.#query = query;
  }

  /** @throws BuiltinError where two fields overlap */
  within(selections: readonly Selection[]): void {
    if (selections.length === 0) return;
    const { fields, fragments } = this.#collect(selections);
    for (const same of fields.values())
      for (const [index, one] of same.entries())
        for (const other of same.slice(index + 1)) this.#compare(false, one, other);
    this.#compared = new Set();
    for (const [index, one] of fragments.entries()) {
      this.#withFragment(false, fields, one);
      for (const other of fragments.slice(index + 1)) this.#fragments(false, one, other);
    }
  }

  #collect(selections: readonly Selection[]): Collected {
    const fields = new Map<string, Node<"Field">[]>();
    const fragments: string[] = [];
    const visit = (all: readonly Selection[]): void => {
      for (const one of all) {
        this.#query.step();
        if (one.shape === "InlineFragment") visit(one.SelectionSet);
        else if (one.shape === "FragmentSpread") fragments.push(one.Name);
        else {
          const name = one.Alias === "" ? one.Name : one.Alias;
          const known = fields.get(name);
          if (known === undefined) fields.set(name, [one]);
          else known.push(one);
        }
      }
    };
    visit(selections);
    return { fields, fragments };
  }

  #collectFragment(name: string): Collected {
    return this.#collect(this.#query.fragments.get(name)?.SelectionSet ?? []);
  }

  #withFragment(areExclusive: boolean, fields: Collected["fields"], name: string): void {
    if (this.#compared.has(name)) return;
    this.#compared.add(name);
    const inside = this.#collectFragment(name);
    if (areSame(fields, inside.fields)) return;
    this.#between(areExclusive, fields, inside.fields);
    this.#query.nested(() => {
      for (const next of inside.fragments) this.#withFragment(areExclusive, fields, next);
    });
  }

  #fragments(areExclusive: boolean, a: string, b: string): void {
    if (a === b) return;
    const [key, mirrored] = [`${a} ${b}`, `${b} ${a}`];
    const known = this.#pairs.get(key);
    // What was compared as answered together needs no comparison as never answered together.
    if (known !== undefined && (areExclusive || !known)) return;
    this.#pairs.set(key, areExclusive);
    this.#pairs.set(mirrored, areExclusive);
    const [left, right] = [this.#collectFragment(a), this.#collectFragment(b)];
    this.#between(areExclusive, left.fields, right.fields);
    this.#query.nested(() => {
      for (const next of right.fragments) this.#fragments(areExclusive, a, next);
      for (const next of left.fragments) this.#fragments(areExclusive, next, b);
    });
  }

  #between(areExclusive: boolean, left: Collected["fields"], right: Collected["fields"]): void {
    for (const [name, all] of left)
      for (const one of all) for (const other of right.get(name) ?? []) this.#compare(areExclusive, one, other);
  }

  #compare(parentsAreExclusive: boolean, a: Node<"Field">, b: Node<"Field">): void {
    this.#query.step();
    const [left, right] = [this.#query.fields.get(a), this.#query.fields.get(b)];
    if (left === undefined || right === undefined) return;
    const areObjects = left.parent.Kind === "OBJECT" && right.parent.Kind === "OBJECT";
    const areExclusive = parentsAreExclusive || (areObjects && left.parent.Name !== right.parent.Name);
    const why = `fields ${a.Name} and ${b.Name} are answered under one name`;
    if (!areExclusive) require(a.Name === b.Name && haveSameArguments(a, b), why);
    require(!this.#conflict(left.definition.Type, right.definition.Type), why);
    this.#query.nested(() => this.#inside(areExclusive, a, b));
  }

  #inside(areExclusive: boolean, a: Node<"Field">, b: Node<"Field">): void {
    const [left, right] = [this.#collect(a.SelectionSet), this.#collect(b.SelectionSet)];
    this.#between(areExclusive, left.fields, right.fields);
    for (const name of right.fragments) {
      this.#compared = new Set();
      this.#withFragment(areExclusive, left.fields, name);
    }
    for (const name of left.fragments) {
      this.#compared = new Set();
      this.#withFragment(areExclusive, right.fields, name);
    }
    for (const one of left.fragments) for (const other of right.fragments) this.#fragments(areExclusive, one, other);
  }

  #conflict(a: Node<"Type">, b: Node<"Type">): boolean {
    if (a.Elem !== null && b.Elem !== null) return this.#conflict(a.Elem, b.Elem);
    if (a.Elem !== null || b.Elem !== null || a.NonNull !== b.NonNull) return true;
    return a.NamedType !== b.NamedType && this.#isLeaf(a) && this.#isLeaf(b);
  }

  #isLeaf({ NamedType }: Node<"Type">): boolean {
    const kind = this.#query.schema.types.get(NamedType)?.Kind;
    return kind === "SCALAR" || kind === "ENUM";
  }
}

/** The very same fields, not such as look alike. */
function areSame(a: Collected["fields"], b: Collected["fields"]): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, fields]) => {
    const others = b.get(name) ?? [];
    return fields.length === others.length && fields.every((one, index) => one === others[index]);
  });
}

function haveSameArguments(a: Node<"Field">, b: Node<"Field">): boolean {
  if (a.Arguments.length !== b.Arguments.length) return false;
  return a.Arguments.every((one) =>
    b.Arguments.some((other) => one.Name === other.Name && isSameValue(one.Value, other.Value)),
  );
}

/** The fields of an object may stand in any order. */
function isSameValue(a: Node<"Value">, b: Node<"Value">): boolean {
  if (a.Kind !== b.Kind || a.Raw !== b.Raw || a.Children.length !== b.Children.length) return false;
  const [left, right] = a.Kind === KIND.object ? [byName(a), byName(b)] : [a.Children, b.Children];
  return left.every((one, index) => {
    const other = right[index];
    return other !== undefined && one.Name === other.Name && isSameValue(one.Value, other.Value);
  });
}

function byName({ Children }: Node<"Value">): readonly Node<"ChildValue">[] {
  return [...Children].sort((a, b) => (a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : 0));
}
