/** Reads a template of Go's text/template into a tree. Nested templates and `call` are not offered. */
import { BuiltinError, LimitError } from "./call.ts";

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipeline: Pipeline }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipeline: Pipeline;
      readonly body: Body;
      readonly otherwise: Body;
    }
  | { readonly kind: "break" | "continue" };

export type Body = readonly Node[];

export interface Pipeline {
  /** Variables that are set by it, and whether they are new. */
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

/** A value, and the fields that are taken of it one after the other. */
export interface Operand {
  readonly base:
    | { readonly kind: "dot" | "nil" }
    | { readonly kind: "field" }
    | { readonly kind: "variable" | "function" | "string" | "integer" | "float"; readonly text: string }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "pipeline"; readonly pipeline: Pipeline };
  readonly fields: readonly string[];
}

const OPEN = "{{";
const SPACE = /[ \t\r\n]/;
const NOT_OFFERED = /^(?:define|template|block|call|js)$/;
const MAXIMUM_NESTING = 100;

const TOKEN = new RegExp(
  [
    "(?<space>[ \\t\\r\\n]+)",
    '(?<string>"(?:[^"\\\\\\n]|\\\\.)*"|`[^`]*`)',
    "(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?))",
    "(?<field>\\.[\\p{L}_][\\p{L}\\p{Nd}_]*)",
    "(?<variable>\\$[\\p{L}\\p{Nd}_]*)",
    "(?<word>[\\p{L}_][\\p{L}\\p{Nd}_]*)",
    "(?<mark>:=|[|()=,.])",
  ].join("|"),
  "uy",
);

interface Token {
  readonly kind: "string" | "number" | "field" | "variable" | "word" | "mark";
  readonly text: string;
  /** Whether space stands before it: `.a .b` are two values, `.a.b` is one. */
  readonly spaced: boolean;
}

/** @throws BuiltinError LimitError */
export function parseTemplate(text: string): Body {
  const pieces = piecesOf(text);
  const reader = new Reader(pieces);
  const { body, end } = reader.body(0);
  if (end !== null) throw new BuiltinError(`template: unexpected {{${end}}}`);
  return body;
}

type Piece = { readonly text: string } | { readonly tokens: readonly Token[] };

function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < text.length) {
    const open = text.indexOf(OPEN, at);
    const end = open < 0 ? text.length : open;
    const trims = open >= 0 && text[open + 2] === "-" && SPACE.test(text[open + 3] ?? "");
    let plain = text.slice(at, end);
    if (trimNext) plain = plain.replace(/^[ \t\r\n]+/, "");
    if (trims) plain = plain.trimEnd();
    if (plain !== "") pieces.push({ text: plain });
    if (open < 0) break;
    const action = actionAt(text, open + (trims ? 3 : 2));
    if (action.tokens !== null) pieces.push({ tokens: action.tokens });
    [at, trimNext] = [action.end, action.trims];
  }
  return pieces;
}

interface Action {
  /** null for a comment. */
  readonly tokens: readonly Token[] | null;
  readonly end: number;
  readonly trims: boolean;
}

function actionAt(text: string, from: number): Action {
  const comment = /[ \t\r\n]*\/\*[\s\S]*?\*\/([ \t\r\n]+-)?\}\}/y;
  comment.lastIndex = from;
  const found = comment.exec(text);
  if (found !== null) return { tokens: null, end: comment.lastIndex, trims: found[1] !== undefined };
  const tokens: Token[] = [];
  let spaced = false;
  for (let at = from; ; at = TOKEN.lastIndex) {
    const close = /^(-?)\}\}/.exec(text.slice(at, at + 3));
    if (close !== null && (close[1] === "" || spaced))
      return { tokens, end: at + close[0].length, trims: close[1] !== "" };
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    const [kind, value] = Object.entries(groups ?? {}).find(([, one]) => one !== undefined) ?? [];
    if (kind === undefined || value === undefined)
      throw new BuiltinError(
        at >= text.length ? "template: unclosed action" : `template: unexpected ${JSON.stringify(text[at])}`,
      );
    if (kind === "space") spaced = true;
    else tokens.push({ kind: kind as Token["kind"], text: value, spaced });
    if (kind !== "space") spaced = false;
  }
}

