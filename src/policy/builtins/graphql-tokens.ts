/** GraphQL as tokens (specification of October 2021, section 2), with what both kinds of documents read from them. */
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, isObjectValue, number, object } from "./call.ts";

interface Token {
  readonly kind: "name" | "int" | "float" | "string" | "block" | "punctuator" | "end";
  readonly text: string;
}

const TOKEN =
  /(?<space>[\s,\ufeff]+)|(?<name>[_A-Za-z]\w*)|(?<float>-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))|(?<int>-?(?:0|[1-9]\d*))|(?<block>"""(?:[^"\\]|\\"""|\\|"(?!""))*""")|(?<string>"(?:[^"\\\x00-\x08\x0a-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?<punctuator>\.\.\.|[!$&():=@[\]{|}])/y;
const MAXIMUM_DEPTH = 500;

const COMMENT = /("""(?:[^"\\]|\\"""|\\|"(?!""))*"""|"(?:[^"\\\n\r]|\\.)*")|#[^\n\r]*/g;

function withoutComments(text: string): string {
  return text.replaceAll(COMMENT, (_, string: string | undefined) => string ?? " ");
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    const [kind, value] = Object.entries(found?.groups ?? {}).find(([, one]) => one !== undefined) ?? [];
    // Comments become part of OPA's documents, in a form that nothing but its parser makes.
    if (kind === undefined || value === undefined) throw new BuiltinError("a character or a comment that is not read");
    if (kind !== "space") tokens.push({ kind: kind as Token["kind"], text: textIn(kind, value) });
    at += value.length;
  }
  return tokens;
}

function textIn(kind: string, text: string): string {
  if (kind === "string") return JSON.parse(text.replaceAll("\t", "\\t")) as string;
  if (kind === "block") return blockValue(text.slice(3, -3).replaceAll('\\"""', '"""').replaceAll(/\r\n?/g, "\n"));
  return text;
}

/** Section 2.9.4, BlockStringValue; the first line counts for the indent as well. */
function blockValue(raw: string): string {
  const lines = raw.split("\n");
  const filled = lines.filter((line) => /[^ \t]/.test(line));
  const indent = Math.min(...filled.map((line) => line.search(/[^ \t]/)));
  const cut = lines.map((line, index) => (index === 0 || filled.length === 0 ? line : line.slice(indent)));
  const isFilled = (line: string): boolean => /[^ \t]/.test(line);
  const first = cut.findIndex(isFilled);
  return first < 0 ? "" : cut.slice(first, cut.findLastIndex(isFilled) + 1).join("\n");
}

const END: Token = { kind: "end", text: "" };
const VALUE_KINDS = {
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
};

/** A document's parts as OPA shows them: what is empty is left out. */
export function node(parts: Readonly<Record<string, RegoValue>>): RegoValue {
  const isEmpty = (value: RegoValue): boolean =>
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isObjectValue(value) && value.entries.length === 0);
  return object(Object.fromEntries(Object.entries(parts).filter(([, value]) => !isEmpty(value))));
}

export class GraphqlReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  /** `skipsComments` is for who only asks whether the text holds. */
  constructor(text: string, skipsComments = false) {
    this.#tokens = tokensOf(skipsComments ? withoutComments(text) : text);
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? END;
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

  description(): string {
    return this.next.kind === "string" || this.next.kind === "block" ? this.take() : "";
  }

  /** `open item+ close`, or nothing at all. */
  some(open: string, close: string, item: () => RegoValue): readonly RegoValue[] {
    if (!this.isAt(open)) return [];
    const items = this.many(open, close, item);
    if (items.length === 0) throw this.wrong();
    return items;
  }

  many(open: string, close: string, item: () => RegoValue): readonly RegoValue[] {
    this.expect(open);
    if (++this.#depth > MAXIMUM_DEPTH) throw new BuiltinError("GraphQL text is nested too deep");
    const items: RegoValue[] = [];
    while (!this.skip(close)) items.push(item());
    this.#depth--;
    return items;
  }

  type(): RegoValue {
    if (++this.#depth > MAXIMUM_DEPTH) throw new BuiltinError("GraphQL text is nested too deep");
    const isList = this.skip("[");
    const inner: Record<string, RegoValue> = isList ? { NamedType: "", Elem: this.type() } : { NamedType: this.name() };
    if (isList) this.expect("]");
    this.#depth--;
    return node({ ...inner, NonNull: this.skip("!") });
  }

  directives(isConst: boolean): readonly RegoValue[] {
    const found: RegoValue[] = [];
    while (this.skip("@")) found.push(node({ Name: this.name(), Arguments: this.arguments(isConst), Location: "" }));
    return found;
  }

  arguments(isConst: boolean): readonly RegoValue[] {
    return this.some("(", ")", () => {
      const name = this.name();
      this.expect(":");
      return node({ Name: name, Value: this.value(isConst) });
    });
  }

  variable(): string {
    this.expect("$");
    return this.name();
  }

  value(isConst: boolean): RegoValue {
    if (this.isAt("[")) {
      const items = this.many("[", "]", () => node({ Name: "", Value: this.value(isConst) }));
      return literal("", VALUE_KINDS.list, items);
    }
    if (this.isAt("{")) {
      const fields = this.many("{", "}", () => {
        const name = this.name();
        this.expect(":");
        return node({ Name: name, Value: this.value(isConst) });
      });
      return literal("", VALUE_KINDS.object, fields);
    }
    if (this.isAt("$") && !isConst) return literal(this.variable(), VALUE_KINDS.variable, []);
    const kind = this.#literalKind();
    return literal(this.take(), kind, []);
  }

  #literalKind(): number {
    const { kind, text } = this.next;
    if (kind === "punctuator" || kind === "end") throw this.wrong();
    if (kind !== "name") return VALUE_KINDS[kind];
    if (text === "true" || text === "false") return VALUE_KINDS.boolean;
    return text === "null" ? VALUE_KINDS.null : VALUE_KINDS.enum;
  }
}

function literal(raw: string, kind: number, children: readonly RegoValue[]): RegoValue {
  return node({ Raw: raw, Children: children, Kind: number(kind), ExpectedTypeHasDefault: false });
}
