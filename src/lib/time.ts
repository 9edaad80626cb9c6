/** Milliseconds since the epoch; every clock is an argument. */
export type Instant = number;
export type Clock = () => Instant;

/** RFC 3339 UTC with milliseconds, the only form in which Sluice writes a time. */
export function formatTime(at: Instant): string {
  return new Date(at).toISOString();
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Reads an RFC 3339 time in UTC (`Z` only), or a bare date as its first instant; null otherwise (31 February too). */
export function parseTime(text: string): Instant | null {
  const full = DATE.test(text) ? `${text}T00:00:00Z` : text;
  if (!RFC3339.test(full)) return null;
  const at = Date.parse(full);
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== full.slice(0, 10) ? null : at;
}

const DURATION = /^(\d{1,6})(ms|s|m|h|d)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `10m`, `7d` in milliseconds; null otherwise. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  return match === null ? null : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
