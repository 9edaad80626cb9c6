/** `strings.render_template`: Go's text/template over the values that OPA hands to it. */
import { sprintf } from "../go-format.ts";
import { compareRegoValues, isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import {
  BuiltinError,
  type BuiltinFamily,
  isObjectValue,
  LimitError,
  MAXIMUM_VALUE_LENGTH,
  member,
  objectOf,
  textOf,
} from "./call.ts";
import { type Body, type Node, type Operand, type Pipeline, parseTemplate } from "./template-parse.ts";
import { BUILTINS as URLS } from "./url.ts";

export const BUILTINS: BuiltinFamily = {
  "strings.render_template": (operands) => {
    const variables = objectOf(operands, 1);
    requireJson(variables);
    const body = parseTemplate(textOf(operands, 0));
    return new Run(variables).render(body).replaceAll("<no value>", "<undefined>");
  },
};

/** Go decodes what Rego prints as JSON: a set is none, and every key is a text. */
function requireJson(value: RegoValue): void {
  if (isArray(value)) for (const one of value) requireJson(one);
  else if (isObjectValue(value)) {
    for (const [key, one] of value.entries) {
      if (typeof key !== "string") throw new BuiltinError("a key of the variables is no text");
      requireJson(one);
    }
  } else if (typeof value === "object" && value !== null && value.type === "set")
    throw new BuiltinError("a set is no JSON");
}

/** A number of the template itself; those of the variables are texts to Go (json.Number). */
interface GoInteger {
  readonly type: "integer";
  readonly value: bigint;
}
interface GoFloat {
  readonly type: "float";
  readonly value: number;
}
/** undefined: a key that is not there. */
type Value = RegoValue | GoInteger | GoFloat | undefined;

type Signal = "break" | "continue" | null;

class Run {
  readonly #root: RegoObject;
  readonly #variables: { readonly name: string; value: Value }[];
  #text = "";

  constructor(root: RegoObject) {
    this.#root = root;
    this.#variables = [{ name: "$", value: root }];
  }

  render(body: Body): string {
    this.#body(body, this.#root);
    return this.#text;
  }

  #body(body: Body, dot: Value): Signal {
    const known = this.#variables.length;
    let signal: Signal = null;
    for (const node of body) {
      signal = this.#node(node, dot);
      if (signal !== null) break;
    }
    this.#variables.length = known;
    return signal;
  }

  #node(node: Node, dot: Value): Signal {
    switch (node.kind) {
      case "text":
        this.#write(node.text);
        return null;
      case "action": {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.#write(shown(value));
        return null;
      }
      case "break":
      case "continue":
        return node.kind;
      case "if":
      case "with":
        return this.#scoped(() => {
          const value = this.#pipeline(node.pipeline, dot);
          const inner = node.kind === "with" ? value : dot;
          return isTrue(value) ? this.#body(node.body, inner) : this.#body(node.otherwise, dot);
        });
      case "range":
        this.#scoped(() => this.#range(node.pipeline, node.body, node.otherwise, dot));
        return null;
    }
  }

  #scoped(run: () => Signal): Signal {
    const known = this.#variables.length;
    const signal = run();
    this.#variables.length = known;
    return signal;
  }

  #range(pipeline: Pipeline, body: Body, otherwise: Body, dot: Value): Signal {
    const value = this.#commands(pipeline.commands, dot);
    const pairs = pairsOf(value);
    for (const [key, one] of pairs) {
      const signal = this.#scoped(() => {
        const [first, second] = pipeline.variables;
        if (first !== undefined) this.#set(first, second === undefined ? one : key, pipeline.declares);
        if (second !== undefined) this.#set(second, one, pipeline.declares);
        return this.#body(body, one);
      });
      if (signal === "break") break;
    }
    return pairs.length === 0 ? this.#body(otherwise, dot) : null;
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#commands(pipeline.commands, dot);
    if (pipeline.variables.length > 1) throw new BuiltinError("template: too many declarations");
    for (const name of pipeline.variables) this.#set(name, value, pipeline.declares);
    return value;
  }

  #set(name: string, value: Value, declares: boolean): void {
    if (declares) {
      this.#variables.push({ name, value });
      return;
    }
    const known = this.#variables.findLast((one) => one.name === name);
    if (known === undefined) throw new BuiltinError(`template: undefined variable ${JSON.stringify(name)}`);
    known.value = value;
  }

  #commands(commands: Pipeline["commands"], dot: Value): Value {
    let value: Value;
    for (const [index, command] of commands.entries()) value = this.#command(command, dot, index === 0 ? [] : [value]);
    return value;
  }

  #command(command: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    const [first, ...rest] = command as [Operand, ...Operand[]];
    if (first.base.kind === "function") return this.#call(first.base.text, rest, dot, piped);
    if (rest.length > 0) throw new BuiltinError("template: can't give argument to non-function");
    if (first.base.kind === "nil") throw new BuiltinError("template: nil is not a command");
    return this.#operand(first, dot);
  }

  #call(name: string, operands: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    if (name === "and" || name === "or") return this.#shortCut(name, operands, dot, piped);
    const run = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (run === undefined) throw new BuiltinError(`template: function ${JSON.stringify(name)} not defined`);
    return run([...operands.map((one) => this.#operand(one, dot)), ...piped]);
  }

  /** Evaluates no operand behind the one that decides. */
  #shortCut(name: "and" | "or", operands: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    if (operands.length + piped.length === 0) throw wrongCount(name);
    let value: Value;
    for (const one of operands) {
      value = this.#operand(one, dot);
      if (isTrue(value) === (name === "or")) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand({ base, fields }: Operand, dot: Value): Value {
    return fields.reduce(fieldOf, this.#base(base, dot));
  }

  #base(base: Operand["base"], dot: Value): Value {
    switch (base.kind) {
      case "dot":
      case "field":
        return dot;
      case "nil":
        return null;
      case "string":
        return base.text;
      case "boolean":
        return base.value;
      case "integer":
        return { type: "integer", value: integer(base.text) };
      case "float":
        return { type: "float", value: Number(base.text) };
      case "variable":
        return this.#variable(base.text);
      case "function":
        return this.#call(base.text, [], dot, []);
      case "pipeline":
        return this.#pipeline(base.pipeline, dot);
    }
  }

  #variable(name: string): Value {
    const known = this.#variables.findLast((one) => one.name === name);
    if (known === undefined) throw new BuiltinError(`template: undefined variable ${JSON.stringify(name)}`);
    return known.value;
  }

  #write(text: string): void {
    this.#text += text;
    if (this.#text.length > MAXIMUM_VALUE_LENGTH) throw new LimitError("the text is longer than 1 MiB");
  }
}

function integer(text: string): bigint {
  const sign = text.startsWith("-") ? -1n : 1n;
  const digits = text.replace(/^[+-]/, "");
  if (/^0\d/.test(digits)) throw new LimitError("octal numbers are not offered in templates");
  return sign * BigInt(digits);
}

function fieldOf(value: Value, name: string): Value {
  if (value === undefined) return undefined;
  if (value === null) throw new BuiltinError(`template: nil pointer evaluating interface {}.${name}`);
  if (!isObjectValue(value as RegoValue)) throw new BuiltinError(`template: can't evaluate field ${name}`);
  return member(value as RegoObject, name);
}

function isOwnNumber(value: Value): value is GoInteger | GoFloat {
  return typeof value === "object" && value !== null && "type" in value && /^(?:integer|float)$/.test(value.type);
}

/** A number of the variables is a text to Go. */
function textIn(value: Value): string | null {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "type" in value && value.type === "number" ? value.text : null;
}

function isTrue(value: Value): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  if (isOwnNumber(value)) return Number(value.value) !== 0;
  const text = textIn(value);
  if (text !== null) return text !== "";
  return isArray(value as RegoValue)
    ? (value as readonly RegoValue[]).length > 0
    : (value as RegoObject).entries.length > 0;
}

