/** What a checked GraphQL schema knows of its types, and how two types stand to each other. */
import { BuiltinError } from "./call.ts";
import { KIND, type Node } from "./graphql-tree.ts";

/** Merged from its definition and all its extensions. */
export interface TypeDefinition {
  readonly Kind: string;
  readonly Name: string;
  readonly BuiltIn: boolean;
  readonly Directives: Node<"Directive">[];
  readonly Interfaces: string[];
  readonly Fields: Node<"FieldDefinition">[];
  readonly Types: string[];
  readonly EnumValues: Node<"EnumValueDefinition">[];
}

export interface Schema {
  readonly types: ReadonlyMap<string, TypeDefinition>;
  readonly directives: ReadonlyMap<string, Node<"DirectiveDefinition">>;
  /** What may stand where a type is asked for, by the name of that type. */
  readonly possible: ReadonlyMap<string, readonly TypeDefinition[]>;
  /** Types that operations start at, by `query`, `mutation`, `subscription`. */
  readonly roots: ReadonlyMap<string, TypeDefinition>;
}

/** The document does not hold. */
export function require(holds: boolean, why: string): asserts holds {
  if (!holds) throw new BuiltinError(why);
}

const INPUT_KINDS: ReadonlySet<string> = new Set(["SCALAR", "ENUM", "INPUT_OBJECT"]);
const COMPOSITE_KINDS: ReadonlySet<string> = new Set(["OBJECT", "INTERFACE", "UNION"]);

export function isInput(kind: string | undefined): boolean {
  return kind !== undefined && INPUT_KINDS.has(kind);
}

export function isComposite(kind: string | undefined): boolean {
  return kind !== undefined && COMPOSITE_KINDS.has(kind);
}

export function isOutput(kind: string | undefined): boolean {
  return isLeaf(kind) || isComposite(kind);
}

export function isLeaf(kind: string | undefined): boolean {
  return kind === "ENUM" || kind === "SCALAR";
}

export function named<Named extends { readonly Name: string }>(all: readonly Named[], name: string): Named | undefined {
  return all.find((one) => one.Name === name);
}

/** The type at the bottom of lists. */
export function typeName({ NamedType, Elem }: Node<"Type">): string {
  if (NamedType !== "") return NamedType;
  require(Elem !== null, "a type has no name");
  return typeName(Elem);
}

/** Whether what is of type `a` may stand where `b` is asked for: gqlparser's `IsCompatible`. */
export function isCompatible(a: Node<"Type">, b: Node<"Type">): boolean {
  if (a.NamedType !== b.NamedType || (a.Elem !== null && b.Elem === null)) return false;
  if (a.Elem !== null && b.Elem !== null && !isCompatible(a.Elem, b.Elem)) return false;
  return !b.NonNull || a.NonNull;
}

/** An argument that every call must give. */
export function isRequired({ Type, DefaultValue }: Node<"ArgumentDefinition">): boolean {
  return Type.NonNull && DefaultValue === null;
}

/** A default that is more than null. */
export function isValued(standard: Node<"Value"> | null): boolean {
  return standard !== null && standard.Kind !== KIND.null;
}
