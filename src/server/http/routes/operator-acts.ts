/** What only operators order: an adoption; and what only an administrator does: a redaction. */
import * as z from "zod";
import { adoptionSchema } from "../../../gate/json/schemas/acts.ts";
import { redactionSchema } from "../../../gate/json/schemas/redaction.ts";
import { SluiceError } from "../../../lib/errors.ts";
import { ENTRY_KINDS } from "../../../log/entry.ts";
import { OPERATORS } from "../../access/principal.ts";
import { defineRoute, json, namedPerson, permitTarget } from "../define.ts";
import { instant, targetName } from "../fields.ts";

const reason = z.string().max(1000).regex(/\S/).describe("Why; recorded and shown to everybody.");

export const postAdoption = defineRoute({
  id: "adopt",
  method: "POST",
  path: "/v1/adoptions",
  summary: "Make the first approved state of a target; or, by two operators, repair its judge.",
  roles: OPERATORS,
  pace: "act",
  body: z.strictObject({
    target: targetName,
    at: z
      .string()
      .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
      .nullable()
      .default(null)
      .describe("Whole id of the commit; null or absent: the tip of the target's branch."),
    reason,
    again: z.boolean().default(false).describe("The caller's word as one of two operators who repair a judge."),
  }),
  answer: adoptionSchema,
  refusals: ["target-unknown", "person-needed", "target-adopted", "second-operator-needed", "second-operator-same"],
  async handle({ view, principal, body }) {
    permitTarget(principal, body.target);
    return json(await view.adopt({ ...body, by: namedPerson(principal) }));
  },
});

const word = z.string().min(1).max(1000);

const redactionBody = z.strictObject({
  reason: reason.describe("Why; it is logged, and must not say again what is erased."),
  subject: z
    .discriminatedUnion("of", [
      z.strictObject({ of: z.literal("person"), name: word }),
      z.strictObject({ of: z.literal("resource"), name: word }),
      z.strictObject({ of: z.literal("text"), text: word.min(3) }),
    ])
    .nullable()
    .describe("What the values speak of; null: whatever they say."),
  entry: z.int().min(0).nullable().describe("Of this entry only."),
  values: z.array(word).min(1).max(100).nullable().describe("Only values of these names."),
  query: z
    .strictObject({
      target: targetName.optional(),
      kinds: z.array(z.enum(ENTRY_KINDS)).min(1).optional(),
      rule: word.optional(),
      from: instant.optional(),
      to: instant.optional(),
    })
    .describe("Which entries are looked at."),
  evenNeeded: z.boolean().default(false).describe("Also what the current release rests on."),
  dryRun: z.boolean().default(false).describe("Only say what would be erased."),
});

export const postRedaction = defineRoute({
  id: "redact",
  method: "POST",
  path: "/v1/redactions",
  summary: "Erase disclosed values and their salts; proofs stay valid, and the log says that it was done.",
  roles: ["admin"],
  pace: "act",
  body: redactionBody,
  answer: redactionSchema,
  refusals: ["person-needed", "nothing-to-redact", "redaction-needed", "redaction-repeats", "request-invalid"],
  async handle({ view, principal, body }) {
    const { reason: why, subject, entry, values, query, evenNeeded, dryRun } = body;
    if (principal.targets !== null) throw new SluiceError("not-permitted", "The log is of every target.");
    if ((subject === null && entry === null && values === null) || (entry !== null && Object.keys(query).length > 0))
      throw new SluiceError("request-invalid", "It is not said, or said twice, what is to be redacted.");
    const { rule, target, kinds, from, to } = query;
    const asked = {
      ...(target === undefined ? {} : { target }),
      ...(kinds === undefined ? {} : { kinds }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(rule === undefined ? {} : { terms: [{ kind: "rule" as const, value: rule }] }),
    };
    const request = { by: namedPerson(principal), reason: why };
    return json(await view.redact({ wish: { query: asked, entry, values, subject }, request, evenNeeded, dryRun }));
  },
});
