/** Instants as calendar and clock of a zone, and back. */
import { BuiltinError } from "./call.ts";

export const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"],
  "December",
] as const;
export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

export interface CivilTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** 0 = Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** Seconds east of Greenwich. */
  readonly offset: number;
  readonly zone: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const NS_PER_MS = 1_000_000n;

/** @throws BuiltinError for a zone that does not exist. */
export function civilAt(ns: bigint, zone: string): CivilTime {
  const nanosecond = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const at = Number((ns - nanosecond) / NS_PER_MS);
  const offset = offsetAt(at, zone);
  const local = new Date(at + offset * 1000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    weekday: local.getUTCDay(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    nanosecond: Number(nanosecond),
    offset,
    zone,
    at,
  };
}

type Calendar = Pick<CivilTime, "year" | "month" | "day" | "hour" | "minute" | "second" | "nanosecond">;

/** Fields beyond their range carry over. Where the clock is set, Go's rule: the offset of one of both sides. */
export function nanosecondsOf(civil: Calendar, zone: string): bigint {
  const asUtc = new Date(0);
  asUtc.setUTCFullYear(civil.year, civil.month - 1, civil.day);
  asUtc.setUTCHours(civil.hour, civil.minute, civil.second, 0);
  const utc = asUtc.getTime();
  if (!Number.isFinite(utc)) throw new BuiltinError("time outside of valid range");
  // time.Date of Go: the offset at the instant as if it were UTC, and again at what that gives.
  const guess = utc - offsetAt(utc, zone) * 1000;
  const at = utc - offsetAt(guess, zone) * 1000;
  return BigInt(at) * NS_PER_MS + BigInt(civil.nanosecond);
}

/** Seconds east of Greenwich at an instant (ms). */
function offsetAt(at: number, zone: string): number {
  if (zone === "UTC") return 0;
  const text = part(at, zone, "en-US", "longOffset");
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text) ?? [];
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -size : size;
}

/** `CET`, or the offset where nobody has a name for the zone. */
export function abbreviationAt({ at, zone, offset }: CivilTime): string {
  if (zone === "UTC") return "UTC";
  const names = ["en-US", "en-GB", "en-AU", "en-IN", "en-ZA"].map((locale) => part(at, zone, locale, "short"));
  const name = names.find((one) => !/^(?:GMT|UTC)[+-]/.test(one));
  if (name !== undefined) return name;
  const minutes = Math.floor(Math.abs(offset) / 60);
  const text = `${offset < 0 ? "-" : "+"}${String(Math.floor(minutes / 60)).padStart(2, "0")}`;
  return minutes % 60 === 0 ? text : text + String(minutes % 60).padStart(2, "0");
}

function part(at: number, zone: string, locale: string, timeZoneName: "longOffset" | "short"): string {
  if (!/^[A-Za-z]/.test(zone)) throw new BuiltinError(`unknown time zone ${zone.slice(0, 80)}`);
  try {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName });
    return format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
  } catch {
    throw new BuiltinError(`unknown time zone ${zone.slice(0, 80)}`);
  }
}
