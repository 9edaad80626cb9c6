/** Times as texts by a layout of Go's package time: `2006-01-02T15:04:05Z07:00` is how the reference time is written. */
import { BuiltinError } from "./call.ts";
import { abbreviationAt, type CivilTime, MONTHS, nanosecondsOf, WEEKDAYS } from "./zoned-time.ts";

/** In Go's order of preference; `Jan` and `Mon` only where no small letter follows. */
const CHUNK =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|002|0[1-6]|__2|_2(?!006)|15|PM|pm|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?!\d)|[1-5]/g;

interface Chunk {
  readonly literal: string;
  /** "" at the end. */
  readonly code: string;
}

function chunksOf(layout: string): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  for (const { 0: code, index } of layout.matchAll(CHUNK)) {
    chunks.push({ literal: layout.slice(at, index), code });
    at = index + code.length;
  }
  return [...chunks, { literal: layout.slice(at), code: "" }];
}

export function formatTime(civil: CivilTime, layout: string): string {
  return chunksOf(layout)
    .map(({ literal, code }) => literal + formatChunk(civil, code))
    .join("");
}

function formatChunk(civil: CivilTime, code: string): string {
  const { year, month, day, hour, minute, second } = civil;
  const hour12 = hour % 12 === 0 ? 12 : hour % 12;
  switch (code) {
    case "":
      return "";
    case "2006":
      return pad(year, 4);
    case "06":
      return pad(year % 100, 2);
    case "January":
      return MONTHS[month - 1] as string;
    case "Jan":
      return (MONTHS[month - 1] as string).slice(0, 3);
    case "01":
      return pad(month, 2);
    case "1":
      return String(month);
    case "Monday":
      return WEEKDAYS[civil.weekday] as string;
    case "Mon":
      return (WEEKDAYS[civil.weekday] as string).slice(0, 3);
    case "02":
      return pad(day, 2);
    case "_2":
      return String(day).padStart(2, " ");
    case "2":
      return String(day);
    case "002":
      return pad(dayOfYear(civil), 3);
    case "__2":
      return String(dayOfYear(civil)).padStart(3, " ");
    case "15":
      return pad(hour, 2);
    case "03":
      return pad(hour12, 2);
    case "3":
      return String(hour12);
    case "04":
      return pad(minute, 2);
    case "4":
      return String(minute);
    case "05":
      return pad(second, 2);
    case "5":
      return String(second);
    case "PM":
      return hour >= 12 ? "PM" : "AM";
    case "pm":
      return hour >= 12 ? "pm" : "am";
    case "MST":
      return abbreviationAt(civil);
    default:
      return /^[.,]/.test(code) ? fraction(civil.nanosecond, code) : offsetText(civil.offset, code);
  }
}

