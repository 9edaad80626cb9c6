/** What `io.jwt.decode_verify` demands of a token, and the claims it looks at (RFC 7519 section 4.1). */
import { compareRegoValues, type RegoObject, type RegoValue } from "../rego-value.ts";
import { BuiltinError, member, number, numberText } from "./call.ts";
import { type KeyEntry, readKeys } from "./jwt-keys.ts";

export interface Constraints {
  /** null when a secret verifies. */
  readonly keys: readonly KeyEntry[] | null;
  readonly secret: string;
  /** "" = any, as for the other two. */
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
  /** Nanoseconds since 1970. */
  readonly time: number;
}

const NAMES = new Set(["cert", "secret", "alg", "iss", "aud", "time"]);

/** @throws BuiltinError without exactly one kind of key, and without a time when none is recorded. */
export function readConstraints(given: RegoObject, nowNs: bigint | null): Constraints {
  const unknown = given.entries.find(([name]) => typeof name !== "string" || !NAMES.has(name));
  if (unknown !== undefined) throw new BuiltinError("unknown constraint of a token");
  const text = (name: string): string => {
    const value = member(given, name) ?? "";
    if (typeof value !== "string") throw new BuiltinError(`the constraint ${name} is not a string`);
    return value;
  };
  const keys = member(given, "cert") === undefined ? null : readKeys(text("cert"));
  const secret = text("secret");
  if ((keys === null) === (secret === "")) throw new BuiltinError("exactly one of cert and secret must be given");
  return { keys, secret, alg: text("alg"), iss: text("iss"), aud: text("aud"), time: timeOf(given, nowNs) };
}

function timeOf(given: RegoObject, nowNs: bigint | null): number {
  const value = member(given, "time");
  if (value === undefined && nowNs === null)
    throw new BuiltinError("give the constraint time: what the clock says is not known to a policy");
  const text = value === undefined ? String(nowNs) : numberText(value);
  if (text === null || !(Number(text) >= 0)) throw new BuiltinError("the constraint time is not a number from 0 on");
  return Number(text);
}

/** @throws BuiltinError for a claim about time that is not a number. */
export function checkClaims(payload: RegoObject, { iss, aud, time }: Constraints): boolean {
  const seconds = number(time / 1_000_000_000);
  const audience = member(payload, "aud");
  const expires = numberClaim(payload, "exp");
  const begins = numberClaim(payload, "nbf");
  if (iss !== "" && member(payload, "iss") !== iss) return false;
  if (audience === undefined ? aud !== "" : !isAudience(audience, aud)) return false;
  if (expires !== undefined && compareRegoValues(seconds, expires) >= 0) return false;
  return begins === undefined || compareRegoValues(seconds, begins) >= 0;
}

function numberClaim(payload: RegoObject, name: string): RegoValue | undefined {
  const value = member(payload, name);
  if (value !== undefined && numberText(value) === null) throw new BuiltinError(`${name} is not a number`);
  return value;
}

function isAudience(audience: RegoValue, wanted: string): boolean {
  return audience === wanted || (Array.isArray(audience) && audience.includes(wanted));
}
