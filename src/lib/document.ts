/**
 * Reads one configuration file (YAML or JSON) into a closed type. Unknown keys are errors with line, column and the
 * nearest known key, because a misspelt safety setting must never be a silent absence.
 */

import {
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from "js-yaml";
import * as z from "zod";
import type { Code } from "./codes.ts";
import { type FilePosition, SluiceError } from "./errors.ts";
import { escapeToken } from "./json-pointer.ts";
import { nearest } from "./nearest.ts";
import { knownKeys } from "./schema-keys.ts";
import { positionAt } from "./text-position.ts";
import { type Locator, openLocator } from "./yaml-position.ts";
import { parserReason, YamlRefusal } from "./yaml-refusal.ts";
import { resolvePlain } from "./yaml-scalar.ts";

// A schema is used once or twice by a process: writing and compiling code for each costs more than it saves.
z.config({ jitless: true });

type Path = readonly PropertyKey[];

const MAXIMUM_BYTES = 1024 * 1024;

/** @throws SluiceError with `code`, the position of the first problem, and all problems in the message (at most five). */
export function readDocument<T>(text: string, file: string, schema: z.ZodType<T>, code: Code): T {
  if (text.length > MAXIMUM_BYTES) throw new SluiceError(code, `${file} is larger than 1 MiB.`);
  const parsed = schema.safeParse(readYaml(text, file, code));
  if (parsed.success) return parsed.data;
  throw invalid(text, file, code, schema, parsed.error.issues);
}

/** Dates stay texts here and repeated keys are refused; the schema says what else may stand where. */
function readYaml(text: string, file: string, code: Code): unknown {
  try {
    const events = parseEvents(text, {});
    for (const event of events) refuseEvent(text, event);
    return onlyDocument(constructFromEvents(events, { source: text }));
  } catch (cause) {
    if (cause instanceof YamlRefusal) {
      const position = { file, ...positionAt(text, cause.offset) };
      throw new SluiceError(code, `${place(position)} is not valid YAML: ${firstLetterSmall(cause.message)}`, {
        position,
        cause,
      });
    }
    const mark = cause instanceof YAMLException ? cause.mark : undefined;
    const position = {
      file,
      line: mark === undefined ? null : mark.line + 1,
      column: mark === undefined ? null : mark.column + 1,
    };
    const reason = cause instanceof YAMLException ? parserReason(cause) : firstLine(String(cause));
    throw new SluiceError(code, `${place(position)} is not valid YAML: ${reason}.`, { position, cause });
  }
}

function onlyDocument(documents: readonly unknown[]): unknown {
  if (documents.length === 1) return documents[0];
  throw new YAMLException(`it holds ${documents.length === 0 ? "no document" : "more than one document"}`);
}

const DAY_OR_TIME = /^\d{4}-\d{2}-\d{2}(?:[Tt][\d:.]+[Zz]?)?$/;

/** What stands here means one thing to every reader; only a day and a time are texts here and dates to others. */
function refuseEvent(text: string, event: Event): void {
  // Nothing here needs a repeated value, and one that names itself many times over would cost a walk of each.
  if (event.type === EVENT_ID.ALIAS)
    throw new YamlRefusal("yaml-ambiguous", event.anchorStart - 1, "Aliases are not used here.");
  if (event.type !== EVENT_ID.SCALAR) return;
  const scalar = getScalarValue(text, event);
  if (scalar === "__proto__")
    throw new YamlRefusal("yaml-key", event.valueStart, "The word __proto__ is not used here.");
  if (event.style !== SCALAR_STYLE.PLAIN || DAY_OR_TIME.test(scalar)) return;
  const plain = resolvePlain(scalar);
  if (plain.kind === "ambiguous")
    throw new YamlRefusal("yaml-ambiguous", event.valueStart, `This is ${plain.why}; write it in quotes, or plainly.`);
}

function firstLetterSmall(sentence: string): string {
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`;
}

function invalid(
  text: string,
  file: string,
  code: Code,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): SluiceError {
  const locator = openLocator(text);
  const problems = issues
    .flatMap((issue) => flatten(issue, schema))
    .map((problem) => {
      const position = { file, ...located(locator, problem.path) };
      return { position, message: `${place(position)} ${sentence(problem, schema)}` };
    });
  const shown = problems.slice(0, 5).map((problem) => problem.message);
  return new SluiceError(code, shown.join("\n"), { position: problems[0]?.position ?? null });
}

function located(locator: Locator, path: Path): { readonly line: number; readonly column: number } {
  const pointer = path.map((part) => `/${escapeToken(String(part))}`).join("");
  const { line, column } = locator(0, pointer);
  return { line, column };
}

interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The unknown key, where that is the problem. */
  readonly key: string | null;
}

function flatten(issue: z.core.$ZodIssue, schema: z.ZodType): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: "", key }));
  }
  if (issue.code === "invalid_union") {
    const unknown = unknownEverywhere(issue.errors);
    if (unknown.length > 0) return unknown.map((key) => ({ path: [...issue.path, key], message: "", key }));
    const fitting = issue.errors.filter((issues) => !issues.some(isOfAnother));
    const deepest = (fitting.length > 0 ? fitting : issue.errors)
      .flat()
      .sort((a, b) => b.path.length - a.path.length)[0];
    if (deepest !== undefined && deepest.path.length > 0) {
      return flatten({ ...deepest, path: [...issue.path, ...deepest.path] } as z.core.$ZodIssue, schema);
    }
  }
  return [{ path: issue.path, message: plainly(issue, schema), key: null }];
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** What is expected, in the words of YAML; a schema that has a sentence of its own keeps it. */
function plainly(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const { message } = issue;
  if (issue.code === "invalid_type" && message.startsWith("Invalid input: expected "))
    return `${message.endsWith("received undefined") ? "is missing; " : ""}${expected(issue.expected)} is expected`;
  if (issue.code === "too_small" && issue.origin === "array" && message.startsWith("Too small: "))
    return `at least ${issue.minimum} ${issue.minimum === 1 ? "entry is" : "entries are"} expected`;
  if (issue.code !== "invalid_union" || message !== "Invalid input") return message;
  const keys = knownKeys(schema, issue.path).map((key) => `{${key}: ...}`);
  const types = issue.errors.flat().flatMap((one) => (one.code === "invalid_type" ? [expected(one.expected)] : []));
  const wanted = [...new Set(types)].map((type) => (type === "a map" && keys.length > 0 ? keys.join(" or ") : type));
  return wanted.length === 0 ? message : `${wanted.join(" or ")} is expected`;
}

function expected(type: string): string {
  return EXPECTED[type] ?? type;
}

/** Says that a member of a union is not the one that was meant: it does not know a key, or is no map at all. */
function isOfAnother(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && (issue.code === "unrecognized_keys" || issue.code === "invalid_type");
}

/** Keys that no member of a union knows: more likely misspelt than another member's. */
function unknownEverywhere(errors: readonly (readonly z.core.$ZodIssue[])[]): readonly string[] {
  const unknown = errors.map((issues) =>
    issues.flatMap((issue) => (issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [])),
  );
  return (unknown[0] ?? []).filter((key) => unknown.every((keys) => keys.includes(key)));
}

function sentence(problem: Problem, schema: z.ZodType): string {
  if (problem.key === null)
    return `${problem.path.length === 0 ? "the file" : dotted(problem.path)}: ${problem.message}.`;
  const close = nearest(problem.key, knownKeys(schema, problem.path.slice(0, -1)));
  const unknown = `unknown key ${JSON.stringify(problem.key)}`;
  return close === null ? `${unknown}.` : `${unknown}; did you mean ${JSON.stringify(close)}?`;
}

function place(position: FilePosition): string {
  return position.line === null ? position.file : `${position.file}:${position.line}:${position.column}`;
}

function dotted(path: Path): string {
  return path.map((part) => String(part)).join(".");
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? text).replace(/:$/, "");
}
