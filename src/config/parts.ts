/** What several of the operator's files hold. */
import * as z from "zod";
import { isThisMachine } from "../lib/connection.ts";
import { parseDuration } from "../lib/time.ts";

/** Of a target or a repository. */
export const shortName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

export const verifierKey = z
  .string()
  .regex(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/, "is a verifier key: name+hash+base64");

/** An https address without user and fragment; plain http only where nothing lies between, on this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url));
  return isSafe && url.username === "" && url.password === "" && url.hash === "";
}

/** A text such as `30s` with bounds in milliseconds; `what` ends the sentence that refuses another. */
export function duration(shortestMs: number, longestMs: number, what: string) {
  return z.string().refine((text) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== null && milliseconds >= shortestMs && milliseconds <= longestMs;
  }, `is a duration such as ${what}`);
}
