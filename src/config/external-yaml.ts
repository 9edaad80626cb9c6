/**
 * What gate.yaml says of data from outside that policies may read. Only the operator names an address: a repository that
 * could, would make the gate call whatever an author likes.
 */
import * as z from "zod";
import { EXTERNAL_NAME } from "../policy/external.ts";
import { duration, isSafeUrl } from "./parts.ts";
import { secretSchema } from "./secret.ts";

const SHORTEST_MS = 100;
const LONGEST_DEADLINE_MS = 30_000;
const LONGEST_FRESH_MS = 24 * 60 * 60 * 1000;

const source = z.strictObject({
  url: z
    .string()
    .max(2000)
    .refine(isSafeUrl, "is an https address without user and fragment, or http on this machine")
    .describe("Where it is fetched from, with GET; redirects are not followed. Never shown or recorded."),
  targets: z.array(z.string()).min(1).describe("Whose policies are given it; those of other targets cannot read it."),
  deadline: duration(SHORTEST_MS, LONGEST_DEADLINE_MS, "800ms or 2s, from 100ms to 30s")
    .default("5s")
    .describe("How long a decision waits for it."),
  fresh: duration(0, LONGEST_FRESH_MS, "1m, from 0ms to 1d")
    .default("1m")
    .describe("How long what was fetched is used for other decisions too."),
  authority: z.string().min(1).optional().describe("PEM of who certifies it; the system's authorities when absent."),
  credentials: secretSchema.optional().describe("Sent as a bearer token."),
});

export const externalSchema = z
  .record(z.string().regex(EXTERNAL_NAME), source)
  .describe("By name: data from outside, which policies read as data.external.NAME.");

export type ExternalSource = z.infer<typeof source>;
