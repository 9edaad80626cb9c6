/** Rows as lines: one for what is ours, one for each thing beside it. */
import { type Beside, type Measurement, type Row, timesAsFast } from "./measure.ts";

const HEADER = ["what", "a second", "p50 ms", "p99 ms", "times as fast"] as const;
const INDENT = "  ";

export function textTable(rows: readonly Row[]): string {
  const lines = [HEADER, ...linesOf(rows, INDENT)];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, at) => pad(cell, widths[at] ?? 0, at === 0)).join("  "));
  return `${text.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** Markdown; what stands beside a row follows it. */
export function markdownTable(rows: readonly Row[]): string {
  const lines = linesOf(rows, "&emsp;").map((line) => `| ${line.join(" | ")} |`);
  return `${[`| ${HEADER.join(" | ")} |`, "| --- | ---: | ---: | ---: | ---: |", ...lines].join("\n")}\n`;
}

function linesOf(rows: readonly Row[], indent: string): readonly (readonly string[])[] {
  return rows.flatMap((row) => [
    [`${row.area}: ${row.what}`, ...numbers(row.measured), ""],
    ...row.beside.map((beside) => besideLine(row.measured, beside, indent)),
  ]);
}

function besideLine(measured: Measurement, beside: Beside, indent: string): readonly string[] {
  const { kind, what, measured: other } = beside;
  if (other === null) return [`${indent}${kind}: not run (${what})`, "", "", "", ""];
  const ratio = timesAsFast(measured, beside) ?? 0;
  return [`${indent}${kind}: ${what}`, ...numbers(other), `${digits(ratio)}x`];
}

function numbers({ perSecond, p50, p99 }: Measurement): readonly string[] {
  return [digits(perSecond), digits(p50), digits(p99)];
}

/** Three digits that count; thousands are grouped. Empty where a peer does not say it. */
function digits(value: number): string {
  if (Number.isNaN(value)) return "";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(value >= 1 ? 3 : 2)).toString();
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width);
}