function pad(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width, "0")}` : String(value).padStart(width, "0");
}

function dayOfYear({ year, month, day }: CivilTime): number {
  return Math.round((Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
}

function fraction(nanosecond: number, code: string): string {
  const digits = String(nanosecond)
    .padStart(9, "0")
    .padEnd(code.length - 1, "0")
    .slice(0, code.length - 1);
  if (code[1] === "0") return code.slice(0, 1) + digits;
  const short = digits.replace(/0+$/, "");
  return short === "" ? "" : code.slice(0, 1) + short;
}

function offsetText(offset: number, code: string): string {
  if (code.startsWith("Z") && offset === 0) return "Z";
  const size = Math.abs(offset);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map((part) => pad(part, 2));
  const body = code.slice(1).replaceAll(":", "");
  return (offset < 0 ? "-" : "+") + parts.slice(0, body.length / 2).join(code.includes(":") ? ":" : "");
}

interface Reading {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  afternoon: boolean | null;
  offset: number;
}

/** Nanoseconds since 1970. @throws BuiltinError for a text that is not in that layout. */
export function parseTime(text: string, layout: string): bigint {
  const read: Reading = {
    ...{ year: 0, month: 1, day: 1, yearDay: 0, hour: 0, minute: 0, second: 0, nanosecond: 0 },
    ...{ afternoon: null, offset: 0 },
  };
  let rest = text;
  const chunks = chunksOf(layout);
  for (const [index, { literal, code }] of chunks.entries()) {
    if (!rest.startsWith(literal)) throw mismatch(layout);
    rest = rest.slice(literal.length);
    if (code !== "") rest = readChunk(read, rest, code, nextIsFraction(chunks[index + 1]));
  }
  if (rest !== "") throw mismatch(layout);
  return toNanoseconds(read);
}

function nextIsFraction(next: Chunk | undefined): boolean {
  return next !== undefined && next.literal === "" && /^[.,]/.test(next.code);
}

/** One reader for each code: what it matches, and what it means. */
const READERS: Readonly<Record<string, readonly [RegExp, (read: Reading, value: string) => void]>> = {
  "2006": [/^\d{4}/, (read, value) => (read.year = Number(value))],
  "06": [/^\d{2}/, (read, value) => (read.year = Number(value) + (Number(value) >= 69 ? 1900 : 2000))],
  January: [/^[A-Za-z]+/, (read, value) => (read.month = placeOf(MONTHS, value) + 1)],
  Jan: [/^[A-Za-z]{3}/, (read, value) => (read.month = placeOf(short(MONTHS), value) + 1)],
  Monday: [/^[A-Za-z]+/, (_, value) => void placeOf(WEEKDAYS, value)],
  Mon: [/^[A-Za-z]{3}/, (_, value) => void placeOf(short(WEEKDAYS), value)],
  "01": [/^\d{2}/, (read, value) => (read.month = within(value, 1, 12))],
  "1": [/^\d{1,2}/, (read, value) => (read.month = within(value, 1, 12))],
  "02": [/^\d{2}/, (read, value) => (read.day = within(value, 1, 31))],
  _2: [/^ ?\d{1,2}/, (read, value) => (read.day = within(value, 1, 31))],
  "2": [/^\d{1,2}/, (read, value) => (read.day = within(value, 1, 31))],
  "002": [/^\d{3}/, (read, value) => (read.yearDay = within(value, 1, 366))],
  __2: [/^ {0,2}\d{1,3}/, (read, value) => (read.yearDay = within(value, 1, 366))],
  "15": [/^\d{1,2}/, (read, value) => (read.hour = within(value, 0, 23))],
  "03": [/^\d{2}/, (read, value) => (read.hour = within(value, 0, 12))],
  "3": [/^\d{1,2}/, (read, value) => (read.hour = within(value, 0, 12))],
  "04": [/^\d{2}/, (read, value) => (read.minute = within(value, 0, 59))],
  "4": [/^\d{1,2}/, (read, value) => (read.minute = within(value, 0, 59))],
  "05": [/^\d{2}/, (read, value) => (read.second = within(value, 0, 59))],
  "5": [/^\d{1,2}/, (read, value) => (read.second = within(value, 0, 59))],
  PM: [/^(?:AM|PM)/, (read, value) => (read.afternoon = value === "PM")],
  pm: [/^(?:am|pm)/, (read, value) => (read.afternoon = value === "pm")],
  // Go knows no other zone's offset by its abbreviation than that of the machine, and takes 0 for the rest.
  MST: [/^(?:GMT[+-]\d{1,2}|ChST|MeST|[A-Z]{3,5}|[+-]\d{2}(?:\d{2})?)/, (read, value) => (read.offset = named(value))],
};

function readChunk(read: Reading, text: string, code: string, fractionFollows: boolean): string {
  if (/^[.,]/.test(code)) return readFraction(read, text, code);
  if (/^[-Z]07/.test(code)) return readOffset(read, text, code);
  const [pattern, take] = READERS[code] as (typeof READERS)[string];
  const found = pattern.exec(text)?.[0];
  if (found === undefined) throw mismatch(code);
  take(read, found);
  const rest = text.slice(found.length);
  const isSecond = code === "05" || code === "5";
  return isSecond && !fractionFollows && /^[.,]\d/.test(rest) ? readFraction(read, rest, ".9") : rest;
}

/** Nines take any number of digits, and none at all; zeros take exactly as many as they are. */
function readFraction(read: Reading, text: string, code: string): string {
  const pattern = code[1] === "9" ? /^[.,](\d+)/ : new RegExp(`^[.,](\\d{${code.length - 1}})(?!\\d)`);
  const [whole = "", digits] = pattern.exec(text) ?? [];
  if (digits === undefined && code[1] === "0") throw mismatch(code);
  read.nanosecond = Number((digits ?? "").slice(0, 9).padEnd(9, "0"));
  return text.slice(whole.length);
}

function readOffset(read: Reading, text: string, code: string): string {
  if (code.startsWith("Z") && text.startsWith("Z")) return text.slice(1);
  const colon = code.includes(":") ? ":" : "";
  const groups = code.slice(1).replaceAll(":", "").length / 2;
  const pattern = new RegExp(`^([+-])${Array<string>(groups).fill("(\\d\\d)").join(colon)}`);
  const [whole, sign, hours, minutes = "0", seconds = "0"] = pattern.exec(text) ?? [];
  if (whole === undefined || hours === undefined) throw mismatch(code);
  const size = within(hours, 0, 24) * 3600 + within(minutes, 0, 59) * 60 + within(seconds, 0, 59);
  read.offset = sign === "-" ? -size : size;
  return text.slice(whole.length);
}

function named(value: string): number {
  const [, hours] = /^GMT([+-]\d{1,2})$/.exec(value) ?? [];
  return hours === undefined ? 0 : Number(hours) * 3600;
}

function placeOf(names: readonly string[], value: string): number {
  const place = names.findIndex((name) => value.toLowerCase() === name.toLowerCase());
  if (place < 0) throw mismatch(value);
  return place;
}

function short(names: readonly string[]): readonly string[] {
  return names.map((name) => name.slice(0, 3));
}

function within(text: string, least: number, most: number): number {
  const value = Number(text);
  if (value < least || value > most) throw new BuiltinError("a part of the time is out of range");
  return value;
}

function toNanoseconds(read: Reading): bigint {
  const { year, yearDay, afternoon } = read;
  const hour = afternoon === null ? read.hour : (read.hour % 12) + (afternoon ? 12 : 0);
  const [month, day] = yearDay > 0 ? [1, yearDay] : [read.month, read.day];
  const daysOfMonth = new Date(Date.UTC(year < 100 ? year + 400 : year, month, 0)).getUTCDate();
  if (yearDay === 0 && day > daysOfMonth) throw new BuiltinError("the day is out of range");
  return nanosecondsOf({ ...read, hour, month, day }, "UTC") - BigInt(read.offset) * 1_000_000_000n;
}

function mismatch(layout: string): BuiltinError {
  return new BuiltinError(`the text is not a time in the layout ${layout.slice(0, 80)}`);
}