function sortedEntries({ entries }: RegoObject): RegoObject["entries"] {
  return [...entries].sort(([a], [b]) => compareRegoValues(a, b));
}

function pairsOf(value: Value): readonly (readonly [Value, Value])[] {
  if (value === undefined || value === null) return [];
  if (isOwnNumber(value) && value.type === "integer") {
    if (value.value > BigInt(MAXIMUM_VALUE_LENGTH))
      throw new LimitError("a range of a template is longer than 1,048,576");
    return Array.from({ length: Math.max(0, Number(value.value)) }, (_, at) => [at, at].map(counted) as [Value, Value]);
  }
  if (isArray(value as RegoValue)) return (value as readonly RegoValue[]).map((one, at) => [counted(at), one]);
  if (isObjectValue(value as RegoValue)) return sortedEntries(value as RegoObject);
  throw new BuiltinError("template: range can't iterate over it");
}

function counted(at: number): GoInteger {
  return { type: "integer", value: BigInt(at) };
}

function shown(value: Value): string {
  return value === undefined || value === null ? "<no value>" : printed(value);
}

/** As fmt prints it. */
function printed(value: Value): string {
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "boolean") return String(value);
  if (isOwnNumber(value))
    return value.type === "integer"
      ? String(value.value)
      : sprintf("%v", [{ type: "number", text: String(value.value) }]);
  const text = textIn(value);
  if (text !== null) return text;
  if (isArray(value as RegoValue)) return `[${(value as readonly RegoValue[]).map(printed).join(" ")}]`;
  return `map[${sortedEntries(value as RegoObject)
    .map(([key, one]) => `${key}:${printed(one)}`)
    .join(" ")}]`;
}

