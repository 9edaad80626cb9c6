/**
 * GraphQL documents as OPA shows them: the nodes of gqlparser under the names of its Go fields, without positions and
 * without what is empty. Every node is drawn here once; its type, its printing and its reading follow from the drawing.
 */
import { isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import { BuiltinError, isObjectValue, LimitError, number, numberText, object } from "./call.ts";

/** `X!` is a node, `X?` one or none, `X*` a list of them. */
const SHAPES = {
  Type: { NamedType: "text", Elem: "Type?", NonNull: "flag" },
  Value: { Raw: "text", Children: "ChildValue*", Kind: "count", Comment: "comment", ExpectedTypeHasDefault: "flag" },
  ChildValue: { Name: "text", Value: "Value!", Comment: "comment" },
  Argument: { Name: "text", Value: "Value!", Comment: "comment" },
  Directive: { Name: "text", Arguments: "Argument*", Location: "text" },
  QueryDocument: { Operations: "OperationDefinition*", Fragments: "FragmentDefinition*", Comment: "comment" },
  OperationDefinition: {
    Operation: "text",
    Name: "text",
    VariableDefinitions: "VariableDefinition*",
    Directives: "Directive*",
    SelectionSet: "selections",
    Comment: "comment",
  },
  VariableDefinition: {
    Variable: "text",
    Type: "Type!",
    DefaultValue: "Value?",
    Directives: "Directive*",
    Comment: "comment",
    Used: "flag",
  },
  FragmentDefinition: {
    Name: "text",
    VariableDefinition: "VariableDefinition*",
    TypeCondition: "text",
    Directives: "Directive*",
    SelectionSet: "selections",
    Comment: "comment",
  },
  Field: {
    Alias: "text",
    Name: "text",
    Arguments: "Argument*",
    Directives: "Directive*",
    SelectionSet: "selections",
    Comment: "comment",
  },
  FragmentSpread: { Name: "text", Directives: "Directive*", Comment: "comment" },
  InlineFragment: {
    TypeCondition: "text",
    Directives: "Directive*",
    SelectionSet: "selections",
    Comment: "comment",
  },
  SchemaDocument: {
    Schema: "SchemaDefinition*",
    SchemaExtension: "SchemaDefinition*",
    Directives: "DirectiveDefinition*",
    Definitions: "Definition*",
    Extensions: "Definition*",
    Comment: "comment",
  },
  SchemaDefinition: {
    Description: "text",
    Directives: "Directive*",
    OperationTypes: "OperationTypeDefinition*",
    BeforeDescriptionComment: "comment",
    AfterDescriptionComment: "comment",
    EndOfDefinitionComment: "comment",
  },
  OperationTypeDefinition: { Operation: "text", Type: "text", Comment: "comment" },
  DirectiveDefinition: {
    Description: "text",
    Name: "text",
    Arguments: "ArgumentDefinition*",
    Locations: "texts",
    IsRepeatable: "flag",
    BeforeDescriptionComment: "comment",
    AfterDescriptionComment: "comment",
  },
  Definition: {
    Kind: "text",
    Description: "text",
    Name: "text",
    Directives: "Directive*",
    Interfaces: "texts",
    Fields: "FieldDefinition*",
    Types: "texts",
    EnumValues: "EnumValueDefinition*",
    BuiltIn: "flag",
    BeforeDescriptionComment: "comment",
    AfterDescriptionComment: "comment",
    EndOfDefinitionComment: "comment",
  },
  FieldDefinition: {
    Description: "text",
    Name: "text",
    Arguments: "ArgumentDefinition*",
    DefaultValue: "Value?",
    Type: "Type!",
    Directives: "Directive*",
    BeforeDescriptionComment: "comment",
    AfterDescriptionComment: "comment",
  },
  ArgumentDefinition: {
    Description: "text",
    Name: "text",
    DefaultValue: "Value?",
    Type: "Type!",
    Directives: "Directive*",
    BeforeDescriptionComment: "comment",
    AfterDescriptionComment: "comment",
  },
  EnumValueDefinition: {
    Description: "text",
    Name: "text",
    Directives: "Directive*",
    BeforeDescriptionComment: "comment",
    AfterDescriptionComment: "comment",
  },
} as const;

type ShapeName = keyof typeof SHAPES;
/** The lines of a comment, each with its `#`. */
export type Comment = readonly string[] | null;

type Part<Kind> = Kind extends "text"
  ? string
  : Kind extends "flag"
    ? boolean
    : Kind extends "count"
      ? number
      : Kind extends "comment"
        ? Comment
        : Kind extends "texts"
          ? readonly string[]
          : Kind extends "selections"
            ? readonly Selection[]
            : Kind extends `${infer Name extends ShapeName}!`
              ? Node<Name>
              : Kind extends `${infer Name extends ShapeName}?`
                ? Node<Name> | null
                : Kind extends `${infer Name extends ShapeName}*`
                  ? readonly Node<Name>[]
                  : never;

export type Node<Name extends ShapeName> = { readonly shape: Name } & {
  readonly [Key in keyof (typeof SHAPES)[Name]]: Part<(typeof SHAPES)[Name][Key]>;
};
export type Selection = Node<"Field"> | Node<"FragmentSpread"> | Node<"InlineFragment">;

/** gqlparser's numbers for kinds of values. */
export const KIND = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const;

/** No text is nested deeper, nor a document that a policy hands over. */
export const MAXIMUM_DEPTH = 500;

const EMPTY: Readonly<Record<string, unknown>> = { text: "", flag: false, count: 0, comment: null, texts: [] };

/** What is not given is empty. */
export function nodeOf<Name extends ShapeName>(
  shape: Name,
  parts: Partial<{ readonly [Key in keyof (typeof SHAPES)[Name]]: Part<(typeof SHAPES)[Name][Key]> }>,
): Node<Name> {
  const filled: Record<string, unknown> = { shape };
  for (const [key, kind] of Object.entries<string>(SHAPES[shape]))
    filled[key] = (parts as Record<string, unknown>)[key] ?? emptyOf(kind);
  return filled as Node<Name>;
}

function emptyOf(kind: string): unknown {
  if (kind in EMPTY) return EMPTY[kind];
  if (kind.endsWith("?")) return null;
  if (kind.endsWith("!")) throw new BuiltinError(`a ${kind.slice(0, -1)} is missing`);
  return [];
}

/** As OPA shows it: what is empty is left out, but for texts. */
export function documentOf(node: Node<ShapeName>): RegoValue {
  const shown: Record<string, RegoValue> = {};
  for (const [key, kind] of Object.entries<string>(SHAPES[node.shape])) {
    const value = shownPart(kind, (node as unknown as Record<string, unknown>)[key]);
    if (value !== null && !(isArray(value) && value.length === 0)) shown[key] = value;
  }
  return object(shown);
}

function shownPart(kind: string, value: unknown): RegoValue {
  if (kind === "text" || kind === "flag" || kind === "texts") return value as RegoValue;
  if (kind === "count") return number(value as number);
  if (value === null) return null;
  if (kind === "comment") return object({ List: (value as readonly string[]).map((line) => object({ Value: line })) });
  if (Array.isArray(value)) return (value as Node<ShapeName>[]).map(documentOf);
  return documentOf(value as Node<ShapeName>);
}

/** Whose keys Go reads by hand: by their exact names, and without comments. */
const READ_BY_HAND: ReadonlySet<string> = new Set([
  ...["OperationDefinition", "FragmentDefinition", "Field", "InlineFragment"],
]);
/** What gqlparser fills in while it checks. It would show it again, and no parser writes it. */
const FILLED_IN: readonly string[] = [
  ...["Definition", "ObjectDefinition", "ParentDefinition", "VariableDefinition", "ExpectedType"],
];

/**
 * A document that a policy hands over, as Go reads its JSON: keys that are not known are left out, whatever their case.
 * @throws BuiltinError where a part has another type
 */
export function nodeFrom<Name extends ShapeName>(shape: Name, document: RegoValue, depth = 0): Node<Name> {
  if (depth > MAXIMUM_DEPTH) throw new LimitError("the GraphQL document is nested too deep");
  if (document !== null && !isObjectValue(document)) throw new BuiltinError(`a ${shape} is an object`);
  const isExact = READ_BY_HAND.has(shape);
  const given = new Map((document as RegoObject | null)?.entries.map(([key, value]) => [keyOf(key, isExact), value]));
  const parts: Record<string, unknown> = {};
  for (const [key, kind] of Object.entries<string>(SHAPES[shape])) {
    const value = given.get(keyOf(key, isExact)) ?? null;
    if (value !== null && !(isExact && kind === "comment")) parts[key] = partFrom(kind, value, depth + 1);
  }
  for (const key of FILLED_IN)
    if (!(key in SHAPES[shape]) && (given.get(keyOf(key, isExact)) ?? null) !== null)
      throw new LimitError(`documents with ${key} inside are not read`);
  return nodeOf(shape, parts as Parameters<typeof nodeOf<Name>>[1]);
}

function keyOf(key: RegoValue, isExact: boolean): RegoValue {
  return isExact || typeof key !== "string" ? key : key.toLowerCase();
}

function partFrom(kind: string, value: RegoValue, depth: number): unknown {
  const isRight =
    (kind === "text" && typeof value === "string") ||
    (kind === "flag" && typeof value === "boolean") ||
    (kind === "texts" && isArray(value) && value.every((one) => typeof one === "string"));
  if (isRight) return value;
  if (kind === "count") return countFrom(value);
  if (kind === "comment") return linesFrom(value);
  const name = kind.slice(0, -1) as ShapeName;
  if (kind === "selections" || kind.endsWith("*")) {
    if (!isArray(value)) throw new BuiltinError("something else stands in the place of a list");
    if (kind === "selections") return value.flatMap((one) => selectionFrom(one, depth));
    if (value.includes(null)) throw new BuiltinError(`a ${name} is missing`);
    return value.map((one) => nodeFrom(name, one, depth));
  }
  if (!(name in SHAPES)) throw new BuiltinError(`a ${kind} is something else`);
  return nodeFrom(name, value, depth);
}

/** Go takes the first kind that can be read, which is nearly always a field; what is none of them is left out. */
function selectionFrom(value: RegoValue, depth: number): readonly Selection[] {
  for (const shape of ["Field", "FragmentSpread", "InlineFragment"] as const) {
    try {
      return [nodeFrom(shape, value, depth) as Selection];
    } catch (thrown) {
      if (!(thrown instanceof BuiltinError)) throw thrown;
    }
  }
  return [];
}

function countFrom(value: RegoValue): number {
  const text = numberText(value) ?? "";
  if (!/^\d$/.test(text)) throw new BuiltinError("no kind of value");
  return Number(text);
}

function linesFrom(value: RegoValue): Comment {
  const entries = isObjectValue(value) ? value.entries : [];
  const list = entries.find(([key]) => keyOf(key, false) === "list")?.[1] ?? [];
  if (!isObjectValue(value) || !isArray(list)) throw new BuiltinError("a comment is an object with a list");
  const lines = list.map((line) => {
    const text = isObjectValue(line) ? line.entries.find(([key]) => keyOf(key, false) === "value")?.[1] : undefined;
    if (typeof text !== "string") throw new BuiltinError("a line of a comment has a value");
    return text;
  });
  return lines.length === 0 ? null : lines;
}
