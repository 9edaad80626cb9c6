/** Alertmanager's webhook (its payload, version 4): an alert that fires sets a hold. That it ends never ends one. */
import * as z from "zod";
import { printableUpTo } from "../../../lib/printable.ts";
import { defineRoute, json, namedPerson, permitTarget } from "../define.ts";
import { apiVersion, count, name } from "../fields.ts";

const labels = z.record(z.string().max(200), z.string().max(10_000));
/** Alertmanager adds keys from version to version; only these are looked at. */
const alertBody = z.looseObject({
  version: z.literal("4"),
  status: z.enum(["firing", "resolved"]),
  commonLabels: labels.describe("`sluice_scope` says what is held: a target, repository:NAME, or all."),
  commonAnnotations: labels.default({}).describe("`summary` becomes part of the reason."),
});
const scopeLabel = z.string().regex(/^(?:repository:)?[a-z0-9][a-z0-9-]{0,62}$/);
const REASON_CHARACTERS = 300;

export const alertmanagerHook = defineRoute({
  id: "alertmanager",
  method: "POST",
  path: "/hooks/alertmanager",
  summary: "An alert that fires sets a hold on the scope in its label sluice_scope; nothing that it sends ends one.",
  roles: ["caller", "operator", "admin"],
  pace: "act",
  body: alertBody,
  answer: z.strictObject({
    apiVersion,
    kind: z.literal("Alert"),
    state: z.enum(["held", "unchanged"]).describe("unchanged: it ended, names no scope, or the scope is held already."),
    scope: name.nullable(),
    index: count.nullable().describe("Of the entry that it made; null where nothing changed."),
  }),
  refusals: ["target-unknown"],
  async handle({ view, principal, body: { status, commonLabels, commonAnnotations } }) {
    const scope = scopeLabel.safeParse(commonLabels["sluice_scope"]).data ?? null;
    const unchanged = json({ apiVersion: "sluice/v1", kind: "Alert", state: "unchanged", scope, index: null });
    if (scope === null || status !== "firing") return unchanged;
    if (principal.targets !== null) permitTarget(principal, scope);
    const holder = namedPerson(principal);
    if ((await view.holds()).some((hold) => hold.scope === scope)) return unchanged;
    const alert = commonLabels["alertname"] ?? "unnamed";
    const reason = printableUpTo(`alert ${alert}: ${commonAnnotations["summary"] ?? "no summary"}`, REASON_CHARACTERS);
    const { index } = await view.hold({ scope, reason, by: holder });
    return json({ apiVersion: "sluice/v1", kind: "Alert", state: "held", scope, index });
  },
});