type Kind = "bool" | "int" | "float" | "string" | "nil" | "other";

function kindOf(value: Value): Kind {
  if (value === undefined || value === null) return "nil";
  if (typeof value === "boolean") return "bool";
  if (isOwnNumber(value)) return value.type === "integer" ? "int" : "float";
  return textIn(value) === null ? "other" : "string";
}

function wrongCount(name: string): BuiltinError {
  return new BuiltinError(`template: wrong number of args for ${name}`);
}

/** One value of each name that Go knows; see text/template's funcs. */
const FUNCTIONS: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
  not: (values) => !isTrue(only("not", values)),
  len: (values) => counted(lengthOf(only("len", values))),
  index: ([value, ...keys]) => keys.reduce(itemOf, value),
  slice: ([value, ...bounds]) => sliced(value, bounds),
  print: (values) => spaced(values),
  println: (values) => `${values.map(printed).join(" ")}\n`,
  printf: ([format, ...values]) => formatted(format, values),
  html: (values) => escapeHtml(spaced(values)),
  urlquery: (values) => URLS["urlquery.encode"]?.([spaced(values)], { nowNs: null, draw: null }) ?? "",
  eq: ([first, ...others]) => isAnyEqual(first, others),
  ne: (values) => !isAnyEqual(values[0], [only("ne", values.slice(1))]),
  lt: (values) => compared("lt", values) < 0,
  le: (values) => compared("le", values) <= 0,
  gt: (values) => compared("gt", values) > 0,
  ge: (values) => compared("ge", values) >= 0,
};

function only(name: string, values: readonly Value[]): Value {
  if (values.length !== 1) throw wrongCount(name);
  return values[0];
}

function lengthOf(value: Value): number {
  const text = textIn(value);
  if (text !== null) return Buffer.byteLength(text);
  if (isArray(value as RegoValue)) return (value as readonly RegoValue[]).length;
  if (isObjectValue(value as RegoValue)) return (value as RegoObject).entries.length;
  throw new BuiltinError("template: error calling len");
}

