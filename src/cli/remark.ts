/** One thing that was looked at and how it stands: a line of `doctor`, `config check` and `trust check`. */
import { codeEntry } from "../lib/codes.ts";
import { asSluiceError, type SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { Paint } from "./reports/paint.ts";

export interface Remark {
  readonly group: string;
  readonly what: string;
  readonly state: "ok" | "warn" | "FAIL";
  readonly code: string | null;
  readonly message: string;
  /** What to type or change; null only where nothing is wrong. */
  readonly fix: string | null;
}

export function fine(group: string, what: string, message: string): Remark {
  return { group, what, state: "ok", code: null, message, fix: null };
}

export function warning(group: string, what: string, message: string, fix: string): Remark {
  return { group, what, state: "warn", code: null, message, fix };
}

export function failure(group: string, what: string, message: string, fix: string): Remark {
  return { group, what, state: "FAIL", code: null, message, fix };
}

export function failed(group: string, what: string, error: SluiceError): Remark {
  const { code, message } = error;
  return { group, what, state: "FAIL", code, message, fix: error.fix ?? codeEntry(code).fix };
}

/** Runs one look; what it throws is its answer. */
export async function examine(
  group: string,
  what: string,
  look: () => Remark | string | Promise<Remark | string>,
): Promise<Remark> {
  try {
    const seen = await look();
    return typeof seen === "string" ? fine(group, what, seen) : seen;
  } catch (thrown) {
    return failed(group, what, asSluiceError(thrown));
  }
}

export function hasFailure(remarks: readonly Remark[]): boolean {
  return remarks.some((remark) => remark.state === "FAIL");
}

const STATE_WIDTH = 6;
const MOST_WHAT = 24;
const COLOUR_OF = { ok: "allow", warn: "wait", FAIL: "deny" } as const;

/** `ok    what  sentence`, groups under their names; a problem has its code in front and its fix below. */
export function remarksText(remarks: readonly Remark[], paint: Paint): string {
  const width = Math.min(MOST_WHAT, Math.max(0, ...remarks.map((remark) => remark.what.length))) + 2;
  return [...Map.groupBy(remarks, (remark) => remark.group)]
    .map(
      ([group, inside]) =>
        `${group === "" ? "" : `${group}\n`}${inside.map((one) => lines(one, width, paint)).join("")}`,
    )
    .join("\n");
}

function lines(remark: Remark, width: number, paint: Paint): string {
  const indent = " ".repeat(STATE_WIDTH);
  const [first = "", ...more] = remark.message.split("\n").map(printable);
  const code = remark.code === null ? "" : `${remark.code}: `;
  const state = paint(COLOUR_OF[remark.state], remark.state.padEnd(STATE_WIDTH));
  const head = `${state}${printable(remark.what).padEnd(width - 2)}  ${code}${first}\n`;
  const rest = more.map((line) => `${indent}${line}\n`).join("");
  return remark.fix === null ? `${head}${rest}` : `${head}${rest}${indent}fix  ${printable(remark.fix)}\n`;
}
