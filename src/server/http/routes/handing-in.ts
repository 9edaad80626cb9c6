/** What others made elsewhere and hand in: approvals and reports, signed by whoever they are of; a rollback; a question. */
import * as z from "zod";
import { landingsSchema } from "../../../gate/json/schemas/check.ts";
import { commit, ulid } from "../../../gate/json/schemas/parts.ts";
import { ENTRYPOINT } from "../../../policy/entrypoints.ts";
import { OPERATORS } from "../../access/principal.ts";
import { defineRoute, json, namedPerson, permitTarget } from "../define.ts";
import { apiVersion, index, name, targetName } from "../fields.ts";
import { RAW_BODY } from "../route.ts";

const MACHINES_AND_OPERATORS = ["caller", ...OPERATORS] as const;
const MAXIMUM_INPUT_BYTES = 1024 * 1024;

export const postApproval = defineRoute({
  id: "approval",
  method: "POST",
  path: "/v1/approvals",
  summary:
    "Hand in an approval that `sluice approve` signed, instead of pushing it; what waits for it is judged again.",
  roles: ["approver", ...OPERATORS],
  pace: "act",
  body: RAW_BODY,
  answer: z.strictObject({
    apiVersion,
    kind: z.literal("GivenApproval"),
    target: name,
    approver: name.describe("Whose signature it is; not who handed it in."),
    tree: commit,
    head: commit,
    index: index.describe("Of its entry; of the first, where it was handed in before."),
  }),
  refusals: ["approval-malformed", "approval-expired", "approval-signature", "target-unknown"],
  async handle({ view, principal, body }) {
    permitTarget(principal, await view.approvalTarget(body));
    return json({ apiVersion: "sluice/v1", kind: "GivenApproval", ...(await view.approve(body)) });
  },
});

export const postReport = defineRoute({
  id: "report",
  method: "POST",
  path: "/v1/reports",
  summary: "Hand in what an agent signed about what it applied; the key is one that gate.yaml lists for the target.",
  roles: MACHINES_AND_OPERATORS,
  pace: "act",
  query: z.strictObject({ target: targetName }),
  body: RAW_BODY,
  answer: z.strictObject({
    apiVersion,
    kind: z.literal("GivenReport"),
    target: name,
    index: index.nullable().describe("Of its entry; null where it was recorded before."),
  }),
  refusals: ["report-malformed", "report-unknown-agent", "report-mismatch", "report-stale", "target-unknown"],
  async handle({ view, principal, query: { target }, body }) {
    permitTarget(principal, target);
    return json({ apiVersion: "sluice/v1", kind: "GivenReport", target, ...(await view.report(target, body)) });
  },
});

export const postRollback = defineRoute({
  id: "rollback",
  method: "POST",
  path: "/v1/rollbacks",
  summary: "Release the objects of an earlier release again, judged by the policies of today.",
  roles: OPERATORS,
  pace: "act",
  body: z.strictObject({
    target: targetName,
    to: z.int().min(1).describe("Sequence of the release whose objects come back."),
    reason: z.string().max(1000).regex(/\S/).describe("Why; recorded and shown to everybody."),
  }),
  answer: landingsSchema,
  refusals: ["target-unknown", "person-needed", "release-unknown"],
  async handle({ view, principal, body: { target, to, reason } }) {
    permitTarget(principal, target);
    return json(await view.rollback({ target, to, reason, by: namedPerson(principal) }));
  },
});

export const postData = defineRoute({
  id: "data",
  method: "POST",
  path: "/v1/data/{entrypoint+}",
  summary: "OPA's data API: the value of a rule that gate.yaml names, for an input; logged, with digests only.",
  roles: ["local", "approver", ...OPERATORS, "caller"],
  body: z.strictObject({ input: z.json().describe("What the rule sees as `input`; any JSON.") }),
  bodyBytes: MAXIMUM_INPUT_BYTES,
  parameters: { entrypoint: z.string().max(500).regex(ENTRYPOINT).describe("package/rule, as gate.yaml writes it.") },
  answer: z.strictObject({ result: z.json(), decision_id: ulid.describe("Of its entry in the log.") }),
  refusals: ["entrypoint-undefined"],
  async handle({ view, principal, parameters: { entrypoint = "" }, body: { input } }) {
    const by = principal.person ?? "local";
    const { result, id } = await view.data({ entrypoint, input, by, targets: principal.targets });
    return json({ result, decision_id: id });
  },
});
