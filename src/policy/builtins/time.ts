/** `time.*` with nanoseconds since 1970 as exact integers; zones are those of the IANA database that Node carries. */
import { isArray, type RegoValue } from "../rego-value.ts";
import { type Builtin, BuiltinError, type BuiltinFamily, integerIn, number, smallIntegerOf, textOf } from "./call.ts";
import { parseDuration } from "./duration.ts";
import { formatTime, parseTime } from "./time-layout.ts";
import { type CivilTime, civilAt, nanosecondsOf, WEEKDAYS } from "./zoned-time.ts";

/** What int64 nanoseconds since 1970 can hold. */
const MAXIMUM_NS = 2n ** 63n - 1n;
const RFC3339 = "2006-01-02T15:04:05Z07:00";
const RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00";

/** Layouts of Go's package time that may be given by name. */
const LAYOUTS: Readonly<Record<string, string>> = {
  ANSIC: "Mon Jan _2 15:04:05 2006",
  UnixDate: "Mon Jan _2 15:04:05 MST 2006",
  RubyDate: "Mon Jan 02 15:04:05 -0700 2006",
  RFC822: "02 Jan 06 15:04 MST",
  RFC822Z: "02 Jan 06 15:04 -0700",
  RFC850: "Monday, 02-Jan-06 15:04:05 MST",
  RFC1123: "Mon, 02 Jan 2006 15:04:05 MST",
  RFC1123Z: "Mon, 02 Jan 2006 15:04:05 -0700",
  RFC3339,
  RFC3339Nano: RFC3339_NANO,
};

export const BUILTINS: BuiltinFamily = {
  "time.add_date": (operands) =>
    addDate(
      momentOf(operands, 0),
      [1, 2, 3].map((at) => smallIntegerOf(operands, at)),
    ),
  "time.clock": ofCivil(({ hour, minute, second }) => [number(hour), number(minute), number(second)]),
  "time.date": ofCivil(({ year, month, day }) => [number(year), number(month), number(day)]),
  "time.weekday": ofCivil(({ weekday }) => WEEKDAYS[weekday] as string),
  "time.diff": (operands) => difference(momentOf(operands, 0), momentOf(operands, 1)),
  "time.format": (operands) => {
    const { ns, zone, layout } = momentOf(operands, 0);
    return formatTime(civilAt(ns, zone), layout === "" ? RFC3339_NANO : namedLayout(layout));
  },
  "time.now_ns": (_, { nowNs }) => {
    if (nowNs === null) throw new BuiltinError("what the clock says is not known to a policy");
    return number(nowNs);
  },
  "time.parse_duration_ns": (operands) => number(parseDuration(textOf(operands, 0))),
  "time.parse_ns": (operands) => nanoseconds(parseTime(textOf(operands, 1), namedLayout(textOf(operands, 0)))),
  "time.parse_rfc3339_ns": (operands) => nanoseconds(parseTime(textOf(operands, 0), RFC3339)),
};

interface Moment {
  readonly ns: bigint;
  readonly zone: string;
  /** "" = none was given. */
  readonly layout: string;
}

function namedLayout(text: string): string {
  return Object.hasOwn(LAYOUTS, text) ? (LAYOUTS[text] as string) : text;
}

/** Nanoseconds, or a list of them, a zone and a layout. */
function momentOf(operands: readonly RegoValue[], index: number): Moment {
  const value = operands[index] ?? null;
  const [first = null, zone = "", layout = ""] = isArray(value) ? value : [value];
  const ns = integerIn(first);
  if (ns === null || typeof zone !== "string" || typeof layout !== "string")
    throw new BuiltinError(`operand ${index + 1} is neither nanoseconds nor a list of them, a zone and a layout`);
  if (ns > MAXIMUM_NS || ns < -MAXIMUM_NS - 1n) throw new BuiltinError("the timestamp is too big");
  if (zone === "Local") throw new BuiltinError("the zone of a machine is not known to a policy");
  return { ns, zone: zone === "" ? "UTC" : zone, layout };
}

function ofCivil(answer: (civil: CivilTime) => RegoValue): Builtin {
  return (operands) => {
    const { ns, zone } = momentOf(operands, 0);
    return answer(civilAt(ns, zone));
  };
}

function nanoseconds(value: bigint): RegoValue {
  if (value > MAXIMUM_NS || value < -MAXIMUM_NS - 1n) throw new BuiltinError("time outside of valid range");
  return number(value);
}

function addDate({ ns, zone }: Moment, [years = 0, months = 0, days = 0]: readonly number[]): RegoValue {
  const civil = civilAt(ns, zone);
  return nanoseconds(
    nanosecondsOf({ ...civil, year: civil.year + years, month: civil.month + months, day: civil.day + days }, zone),
  );
}

/** Years, months, days, hours, minutes and seconds between two moments, in the zone of the first. */
function difference(first: Moment, second: Moment): RegoValue {
  civilAt(second.ns, second.zone); // an unknown zone fails, though only the first one counts
  const [early, late] = [first.ns, second.ns].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const [from, to] = [civilAt(early ?? 0n, first.zone), civilAt(late ?? 0n, first.zone)];
  const parts = [
    { difference: to.second - from.second, size: 60 },
    { difference: to.minute - from.minute, size: 60 },
    { difference: to.hour - from.hour, size: 24 },
    { difference: to.day - from.day, size: new Date(Date.UTC(from.year, from.month, 0)).getUTCDate() },
    { difference: to.month - from.month, size: 12 },
  ];
  let borrowed = 0;
  const smaller = parts.map(({ difference, size }) => {
    const value = difference - borrowed;
    borrowed = value < 0 ? 1 : 0;
    return value < 0 ? value + size : value;
  });
  return [to.year - from.year - borrowed, ...smaller.reverse()].map((value) => number(value));
}
