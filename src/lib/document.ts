/**
 * Reads one configuration file (YAML or JSON) into a closed type. Unknown keys are errors with line, column and the
 * nearest known key, because a misspelt safety setting must never be a silent absence.
 */
import { load } from "js-yaml";
import { isMap, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { Code } from "./codes.ts";
import { type FilePosition, SluiceError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { knownKeys } from "./schema-keys.ts";

type Path = readonly PropertyKey[];

const MAXIMUM_BYTES = 1024 * 1024;

/** @throws SluiceError with `code`, the position of the first problem, and all problems in the message (at most five). */
export function readDocument<T>(text: string, file: string, schema: z.ZodType<T>, code: Code): T {
  if (text.length > MAXIMUM_BYTES) throw new SluiceError(code, `${file} is larger than 1 MiB.`);
  const parsed = schema.safeParse(readYaml(text, file, code));
  if (parsed.success) return parsed.data;
  throw invalid(text, file, code, schema, parsed.error.issues);
}

function readYaml(text: string, file: string, code: Code): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const position = at(file, problem.linePos?.[0]);
    throw new SluiceError(code, `${place(position)} is not valid YAML: ${firstLine(problem.message)}`, {
      position,
      cause: problem,
    });
  }
  try {
    return load(text);
  } catch (cause) {
    throw new SluiceError(code, `${file} is not valid YAML: ${firstLine((cause as Error).message)}`, { cause });
  }
}

function invalid(
  text: string,
  file: string,
  code: Code,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): SluiceError {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const problems = issues.flatMap(flatten).map((issue) => {
    const position = locateIssue(document, counter, file, issue);
    return { position, message: `${place(position)} ${sentence(issue, schema)}` };
  });
  const shown = problems.slice(0, 5).map((problem) => problem.message);
  return new SluiceError(code, shown.join("\n"), { position: problems[0]?.position ?? null });
}

interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The unknown key, where that is the problem. */
  readonly key: string | null;
}

function flatten(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: "", key }));
  }
  if (issue.code === "invalid_union") {
    const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
    if (deepest !== undefined && deepest.path.length > 0) {
      return flatten({ ...deepest, path: [...issue.path, ...deepest.path] } as z.core.$ZodIssue);
    }
  }
  return [{ path: issue.path, message: issue.message, key: null }];
}

function sentence(problem: Problem, schema: z.ZodType): string {
  if (problem.key === null)
    return `${problem.path.length === 0 ? "the file" : dotted(problem.path)}: ${problem.message}.`;
  const close = nearest(problem.key, knownKeys(schema, problem.path.slice(0, -1)));
  const unknown = `unknown key ${JSON.stringify(problem.key)}`;
  return close === null ? `${unknown}.` : `${unknown}; did you mean ${JSON.stringify(close)}?`;
}

function locateIssue(
  document: ReturnType<typeof parseDocument>,
  counter: LineCounter,
  file: string,
  problem: Problem,
): FilePosition {
  for (let depth = problem.path.length; depth >= 0; depth--) {
    const offset = offsetOf(document, problem.path.slice(0, depth));
    if (offset !== null) return at(file, counter.linePos(offset));
  }
  return { file, line: null, column: null };
}

/** Offset of the key named last in the path, or of the value when it is an item of a list. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number | null {
  if (path.length === 0) return isNode(document.contents) ? (document.contents.range?.[0] ?? null) : null;
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === String(last));
    return pair !== undefined && isNode(pair.key) ? (pair.key.range?.[0] ?? null) : null;
  }
  const node = document.getIn(path, true);
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function at(file: string, position: { line: number; col: number } | undefined): FilePosition {
  return { file, line: position?.line ?? null, column: position?.col ?? null };
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