function itemOf(value: Value, key: Value): Value {
  if (value === undefined || value === null) throw new BuiltinError("template: index of untyped nil");
  if (isObjectValue(value as RegoValue)) {
    const name = textIn(key);
    if (name === null) throw new BuiltinError("template: the index is no text");
    return member(value as RegoObject, name) ?? null;
  }
  const at = position(key);
  const text = textIn(value);
  if (text !== null) {
    const byte = Buffer.from(text)[at];
    if (byte === undefined) throw outOfRange(at);
    return counted(byte);
  }
  const found = isArray(value as RegoValue) ? (value as readonly RegoValue[])[at] : undefined;
  if (found === undefined) throw outOfRange(at);
  return found;
}

function position(key: Value): number {
  if (!isOwnNumber(key) || key.type !== "integer") throw new BuiltinError("template: cannot index with it");
  return Number(key.value);
}

function outOfRange(at: number): BuiltinError {
  return new BuiltinError(`template: index out of range: ${at}`);
}

function sliced(value: Value, bounds: readonly Value[]): Value {
  const [from = 0, to] = bounds.map(position);
  const text = textIn(value);
  const length = lengthOf(value);
  const end = to ?? length;
  if (bounds.length > 2) throw new LimitError("a slice of three indices is not offered in templates");
  if (from < 0 || end > length || from > end) throw outOfRange(from > end ? from : end);
  if (text !== null) return Buffer.from(text).subarray(from, end).toString("utf8");
  if (!isArray(value as RegoValue)) throw new BuiltinError("template: can't slice it");
  return (value as readonly RegoValue[]).slice(from, end);
}

/** fmt.Sprint: a space between two operands of which neither is a text. */
function spaced(values: readonly Value[]): string {
  return values
    .map((value, at) => {
      const isBeside = at > 0 && textIn(value) === null && textIn(values[at - 1]) === null;
      return `${isBeside ? " " : ""}${printed(value)}`;
    })
    .join("");
}

/** Only verbs that print a text as it is: Go would show a number of the variables as one of its own types. */
function formatted(format: Value, values: readonly Value[]): string {
  const text = textIn(format);
  if (text === null) throw wrongCount("printf");
  const isPlain = values.every(isOwnNumber) || /^(?:[^%]|%%|%[-0-9]*[vsq])*$/.test(text);
  if (!isPlain || values.some((one) => one === null || one === undefined))
    throw new LimitError("printf of templates offers %v, %s and %q");
  return sprintf(
    text,
    values.map((one) => (isOwnNumber(one) ? { type: "number", text: String(one.value) } : printed(one))),
  );
}

function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    ...{ "\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;" },
  };
  return text.replaceAll(/[\0"'&<>]/g, (character) => escapes[character] ?? character);
}

function isAnyEqual(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new BuiltinError("template: missing argument for comparison");
  return others.some((other) => isEqual(first, other));
}

function isEqual(a: Value, b: Value): boolean {
  const [kind, other] = [kindOf(a), kindOf(b)];
  if (kind === "nil" || other === "nil") return kind === other;
  if (kind !== other) throw new BuiltinError("template: incompatible types for comparison");
  if (kind === "other") throw new BuiltinError("template: non-comparable types");
  return order(a, b) === 0;
}

function compared(name: string, values: readonly Value[]): number {
  if (values.length !== 2) throw wrongCount(name);
  const [a, b] = values;
  const [kind, other] = [kindOf(a), kindOf(b)];
  if (/^(?:bool|nil|other)$/.test(kind)) throw new BuiltinError("template: invalid type for comparison");
  if (kind !== other) throw new BuiltinError("template: incompatible types for comparison");
  return order(a, b);
}

function order(a: Value, b: Value): number {
  if (isOwnNumber(a) && isOwnNumber(b)) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  if (typeof a === "boolean") return a === b ? 0 : 1;
  return compareRegoValues(textIn(a), textIn(b));
}
