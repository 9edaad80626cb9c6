/**
 * What others send unasked. Alertmanager's webhook (its payload, version 4): an alert that fires sets a hold; that it ends
 * never ends one. A generic one that is signed: look at a repository; it is believed nothing else.
 */
import * as z from "zod";
import { printableUpTo } from "../../../lib/printable.ts";
import { FORGE_HEADERS, type HintForge } from "../../access/hints.ts";
import { defineRoute, EVERYBODY, json, namedPerson, permitTarget } from "../define.ts";
import { apiVersion, count, name, repositoryName } from "../fields.ts";
import { RAW_BODY } from "../route.ts";

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

export const genericHook = defineRoute({
  id: "hint",
  method: "POST",
  path: "/hooks/generic/{repository}",
  summary: "A hint that is signed (Standard Webhooks): look at the repository now. What the body says is not read.",
  roles: EVERYBODY,
  pace: "act",
  isLogged: false,
  body: RAW_BODY,
  headers: {
    "webhook-id": "Names this hint; one is taken once.",
    "webhook-timestamp": "Seconds since 1970; five minutes from now at most.",
    "webhook-signature": "v1,<base64 of HMAC-SHA-256 over id.timestamp.body>, or several with spaces between.",
  },
  parameters: { repository: repositoryName },
  answer: z.strictObject({ apiVersion, kind: z.literal("Hint"), repository: name }),
  refusals: ["hint-unsigned", "hint-signature", "hint-expired", "hint-replayed"],
  async handle({ view, parameters: { repository = "" }, headers, body }) {
    const {
      "webhook-id": id = null,
      "webhook-timestamp": timestamp = null,
      "webhook-signature": signature = null,
    } = headers;
    await view.hint({ repository, id, timestamp, signature, body });
    return json({ apiVersion: "sluice/v1", kind: "Hint", repository });
  },
});

const FORGE_NAMES: Readonly<Record<HintForge, string>> = {
  github: "GitHub",
  gitlab: "GitLab",
  gitea: "Gitea and Forgejo",
};

/** Its path names the repository, so that nothing of what the forge says has to be read. */
function forgeHook(forge: HintForge) {
  const header = FORGE_HEADERS[forge];
  const says = forge === "gitlab" ? "The secret token." : "HMAC-SHA-256 of the body, in hex.";
  return defineRoute({
    id: `${forge}-hint`,
    method: "POST",
    path: `/hooks/${forge}/{repository}`,
    summary: `A webhook of ${FORGE_NAMES[forge]} as a hint: look at the repository now. What the body says is not read.`,
    roles: EVERYBODY,
    pace: "act",
    isLogged: false,
    body: RAW_BODY,
    headers: { [header]: says },
    parameters: { repository: repositoryName },
    answer: z.strictObject({ apiVersion, kind: z.literal("Hint"), repository: name }),
    refusals: ["hint-unsigned", "hint-signature"],
    async handle({ view, parameters: { repository = "" }, headers, body }) {
      await view.hint({ forge, repository, signature: headers[header] ?? null, body });
      return json({ apiVersion: "sluice/v1", kind: "Hint", repository });
    },
  });
}

export const githubHook = forgeHook("github");
export const gitlabHook = forgeHook("gitlab");
export const giteaHook = forgeHook("gitea");
