/** What several of the operator's files hold. */
import * as z from "zod";
import { parseDuration } from "../lib/time.ts";

export const verifierKey = z
  .string()
  .regex(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/, "is a verifier key: name+hash+base64");

/** A text such as `30s` with bounds in milliseconds; `what` ends the sentence that refuses another. */
export function duration(shortestMs: number, longestMs: number, what: string) {
  return z.string().refine((text) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== null && milliseconds >= shortestMs && milliseconds <= longestMs;
  }, `is a duration such as ${what}`);
}