class Reader {
  readonly #pieces: readonly Piece[];
  #at = 0;
  #loops = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Up to `else` or `end`, whose tokens after the word are kept in `rest`. */
  body(depth: number): { readonly body: Body; readonly end: "else" | "end" | null; readonly rest: Tokens } {
    if (depth > MAXIMUM_NESTING) throw new LimitError("the template is nested more than 100 deep");
    const body: Node[] = [];
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++] as Piece;
      if ("text" in piece) {
        body.push({ kind: "text", text: piece.text });
        continue;
      }
      const tokens = new Tokens(piece.tokens);
      const word = tokens.peek?.kind === "word" ? tokens.peek.text : "";
      if (word === "else" || word === "end") {
        tokens.take();
        if (word === "end") tokens.done();
        return { body, end: word, rest: tokens };
      }
      body.push(this.#action(word, tokens, depth));
    }
    return { body, end: null, rest: new Tokens([]) };
  }

  #action(word: string, tokens: Tokens, depth: number): Node {
    if (NOT_OFFERED.test(word)) throw new LimitError(`{{${word}}} is not offered in templates`);
    if (word === "if" || word === "with" || word === "range") {
      tokens.take();
      return this.#control(word, tokens, depth);
    }
    if (word === "break" || word === "continue") {
      tokens.take();
      tokens.done();
      if (this.#loops === 0) throw new BuiltinError(`template: {{${word}}} outside {{range}}`);
      return { kind: word };
    }
    const pipeline = tokens.pipeline(depth);
    tokens.done();
    return { kind: "action", pipeline };
  }

  #control(kind: "if" | "with" | "range", tokens: Tokens, depth: number): Node {
    const pipeline = tokens.pipeline(depth);
    tokens.done();
    if (kind === "range") this.#loops++;
    const { body, end, rest } = this.body(depth + 1);
    if (kind === "range") this.#loops--;
    if (end === null) throw new BuiltinError("template: unexpected EOF");
    return { kind, pipeline, body, otherwise: end === "else" ? this.#otherwise(kind, rest, depth) : [] };
  }

  /** `{{else}} … {{end}}`, or `{{else if x}}`, which ends with the same `{{end}}`. */
  #otherwise(kind: "if" | "with" | "range", rest: Tokens, depth: number): Body {
    const next = rest.peek;
    if (next?.kind === "word" && next.text === kind && kind !== "range") {
      rest.take();
      return [this.#control(kind, rest, depth + 1)];
    }
    rest.done();
    const { body, end } = this.body(depth + 1);
    if (end !== "end") throw new BuiltinError("template: expected end; found {{else}}");
    return body;
  }
}

class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  take(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new BuiltinError("template: missing value for command");
    return token;
  }

  done(): void {
    if (this.peek !== undefined) throw new BuiltinError(`template: unexpected ${JSON.stringify(this.peek.text)}`);
  }

  pipeline(depth: number): Pipeline {
    if (depth > MAXIMUM_NESTING) throw new LimitError("the template is nested more than 100 deep");
    const { variables, declares } = this.#variables();
    const commands: Operand[][] = [];
    do commands.push(this.#command(depth));
    while (this.#skip("|"));
    for (const [first] of commands.slice(1))
      if (first?.base.kind !== "function") throw new BuiltinError("template: non executable command in pipeline");
    return { variables, declares, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=` */
  #variables(): Pick<Pipeline, "variables" | "declares"> {
    const from = this.#at;
    const names: string[] = [];
    while (this.peek?.kind === "variable") {
      names.push(this.take().text);
      if (this.#skip(":=")) return { variables: names, declares: true };
      if (this.#skip("=")) return { variables: names, declares: false };
      if (names.length === 2 || !this.#skip(",")) break;
    }
    this.#at = from;
    return { variables: [], declares: false };
  }

  #skip(mark: string): boolean {
    const found = this.peek?.kind === "mark" && this.peek.text === mark;
    if (found) this.#at++;
    return found;
  }

  #command(depth: number): Operand[] {
    const operands: Operand[] = [];
    while (this.peek !== undefined && !(this.peek.kind === "mark" && /^[|)]$/.test(this.peek.text)))
      operands.push(this.#operand(depth));
    if (operands.length === 0) throw new BuiltinError("template: missing value for command");
    return operands;
  }

  #operand(depth: number): Operand {
    const base = this.#base(depth);
    const fields: string[] = [];
    if (base.kind === "field") this.#at--;
    while (this.peek?.kind === "field" && (!this.peek.spaced || (base.kind === "field" && fields.length === 0)))
      fields.push(this.take().text.slice(1));
    if (fields.length > 0 && /^(?:nil|string|integer|float|boolean|function)$/.test(base.kind))
      throw new BuiltinError("template: unexpected . after term");
    return { base, fields };
  }

  #base(depth: number): Operand["base"] {
    const { kind, text } = this.take();
    switch (kind) {
      case "field":
        return { kind: "field" };
      case "variable":
        return { kind: "variable", text };
      case "string":
        return { kind: "string", text: unquoted(text) };
      case "number":
        return { kind: /^[+-]?(?:\d+|0[xX].*)$/.test(text) ? "integer" : "float", text };
      case "word":
        if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
        if (text === "nil") return { kind: "nil" };
        if (NOT_OFFERED.test(text)) throw new LimitError(`${text} is not offered in templates`);
        return { kind: "function", text };
      case "mark":
        if (text === ".") return { kind: "dot" };
        if (text !== "(") throw new BuiltinError(`template: unexpected ${JSON.stringify(text)}`);
        return this.#group(depth);
    }
  }

  #group(depth: number): Operand["base"] {
    const pipeline = this.pipeline(depth + 1);
    if (!this.#skip(")")) throw new BuiltinError("template: unclosed left paren");
    return { kind: "pipeline", pipeline };
  }
}

/** Go's strconv.Unquote, without octal and byte escapes. */
function unquoted(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1).replaceAll("\r", "");
  const inner = text.slice(1, -1);
  if (/\\(?:[0-7x]|U)/.test(inner.replaceAll("\\\\", "")))
    throw new LimitError("escapes of bytes are not offered in templates");
  try {
    return JSON.parse(
      `"${inner.replaceAll("\t", "\\t").replaceAll("\\a", "\\u0007").replaceAll("\\v", "\\u000b")}"`,
    ) as string;
  } catch {
    throw new BuiltinError("template: invalid syntax in a string");
  }
}
