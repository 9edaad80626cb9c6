/** How many requests an account may make, by what they cost; nothing is judged for whoever asks more often. */

import type { Clock } from "../../lib/time.ts";
import { type Allowance, openRateLimit, type RateLimit } from "../access/rate-limit.ts";
import type { Pace } from "./route.ts";

export type Paces = Readonly<Record<Exclude<Pace, "open"> | "stranger", RateLimit>>;

/** A monitor reads tiles by the hundred; a pipeline asks for a check a few times a minute. */
export const ALLOWANCES: Readonly<Record<keyof Paces, Allowance>> = {
  read: { perMinute: 1200, burst: 300 },
  act: { perMinute: 60, burst: 20 },
  /** By address: whoever has no credentials, or wrong ones. */
  stranger: { perMinute: 60, burst: 30 },
};

export function openPaces(clock: Clock): Paces {
  return {
    read: openRateLimit(ALLOWANCES.read, clock),
    act: openRateLimit(ALLOWANCES.act, clock),
    stranger: openRateLimit(ALLOWANCES.stranger, clock),
  };
}
