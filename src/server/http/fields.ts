/** What several routes read and answer. */
import * as z from "zod";
import { apiVersion, count, index, name, time } from "../../gate/json/schemas/parts.ts";
import { parseTime } from "../../lib/time.ts";

const MAXIMUM_PAGE = 1000;
const DEFAULT_PAGE = 50;

export const targetName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .describe("Name of a target in gate.yaml.");
export const repositoryName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .describe("Name under `repositories` of gate.yaml.");
export const commitName = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
  .describe("Whole commit id.");

/** A number in a query; JSON has those of its own. */
function wholeNumber(most: number, description: string) {
  return z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,14})$/)
    .describe(description)
    .transform(Number)
    .refine((value) => value <= most, `is ${most} at most`);
}

export const after = wholeNumber(
  Number.MAX_SAFE_INTEGER,
  "Go on below the entry of this index: `next` of the page before.",
);
export const limit = z
  .string()
  .regex(/^(?:[1-9][0-9]{0,2}|1000)$/)
  .describe(`How many at most, 1 to ${MAXIMUM_PAGE}; ${DEFAULT_PAGE} where it is absent.`)
  .default(String(DEFAULT_PAGE))
  .transform(Number);
export const instant = z
  .union([z.iso.date(), z.iso.datetime({ precision: 0 }), z.iso.datetime({ precision: 3 })])
  .describe("A day, or a time in UTC (RFC 3339).")
  .transform((text) => parseTime(text) ?? Number.NaN)
  .refine((at) => !Number.isNaN(at), "is a day or a time in UTC");

export const entryId = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,14}|[0-7][0-9A-HJKMNP-TV-Z]{25})$/)
  .describe("Index or ULID of an entry.");

export const holdSchema = z.strictObject({ scope: name, reason: name, by: name, since: time, index });
export { apiVersion, count, index, name, time };
