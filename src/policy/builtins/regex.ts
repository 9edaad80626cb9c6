/** `regex.*` in time linear in the text (RE2's way, see docs/decisions/031), and `glob.quote_meta`. */
import { RE2JS, RE2JSException } from "re2js";
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, LimitError, MAXIMUM_VALUE_LENGTH, smallIntegerOf, textOf } from "./call.ts";
import { globsMatch } from "./globs.ts";

export const BUILTINS: BuiltinFamily = {
  "glob.quote_meta": (operands) => textOf(operands, 0).replaceAll(/[*?\\[\]{}]/g, "\\$&"),
  "regex.find_n": (operands) => findN(textOf(operands, 0), textOf(operands, 1), smallIntegerOf(operands, 2)),
  "regex.globs_match": (operands) => globsMatch(textOf(operands, 0), textOf(operands, 1)),
  "regex.replace": (operands) => replace(textOf(operands, 0), textOf(operands, 1), textOf(operands, 2)),
  "regex.split": (operands) => split(textOf(operands, 0), textOf(operands, 1)),
  "regex.template_match": (operands) =>
    matchTemplate(textOf(operands, 0), textOf(operands, 1), textOf(operands, 2), textOf(operands, 3)),
};

interface Match {
  readonly start: number;
  readonly end: number;
  /** Text of each group, null for one that took no part. */
  readonly groups: readonly (string | null)[];
  readonly names: Readonly<Record<string, number>>;
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (thrown) {
    if (thrown instanceof RE2JSException) throw new BuiltinError(`the pattern does not compile: ${thrown.message}`);
    throw thrown;
  }
}

/** As Go's FindAll: an empty match right after another match does not count. */
function matches(pattern: RE2JS, text: string): readonly Match[] {
  const found: Match[] = [];
  const matcher = pattern.matcher(text);
  const names = pattern.namedGroups() as Readonly<Record<string, number>>;
  let before = -1;
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (start === end && start === before) continue;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index));
    found.push({ start, end, groups, names });
    before = end;
  }
  return found;
}

function findN(pattern: string, text: string, count: number): RegoValue {
  const found = matches(compile(pattern), text).map(({ start, end }) => text.slice(start, end));
  return count < 0 ? found : found.slice(0, count);
}

function replace(text: string, pattern: string, replacement: string): RegoValue {
  let answer = "";
  let at = 0;
  for (const match of matches(compile(pattern), text)) {
    answer += text.slice(at, match.start) + expand(replacement, match);
    at = match.end;
    if (answer.length > MAXIMUM_VALUE_LENGTH) throw new LimitError("the text is longer than 1 MiB");
  }
  return answer + text.slice(at);
}

/** Go's Regexp.Expand: `$1`, `$name`, `${name}`, `$$`; the longest name counts, and an unknown one is empty. */
function expand(template: string, { groups, names }: Match): string {
  return template.replaceAll(/\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (_, dollar, braced, plain) => {
    if (dollar !== undefined) return "$";
    const name = String(braced ?? plain);
    const index = /^\d+$/.test(name) ? Number(name) : names[name];
    return index === undefined ? "" : (groups[index] ?? "");
  });
}

/** Go's Regexp.Split without a limit. */
function split(pattern: string, text: string): RegoValue {
  const compiled = compile(pattern);
  if (pattern !== "" && text === "") return [""];
  const parts: string[] = [];
  let [from, to] = [0, 0];
  for (const { start, end } of matches(compiled, text)) {
    to = start;
    if (end !== 0) parts.push(text.slice(from, start));
    from = end;
  }
  if (to !== text.length) parts.push(text.slice(from));
  return parts;
}

/** Between the two delimiters stand expressions, which may hold pairs of them; all else stands for itself. */
function matchTemplate(template: string, text: string, open: string, close: string): boolean {
  if (Buffer.byteLength(open) !== 1 || Buffer.byteLength(close) !== 1)
    throw new BuiltinError("a delimiter is not one character");
  let pattern = "^";
  let [level, from] = [0, 0];
  for (let at = 0; at < template.length; at++) {
    if (template[at] === open && level++ === 0) {
      pattern += RE2JS.quote(template.slice(from, at));
      from = at + 1;
    } else if (template[at] === close && --level === 0) {
      const expression = template.slice(from, at);
      compile(`^${expression}$`);
      pattern += `(${expression})`;
      from = at + 1;
    }
    if (level < 0) break;
  }
  if (level !== 0) throw new BuiltinError("the delimiters are not balanced");
  return compile(`${pattern}${RE2JS.quote(template.slice(from))}$`)
    .matcher(text)
    .find();
}
