/** Go's time.ParseDuration, with days, weeks and years as OPA adds them. */
import { BuiltinError } from "./call.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 24n * 3_600_000_000_000n,
  w: 7n * 24n * 3_600_000_000_000n,
  y: 365n * 24n * 3_600_000_000_000n,
};
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h|d|w|y)/y;
const MAXIMUM_NS = 2n ** 63n - 1n;

/** Nanoseconds; what is smaller is cut off. @throws BuiltinError */
export function parseDuration(text: string): bigint {
  const sign = text.startsWith("-") ? -1n : 1n;
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0n;
  let [total, at] = [0n, 0];
  while (at < body.length) {
    PART.lastIndex = at;
    const [whole, digits = "", fraction = "", unit = ""] = PART.exec(body) ?? [];
    if (whole === undefined || digits + fraction === "") throw new BuiltinError("invalid duration");
    const size = UNITS[unit] ?? 0n;
    total += BigInt(digits || "0") * size + (BigInt(fraction || "0") * size) / 10n ** BigInt(fraction.length);
    at += whole.length;
  }
  if (body === "" || total > MAXIMUM_NS + (sign < 0n ? 1n : 0n)) throw new BuiltinError("invalid duration");
  return sign * total;
}
