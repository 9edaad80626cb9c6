/** GraphQL as tokens, with what both kinds of documents read from them, as gqlparser reads it. */
import { BuiltinError, LimitError } from "./call.ts";
import { type Comment, KIND, MAXIMUM_DEPTH, type Node, nodeOf } from "./graphql-tree.ts";

type Kind = "name" | "int" | "float" | "string" | "block" | "punctuator" | "end";

interface Token {
  readonly kind: Kind;
  readonly text: string;
  /** The lines of comment that stand right before it. */
  readonly comment: Comment;
}

const SPACE = /[\t\n\r ,\ufeff]+/y;
const COMMENT = /#[^\x00-\x08\x0a-\x1f]*/y;
const TOKEN =
  /(?<name>[_A-Za-z]\w*)|(?<float>-?(?:0|[1-9]\d*)(?:\.\d+(?![\deE])|(?:\.\d+)?[eE][+-]?\d+))|(?<int>-?(?:0|[1-9]\d*)(?![\d.eE]))|(?<punctuator>\.\.\.|[!$&():=@[\]{|}])/y;
/** What stands for itself in a string, a block string included; a run of quotes is looked at by itself. */
const PLAIN = /[^"\\\x00-\x08\x0a-\x1f]+/y;
const PLAIN_IN_BLOCK = /[^"\\\x00-\x08\x0b\x0c\x0e-\x1f]+/y;
const ESCAPE = /\\(?:(?<one>["\\/bfnrt])|u(?<code>[0-9a-fA-F]{4}))/y;
const ESCAPED: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const QUOTES = /"+/y;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let comment: string[] | null = null;
  const taken = (pattern: RegExp): string => {
    const found = matchAt(pattern, text, at)?.[0] ?? "";
    at += found.length;
    return found;
  };
  while (at < text.length) {
    if (taken(SPACE) !== "") continue;
    const line = taken(COMMENT);
    if (line !== "") {
      comment ??= [];
      comment.push(line);
      continue;
    }
    const { kind, value, end } = tokenAt(text, at);
    tokens.push({ kind, text: value, comment });
    [at, comment] = [end, null];
  }
  tokens.push({ kind: "end", text: "", comment });
  return tokens;
}

interface Found {
  readonly kind: Kind;
  readonly value: string;
  readonly end: number;
}

function tokenAt(text: string, at: number): Found {
  if (text.startsWith('"""', at)) return blockAt(text, at + 3);
  if (text[at] === '"') return stringAt(text, at + 1);
  const groups = matchAt(TOKEN, text, at)?.groups ?? {};
  const [kind, value] = Object.entries(groups).find(([, one]) => one !== undefined) ?? [];
  if (kind === undefined || value === undefined) throw new BuiltinError("a character that GraphQL has not");
  return { kind: kind as Kind, value, end: at + value.length };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function stringAt(text: string, from: number): Found {
  const parts: string[] = [];
  for (let at = from; at < text.length; ) {
    if (text[at] === '"') return { kind: "string", value: parts.join(""), end: at + 1 };
    const found = matchAt(PLAIN, text, at) ?? matchAt(ESCAPE, text, at);
    if (found === null) break;
    parts.push(found.groups === undefined ? found[0] : escaped(found.groups));
    at += found[0].length;
  }
  throw new BuiltinError("a string does not end, or has a character that it may not have");
}

/** Half of a surrogate pair becomes U+FFFD, both halves two of them. */
function escaped({ one = "", code }: Readonly<Record<string, string | undefined>>): string {
  return code === undefined ? (ESCAPED[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16)).toWellFormed();
}

/** Of more than three quotes the last three are the end. */
function blockAt(text: string, from: number): Found {
  const parts: string[] = [];
  for (let at = from; at < text.length; ) {
    const quotes = matchAt(QUOTES, text, at)?.[0] ?? "";
    if (quotes.length >= 3) {
      parts.push(quotes.slice(3));
      return { kind: "block", value: blockValue(parts.join("")), end: at + quotes.length };
    }
    const isEscape = text.startsWith('\\"""', at);
    const plain = isEscape ? '\\"""' : quotes || (matchAt(PLAIN_IN_BLOCK, text, at)?.[0] ?? "");
    const part = plain !== "" ? plain : text[at] === "\\" ? "\\" : null;
    if (part === null) break;
    parts.push(isEscape ? '"""' : part);
    at += part.length;
  }
  throw new BuiltinError("a block string does not end, or has a character that it may not have");
}

/** Section 2.9.4, BlockStringValue; the first line counts for the indent as well. */
function blockValue(raw: string): string {
  const lines = raw.replaceAll(/\r\n?/g, "\n").split("\n");
  const isFilled = (line: string): boolean => /[^ \t]/.test(line);
  const indents = lines.filter(isFilled).map((line) => line.search(/[^ \t]/));
  const indent = indents.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  const cut = lines.map((line, index) => (index === 0 ? line : line.slice(indent)));
  const first = cut.findIndex(isFilled);
  return first < 0 ? "" : cut.slice(first, cut.findLastIndex(isFilled) + 1).join("\n");
}

export class GraphqlReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  get next(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token;
  }

  get comment(): Comment {
    return this.next.comment;
  }

  wrong(): BuiltinError {
    return new BuiltinError(`unexpected ${this.next.kind} ${this.next.text.slice(0, 40)} in GraphQL text`);
  }

  isAt(text: string): boolean {
    return this.next.text === text && (this.next.kind === "punctuator" || this.next.kind === "name");
  }

  skip(text: string): boolean {
    const found = this.isAt(text);
    if (found) this.#at++;
    return found;
  }

  expect(text: string): void {
    if (!this.skip(text)) throw this.wrong();
  }

  name(): string {
    if (this.next.kind !== "name") throw this.wrong();
    return this.take();
  }

  take(): string {
    const { text } = this.next;
    this.#at++;
    return text;
  }

  /** Whether a string stands there, which may be empty. */
  isAtText(): boolean {
    return this.next.kind === "string" || this.next.kind === "block";
  }

  /** `open item+ close`, or nothing at all. */
  some<Item>(open: string, close: string, item: () => Item): readonly Item[] {
    return this.someAndComment(open, close, item).items;
  }

  /** With the comment that stands before `close`. */
  someAndComment<Item>(open: string, close: string, item: () => Item): { items: readonly Item[]; comment: Comment } {
    if (!this.isAt(open)) return { items: [], comment: null };
    const all = this.#many(open, close, item);
    if (all.items.length === 0) throw this.wrong();
    return all;
  }

  #many<Item>(open: string, close: string, item: () => Item): { items: readonly Item[]; comment: Comment } {
    this.expect(open);
    this.#enter();
    const items: Item[] = [];
    while (!this.isAt(close)) items.push(item());
    const { comment } = this;
    this.take();
    this.#depth--;
    return { items, comment };
  }

  #enter(): void {
    if (++this.#depth > MAXIMUM_DEPTH) throw new LimitError("GraphQL text is nested too deep");
  }

  type(): Node<"Type"> {
    this.#enter();
    const isList = this.skip("[");
    const inner = isList ? { Elem: this.type() } : { NamedType: this.name() };
    if (isList) this.expect("]");
    this.#depth--;
    return nodeOf("Type", { ...inner, NonNull: this.skip("!") });
  }

  directives(isConst: boolean): readonly Node<"Directive">[] {
    const found: Node<"Directive">[] = [];
    while (this.skip("@")) found.push(nodeOf("Directive", { Name: this.name(), Arguments: this.arguments(isConst) }));
    return found;
  }

  arguments(isConst: boolean): readonly Node<"Argument">[] {
    return this.some("(", ")", () => nodeOf("Argument", this.#named(isConst)));
  }

  #named(isConst: boolean): Pick<Node<"Argument">, "Name" | "Value" | "Comment"> {
    const { comment } = this;
    const name = this.name();
    this.expect(":");
    return { Name: name, Value: this.value(isConst), Comment: comment };
  }

  variable(): string {
    this.expect("$");
    return this.name();
  }

  /** gqlparser keeps the comment before a list and before an object, and loses any other. */
  value(isConst: boolean): Node<"Value"> {
    const { comment } = this;
    if (this.isAt("[")) {
      const item = () => nodeOf("ChildValue", { Value: this.value(isConst) });
      return nodeOf("Value", { Children: this.#many("[", "]", item).items, Kind: KIND.list, Comment: comment });
    }
    if (this.isAt("{")) {
      const item = () => nodeOf("ChildValue", this.#named(isConst));
      return nodeOf("Value", { Children: this.#many("{", "}", item).items, Kind: KIND.object, Comment: comment });
    }
    if (this.isAt("$") && !isConst) return nodeOf("Value", { Raw: this.variable(), Kind: KIND.variable });
    const kind = this.#literalKind();
    return nodeOf("Value", { Raw: this.take(), Kind: kind });
  }

  #literalKind(): number {
    const { kind, text } = this.next;
    if (kind === "punctuator" || kind === "end") throw this.wrong();
    if (kind !== "name") return KIND[kind];
    if (text === "true" || text === "false") return KIND.boolean;
    return text === "null" ? KIND.null : KIND.enum;
  }
}
