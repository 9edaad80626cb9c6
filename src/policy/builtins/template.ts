/** `strings.render_template`: Go's text/template over the values that OPA hands to it. */
import { isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
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
import { FUNCTIONS, wrongCount } from "./template-functions.ts";
import { type Body, type Node, type Operand, type Pipeline, parseTemplate } from "./template-parse.ts";
import { counted, isOwnNumber, isTrue, printed, sortedEntries, type Value } from "./template-values.ts";

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

function shown(value: Value): string {
  return value === undefined || value === null ? "<no value>" : printed(value);
}
