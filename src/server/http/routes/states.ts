/** How things stand: targets, releases, holds, waivers. */
import * as z from "zod";
import { commit, reviewSchema, sha256 } from "../../../gate/json/schemas/parts.ts";
import { mayTouch } from "../../access/principal.ts";
import { defineRoute, json, permitTarget, READERS } from "../define.ts";
import { after, apiVersion, count, holdSchema, index, limit, name, targetName, time } from "../fields.ts";

const targetSchema = z.strictObject({
  target: name,
  repository: name,
  branch: name,
  mode: z.enum(["observe", "warn", "enforce"]).nullable().describe("null before it is adopted."),
  adopted: z.boolean(),
  released: z
    .strictObject({ sequence: z.int().min(1), commit, time })
    .nullable()
    .describe("null before the first release."),
  head: z.strictObject({ issuedAt: time, notAfter: time }).nullable().describe("The newest that was signed."),
  hold: holdSchema.nullable().describe("The oldest that stands over it."),
  review: reviewSchema.nullable().describe("The oldest that another person still owes."),
  waiting: count.describe("Proposals and landings that are not decided yet."),
});

export const listTargets = defineRoute({
  id: "targets",
  method: "GET",
  path: "/v1/targets",
  summary: "Every target and how it stands.",
  roles: READERS,
  answer: z.strictObject({
    apiVersion,
    kind: z.literal("Targets"),
    targets: z.array(targetSchema).describe("Sorted by name."),
  }),
  async handle({ view, principal }) {
    const targets = (await view.targets()).filter(({ target }) => mayTouch(principal, target));
    return json({ apiVersion: "sluice/v1", kind: "Targets", targets });
  },
});

const releaseSchema = z.strictObject({
  target: name,
  sequence: z.int().min(1),
  commit,
  tree: commit,
  rollbackOf: z.int().min(1).nullable(),
  objects: count,
  manifestDigest: sha256,
  index,
  time,
});

export const listReleases = defineRoute({
  id: "releases",
  method: "GET",
  path: "/v1/releases",
  summary: "Releases, newest first.",
  roles: READERS,
  query: z.strictObject({ target: targetName.optional(), after: after.optional(), limit }),
  answer: z.strictObject({
    apiVersion,
    kind: z.literal("Releases"),
    releases: z.array(releaseSchema),
    next: index.nullable().describe("For `after`; null at the end."),
  }),
  async handle({ view, principal, query: { target, after: below = null, limit: most } }) {
    if (target !== undefined) permitTarget(principal, target);
    const targets = target === undefined ? principal.targets : [target];
    const releases = await view.releases({ targets, after: below, limit: most });
    const next = releases.length === most ? (releases.at(-1)?.index ?? null) : null;
    return json({ apiVersion: "sluice/v1", kind: "Releases", releases, next });
  },
});

export const listHolds = defineRoute({
  id: "holds",
  method: "GET",
  path: "/v1/holds",
  summary: "Holds in force, oldest first.",
  roles: READERS,
  answer: z.strictObject({ apiVersion, kind: z.literal("Holds"), holds: z.array(holdSchema) }),
  async handle({ view, principal }) {
    const isWide = (scope: string): boolean => scope === "all" || scope.startsWith("repository:");
    const holds = (await view.holds()).filter(({ scope }) => isWide(scope) || mayTouch(principal, scope));
    return json({ apiVersion: "sluice/v1", kind: "Holds", holds });
  },
});

const waiverSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  target: name,
  rule: name,
  resource: name,
  reason: name,
  ticket: z.string().nullable(),
  owner: name,
  until: z.iso.date().describe("First day on which it no longer counts."),
});

export const listWaivers = defineRoute({
  id: "waivers",
  method: "GET",
  path: "/v1/waivers",
  summary: "Waivers as they stand in each target's judge, those that ended too.",
  roles: READERS,
  query: z.strictObject({ target: targetName.optional() }),
  answer: z.strictObject({ apiVersion, kind: z.literal("Waivers"), waivers: z.array(waiverSchema) }),
  async handle({ view, principal, query: { target } }) {
    if (target !== undefined) permitTarget(principal, target);
    const known = (await view.targets()).map((one) => one.target).filter((one) => mayTouch(principal, one));
    const targets = known.filter((one) => target === undefined || one === target);
    return json({ apiVersion: "sluice/v1", kind: "Waivers", waivers: await view.waivers(targets) });
  },
});
