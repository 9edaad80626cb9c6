/** Pages are made of this alone: whatever is put into a template is escaped, unless it came out of one. */
import { printable } from "../../../lib/printable.ts";

const MARKUP = Symbol("markup");

export interface Html {
  readonly [MARKUP]: string;
}

export type Part = Html | string | number | null | readonly Part[];

/** `null` and lists without members are nothing; strangers' text can neither be markup nor hide or move anything. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const whole = literals.map((literal, at) => literal + (at < parts.length ? written(parts[at] ?? null) : "")).join("");
  return { [MARKUP]: whole };
}

export function htmlText(page: Html): string {
  return page[MARKUP];
}

function written(part: Part): string {
  if (part === null) return "";
  if (typeof part === "object") return MARKUP in part ? part[MARKUP] : part.map(written).join("");
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
