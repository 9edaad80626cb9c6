/** What gate.yaml says of the values in the log: which are masked before they are recorded, and how long others are kept. */
import * as z from "zod";
import { ENTRY_KINDS } from "../log/entry.ts";
import { isMaskable } from "../log/masking/mask.ts";
import { duration } from "./parts.ts";

const BUILT_IN_MASK_NAMES = ["secret-data", "kubeconfigs", "tokens"] as const;

const MAXIMUM_RULES = 100;
const MAXIMUM_PATTERN_CHARACTERS = 1000;

const maskRule = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,39}$/, "is small letters, digits and hyphens, 40 at most")
      .refine(
        (name) => !(BUILT_IN_MASK_NAMES as readonly string[]).includes(name),
        "is not the name of a built-in mask",
      )
      .describe("What the entry says that it was masked by."),
    text: z
      .string()
      .min(1)
      .max(MAXIMUM_PATTERN_CHARACTERS)
      .optional()
      .describe("Regular expression (RE2): every text in which it occurs."),
    value: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, "is the name of a value, as `log show` prints it")
      .refine(isMaskable, "is not one that the gate goes on from")
      .optional()
      .describe("Every text of this value, as `log show` names it; with `text`, only where the pattern occurs."),
    at: z
      .string()
      .max(MAXIMUM_PATTERN_CHARACTERS)
      .regex(/^(?:\/[^/]*)+$/, "is a place below the value, for example /*/message")
      .optional()
      .describe("Only below this place of the value; `*` is any one key or index."),
    kinds: z.array(z.enum(ENTRY_KINDS)).min(1).optional().describe("Only in entries of these kinds."),
  })
  .refine(({ text, value }) => text !== undefined || value !== undefined, "needs `text` or `value`")
  .refine(({ value, at }) => at === undefined || value !== undefined, "needs `value` where it has `at`");

export type MaskRule = z.infer<typeof maskRule>;

export const masksSchema = z.strictObject({
  without: z.array(z.enum(BUILT_IN_MASK_NAMES)).default([]).describe("Built-in masks that are not wanted."),
  rules: z
    .array(maskRule)
    .max(MAXIMUM_RULES)
    .default([])
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, "have a name of their own each")
    .describe("Masks of your own, by what a text says or where it stands."),
  rego: z
    .array(z.string().min(1))
    .max(MAXIMUM_RULES)
    .default([])
    .describe("Files of OPA's package system.log: its `mask` and `drop` hold for decisions."),
});

const DAY_MS = 24 * 60 * 60 * 1000;
/** Receipts, and approvals that stand in, are looked at for as long. */
const SHORTEST_RETENTION_MS = 30 * DAY_MS;
const LONGEST_RETENTION_MS = 36_500 * DAY_MS;

const keptFor = duration(SHORTEST_RETENTION_MS, LONGEST_RETENTION_MS, "730d, from 30d to 36500d");

export const retentionSchema = z
  .strictObject({
    values: keptFor.optional().describe("Age at which values beside entries are erased; their commitments stay."),
    free: z.int().min(1).max(1_000_000).optional().describe("GiB; below, the oldest values are erased first."),
    size: z
      .int()
      .min(2)
      .max(1_000_000)
      .optional()
      .describe("GiB that a log in PostgreSQL may take; `free` counts what it leaves of them."),
    always: keptFor.default("90d").describe("Age up to which values are kept, however little room there is."),
  })
  .refine(({ values, free }) => values !== undefined || free !== undefined, "needs `values` or `free`")
  .refine(({ size, free }) => size === undefined || (free !== undefined && free < size), "needs a `free` below `size`");

export type RetentionRule = z.infer<typeof retentionSchema>;
