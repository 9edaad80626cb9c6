/**
 * Adds to the text of a `people.yaml` as a person would: comments, order and style of what is there stay. Whoever calls it
 * reads the answer again with the reader of trust folders, and compares.
 */
import { openLocator } from "../lib/yaml-position.ts";

export interface Addition {
  readonly id: string;
  readonly emails: readonly string[];
  readonly roles: readonly string[];
  /** As it stands in a list of keys: a quoted line, or `{file: ...}`. */
  readonly key: string;
  readonly fingerprint: string;
}

export interface Edited {
  readonly text: string;
  /** Line of the key in the new text, from 1. */
  readonly line: number;
}

/** A new entry at the end of `people:`. null where that is written in a form to which no line can be added. */
export function withPerson(text: string, { id, emails, roles, key, fingerprint }: Addition): Edited | null {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^people:[ \t]*(?:\{[ \t]*\})?[ \t]*(?:#.*)?$/.test(line));
  if (start === -1) return null;
  const end = endOfSection(lines, start);
  const indent = /^( +)\S/.exec(lines.slice(start + 1, end).find((line) => /^ +[^\s#]/.test(line)) ?? "")?.[1] ?? "  ";
  const entry = [
    `${indent}${id}:`,
    `${indent}  email: [${emails.map(quoted).join(", ")}]`,
    ...(roles.length === 0 ? [] : [`${indent}  roles: [${roles.map(quoted).join(", ")}]`]),
    `${indent}  # ${fingerprint}`,
    `${indent}  keys: [${key}]`,
  ];
  const head = (lines[start] ?? "").replace(/\{[ \t]*\}[ \t]*/, "").trimEnd();
  const after = [...lines.slice(0, start), head, ...lines.slice(start + 1, end), ...entry, ...lines.slice(end)];
  return { text: after.join("\n"), line: end + entry.length };
}

/** One more key of somebody who is listed, before their others. null as above. */
export function withKey(text: string, { id, key }: Pick<Addition, "id" | "key">): Edited | null {
  const { line, exact } = openLocator(text)(0, `/people/${id}/keys`);
  const lines = text.split("\n");
  const at = line - 1;
  const shown = lines[at] ?? "";
  if (!exact) return null;
  const flow = /^(.*\bkeys:[ \t]*\[)[ \t]*(\]?)(.*)$/.exec(shown);
  if (flow !== null) {
    const [, before = "", closing = "", rest = ""] = flow;
    const isLast = closing === "]" || rest.trim() === "";
    lines[at] = `${before}${key}${isLast ? "" : ", "}${closing}${rest}`;
    return { text: lines.join("\n"), line };
  }
  const item = lines.slice(at + 1).findIndex((one) => /^ *- /.test(one));
  const indent = /^( *)- /.exec(lines[at + 1 + item] ?? "")?.[1];
  if (item === -1 || indent === undefined || !/^ *keys:[ \t]*(?:#.*)?$/.test(shown)) return null;
  lines.splice(at + 1, 0, `${indent}- ${key}`);
  return { text: lines.join("\n"), line: line + 1 };
}

/** Behind the last line that belongs to it; comments and empty lines before the next section stay with that. */
function endOfSection(lines: readonly string[], start: number): number {
  let end = start + 1;
  for (let at = start + 1; at < lines.length && !/^[^\s#]/.test(lines[at] ?? ""); at += 1) {
    if (/^ +\S/.test(lines[at] ?? "")) end = at + 1;
  }
  return end;
}

/** JSON is YAML; what a reader could take for a line break or lose is escaped. */
export function quoted(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9._-]*(?:@[A-Za-z0-9.-]+)?$/.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
