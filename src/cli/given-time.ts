/** `--at TIME`: the instant at which something is looked at; now when absent. */
import { SluiceError } from "../lib/errors.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import { type Invocation, textOption } from "./command.ts";

export interface GivenTime {
  readonly instant: Instant;
  readonly isGiven: boolean;
}

/** @throws SluiceError `usage` for anything but a day or an RFC 3339 time in UTC */
export function givenTime(invocation: Invocation): GivenTime {
  const text = textOption(invocation, "at");
  if (text === undefined) return { instant: invocation.clock(), isGiven: false };
  const instant = parseTime(text);
  if (instant !== null) return { instant, isGiven: true };
  throw new SluiceError("usage", `${JSON.stringify(text)} is not a time.`, {
    fix: "--at 2026-01-31, or --at 2026-01-31T10:00:00Z",
  });
}
