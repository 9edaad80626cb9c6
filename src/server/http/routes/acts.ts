/** What callers order: a check, a hold, its end, a release; and what another person says of one. */
import * as z from "zod";
import { holdingSchema, reviewedSchema } from "../../../gate/json/schemas/acts.ts";
import { checkSchema, landingsSchema } from "../../../gate/json/schemas/check.ts";
import { OUTCOMES } from "../../../gate/review.ts";
import { SluiceError } from "../../../lib/errors.ts";
import type { HoldRequest } from "../../../release/holds.ts";
import { OPERATORS, REVIEWERS } from "../../access/principal.ts";
import type { Holding } from "../../view.ts";
import { defineRoute, json, namedPerson, permitTarget } from "../define.ts";
import { commitName, entryId, repositoryName, targetName } from "../fields.ts";
import type { Answer, Call } from "../route.ts";
import { permittedEntry } from "./decisions.ts";

const MAXIMUM_TARGETS = 100;

const checkBody = z.strictObject({
  repository: repositoryName,
  head: commitName.describe("The proposed commit; the gate must be able to fetch it."),
  targets: z
    .array(targetName)
    .max(MAXIMUM_TARGETS)
    .default([])
    .describe("Empty or absent: every target of the repository."),
});

export const postCheck = defineRoute({
  id: "check",
  method: "POST",
  path: "/v1/checks",
  summary: "Judge a proposed commit, log the decision, answer it.",
  roles: ["local", "approver", "operator", "admin", "caller"],
  pace: "act",
  body: checkBody,
  answer: checkSchema,
  refusals: ["target-unknown"],
  async handle({ view, principal, body }) {
    const targets = checkedTargets(body.targets, principal);
    const { repository, head } = body;
    return json(await view.check({ repository, head, targets, by: principal.person ?? "local" }));
  },
});

/** An access for some targets asks for some of these, so it has to name them. */
function checkedTargets(targets: readonly string[], principal: Call["principal"]): readonly string[] {
  for (const target of targets) permitTarget(principal, target);
  if (targets.length === 0 && principal.targets !== null) {
    throw new SluiceError("not-permitted", "This access is for some targets only, and the request names none.", {
      fix: `name them: ${principal.targets.join(", ")}`,
    });
  }
  return [...new Set(targets)].sort();
}

const holdBody = z.strictObject({
  scope: z
    .string()
    .regex(/^(?:repository:)?[a-z0-9][a-z0-9-]{0,62}$/)
    .describe("A target, repository:NAME, or all."),
  reason: z.string().max(1000).regex(/\S/).describe("Why; recorded and shown to everybody."),
});

export const postHold = defineRoute({
  id: "hold",
  method: "POST",
  path: "/v1/holds",
  summary: "Stop releases in a scope; heads say so before this answers.",
  roles: OPERATORS,
  pace: "act",
  body: holdBody,
  answer: holdingSchema,
  refusals: ["target-unknown", "person-needed"],
  handle: (call) => changeHold("held", call),
});

export const postResume = defineRoute({
  id: "resume",
  method: "POST",
  path: "/v1/resumes",
  summary: "End a hold.",
  roles: OPERATORS,
  pace: "act",
  body: holdBody,
  answer: holdingSchema,
  refusals: ["target-unknown", "person-needed", "nothing-held"],
  handle: (call) => changeHold("resumed", call),
});

async function changeHold(
  state: "held" | "resumed",
  { view, principal, body }: Call<unknown, z.output<typeof holdBody>>,
): Promise<Answer> {
  const { scope, reason } = body;
  if (principal.targets !== null) permitTarget(principal, scope);
  const request: HoldRequest = { scope, reason, by: namedPerson(principal) };
  return holdingAnswer(state, request, await (state === "held" ? view.hold(request) : view.resume(request)));
}

function holdingAnswer(state: "held" | "resumed", request: HoldRequest, { index, targets }: Holding): Answer {
  return json({ apiVersion: "sluice/v1", kind: "Hold", state, ...request, index, targets });
}

const emergencyBody = z
  .strictObject({
    reason: z.string().max(1000).regex(/\S/).describe("Why; recorded and shown to everybody."),
    ticket: z.string().max(200).regex(/\S/).describe("What it is known by elsewhere, INC-77."),
    alone: z
      .boolean()
      .default(false)
      .describe("Nobody else is there: gate.yaml must allow it, and another person reviews it."),
  })
  .describe("The caller's word as one of two operators, who stand in for approvals and findings of the branch's tip.");

export const postRelease = defineRoute({
  id: "release",
  method: "POST",
  path: "/v1/releases",
  summary: "Judge what landed on a target's branch since the last decision, and release what is allowed.",
  roles: OPERATORS,
  pace: "act",
  body: z.strictObject({ target: targetName, emergency: emergencyBody.optional() }),
  answer: landingsSchema,
  refusals: [
    ...(["target-unknown", "person-needed", "second-operator-needed", "second-operator-same"] as const),
    ...(["emergency-refused", "emergency-not-alone", "review-open"] as const),
  ],
  async handle({ view, principal, body: { target, emergency } }) {
    permitTarget(principal, target);
    const by = namedPerson(principal);
    return json(await view.release({ target, by, ...(emergency === undefined ? {} : { emergency }) }));
  },
});

export const postReview = defineRoute({
  id: "review",
  method: "POST",
  path: "/v1/reviews",
  summary: "Say, as another person, what it was worth that one operator alone released in an emergency.",
  roles: REVIEWERS,
  pace: "act",
  body: z.strictObject({
    entry: entryId.describe("Index or ULID of the decision, or of the operator's word."),
    outcome: z.enum(OUTCOMES).describe("contested: it should not have been released; nothing is undone."),
    reason: z.string().max(1000).regex(/\S/).describe("Why; recorded and shown to everybody."),
  }),
  answer: reviewedSchema,
  refusals: ["person-needed", "review-not-owed", "review-own", "review-done"],
  async handle({ view, principal, body: { entry, outcome, reason } }) {
    const by = namedPerson(principal);
    const { index } = await permittedEntry({ view, principal, parameters: { id: entry } });
    const reviewed = await view.review({ entry: index, outcome, reason, by });
    return json({ apiVersion: "sluice/v1", kind: "Review", ...reviewed });
  },
});
