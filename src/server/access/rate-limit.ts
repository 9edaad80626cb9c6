/** How often one account may ask: a bucket that holds `burst` and fills again at `perMinute`. */
import type { Clock, Instant } from "../../lib/time.ts";

export interface Allowance {
  readonly perMinute: number;
  readonly burst: number;
}

export interface RateLimit {
  /** 0 where the request is taken; else in how many whole seconds the next one will be. */
  take(account: string): number;
}

interface Bucket {
  readonly tokens: number;
  readonly at: Instant;
}

const MINUTE_MS = 60_000;
/** Strangers can make up addresses, so what is remembered of them ends; whoever comes then shares one bucket. */
const MAXIMUM_ACCOUNTS = 10_000;
const OVERFLOW = "(everybody else)";

export function openRateLimit({ perMinute, burst }: Allowance, clock: Clock, most = MAXIMUM_ACCOUNTS): RateLimit {
  const buckets = new Map<string, Bucket>();
  const filled = (bucket: Bucket | undefined, now: Instant): number =>
    bucket === undefined
      ? burst
      : Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perMinute) / MINUTE_MS);
  const forget = (now: Instant): void => {
    for (const [account, bucket] of buckets) if (filled(bucket, now) >= burst) buckets.delete(account);
  };
  return {
    take(asked) {
      const now = clock();
      if (!buckets.has(asked) && buckets.size >= most) forget(now);
      const account = buckets.has(asked) || buckets.size < most ? asked : OVERFLOW;
      const tokens = filled(buckets.get(account), now);
      const isTaken = tokens >= 1;
      buckets.set(account, { tokens: isTaken ? tokens - 1 : tokens, at: now });
      return isTaken ? 0 : Math.max(1, Math.ceil(((1 - tokens) * MINUTE_MS) / perMinute / 1000));
    },
  };
}

/** What strangers are counted by: an IPv4 address, or the /64 of an IPv6 one, of which one person has as many as he likes. */
export function addressAccount(address: string): string {
  if (!address.includes(":")) return `address ${address}`;
  if (address.toLowerCase().startsWith("::ffff:") && address.includes(".")) return `address ${address.slice(7)}`;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const whole = tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
  return `address ${whole.slice(0, 4).join(":")}::/64`;
}
