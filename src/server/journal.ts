/**
 * What the service says while it works: one line of JSON a happening, in the field names of pino (`level`, `time`,
 * `msg`), so that what reads those reads these. The message is constant and the values are fields. It is not the audit
 * log, and it holds no free text but sentences of our own: what repositories, keys or exceptions say stays out.
 */
import { asSluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { Clock } from "../lib/time.ts";

const LEVELS = { info: 30, warn: 40, error: 50 } as const;

export type Fields = Readonly<Record<string, string | number | boolean | null>>;

export interface Journal {
  say(level: keyof typeof LEVELS, message: string, fields?: Fields): void;
}

/** `write` gets whole lines. */
export function openJournal(write: (line: string) => void, clock: Clock): Journal {
  return {
    say: (level, message, fields = {}) => {
      const plain = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === "string" ? printable(value) : value,
      ]);
      const line = { level: LEVELS[level], time: clock(), ...Object.fromEntries(plain), msg: message };
      write(`${JSON.stringify(line)}\n`);
    },
  };
}

/** Code and sentence of what was thrown; of a state that nobody expected where it was met, never what it says. */
export function failureFields(thrown: unknown): Fields {
  const error = asSluiceError(thrown);
  const met = error === thrown || !(thrown instanceof Error) ? null : placeOf(thrown);
  return { code: error.code, detail: error.message, ...(met === null ? {} : { at: met }) };
}

function placeOf({ stack = "" }: Error): string {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, 3)
    .map((line) => line.trim().replace(/\S*\/(?=(?:src|dist)\/)/, ""))
    .join(" < ");
}
