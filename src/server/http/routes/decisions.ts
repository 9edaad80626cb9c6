/** What the log holds: entries, one entry, its proof. */
import * as z from "zod";
import { entryReport, entrySummary } from "../../../gate/json/entry.ts";
import { entriesSchema, entryReportSchema, proofSchema } from "../../../gate/json/schemas/log.ts";
import { verdict } from "../../../gate/json/schemas/parts.ts";
import { ENTRY_KINDS, type EntryQuery, type LoggedEntry, type TermKind } from "../../../log/entry.ts";
import { mayTouch } from "../../access/principal.ts";
import type { EntryName } from "../../view.ts";
import { defineRoute, found, json, permitTarget, READERS, text } from "../define.ts";
import { after, entryId, instant, limit, repositoryName, targetName } from "../fields.ts";
import type { Call } from "../route.ts";

const term = (description: string) => z.string().min(1).max(500).describe(description).optional();
const TERMS = {
  resource: term("Kind/namespace/name that a decision changed."),
  person: term("Signer, approver or operator."),
  rule: term("A rule that spoke."),
  release: term("Sequence of a release."),
  waiver: term("A waiver that was used."),
  key: term("Fingerprint of a key that signed."),
} as const satisfies Partial<Record<TermKind, z.ZodType>>;
const WHOLE_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const TERM_KINDS = Object.keys(TERMS) as (keyof typeof TERMS)[];

const LINES = "application/x-ndjson";

const querySchema = z.strictObject({
  target: targetName.optional(),
  repository: repositoryName.optional().describe("Only targets of this repository of gate.yaml."),
  kind: z.array(z.enum(ENTRY_KINDS)).max(ENTRY_KINDS.length).default(["decision"]).describe("May be repeated."),
  verdict: verdict.optional(),
  from: instant.optional(),
  to: instant.optional(),
  ...TERMS,
  commit: z
    .string()
    .regex(/^[0-9a-f]{4,64}$/)
    .describe("Commit id, or its first digits, four at least.")
    .optional(),
  text: z.string().min(1).max(500).describe("Words that all stand in texts beside the entry.").optional(),
  sort: z.enum(["newest", "oldest"]).default("newest").describe("Which come first; `after` goes on in this order."),
  after: after.optional(),
  limit,
  only: z.enum(["count"]).optional().describe("No entries, only how many there are."),
  format: z
    .enum(["json", "ndjson"])
    .default("json")
    .describe("ndjson: an entry a line; go on with the index of the last line until fewer than `limit` lines come."),
});

export const listDecisions = defineRoute({
  id: "decisions",
  method: "GET",
  path: "/v1/decisions",
  summary: "Decisions and other entries of the log.",
  roles: READERS,
  query: querySchema,
  answer: entriesSchema,
  otherType: LINES,
  async handle({ view, principal, query }) {
    if (query.target !== undefined) permitTarget(principal, query.target);
    const targets = await targetsOf(query.repository, view, principal);
    const { entries, count } = await view.entries(entryQuery(query), targets);
    if (query.format === "ndjson")
      return text(entries.map((entry) => `${JSON.stringify(entrySummary(entry))}\n`).join(""), LINES);
    const next = entries.length === query.limit ? (entries.at(-1)?.index ?? null) : null;
    return json({
      apiVersion: "sluice/v1",
      kind: "Entries",
      count,
      entries: entries.map(entrySummary),
      next,
      sample: null,
    });
  },
});

export const showDecision = defineRoute({
  id: "decision",
  method: "GET",
  path: "/v1/decisions/{id}",
  summary: "One entry with everything that it discloses and that was not erased.",
  roles: READERS,
  parameters: { id: entryId },
  answer: entryReportSchema,
  handle: async (call) => json(entryReport(await permittedEntry(call))),
});

export const proveDecision = defineRoute({
  id: "decision-proof",
  method: "GET",
  path: "/v1/decisions/{id}/proof",
  summary: "What proves to whoever knows the log's key that the entry is in it: C2SP tlog-proof.",
  roles: READERS,
  parameters: { id: entryId },
  answer: proofSchema,
  async handle(call) {
    const { index, leafHash } = await permittedEntry(call);
    return json({ apiVersion: "sluice/v1", kind: "Proof", index, leafHash, proof: await call.view.proof(index) });
  },
});

/** Of those that the caller may see; null for all. */
async function targetsOf(
  repository: string | undefined,
  view: Call["view"],
  { targets }: Call["principal"],
): Promise<readonly string[] | null> {
  if (repository === undefined) return targets;
  const own = (await view.targets()).filter((one) => one.repository === repository).map(({ target }) => target);
  return targets === null ? own : own.filter((target) => targets.includes(target));
}

function entryQuery({
  target,
  kind,
  verdict,
  from,
  to,
  after,
  limit,
  commit,
  text: words,
  sort,
  only,
  format: _,
  repository: __,
  ...terms
}: z.output<typeof querySchema>): EntryQuery {
  const named = TERM_KINDS.flatMap((name) => (terms[name] === undefined ? [] : [{ kind: name, value: terms[name] }]));
  const isWhole = commit !== undefined && WHOLE_COMMIT.test(commit);
  const commits = isWhole ? [{ kind: "commit" as const, value: commit }] : [];
  return {
    ...(target === undefined ? {} : { target }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(after === undefined ? {} : { after }),
    kinds: [...new Set(kind)],
    ...(words === undefined ? {} : { text: words }),
    ...(commit === undefined || isWhole ? {} : { commitPrefix: commit }),
    terms: [...named, ...commits],
    order: sort,
    limit: only === "count" ? 0 : limit,
  };
}

/** Entries of the whole gate are for those whose access names no targets. */
export async function permittedEntry({
  view,
  principal,
  parameters,
}: Pick<Call, "view" | "principal" | "parameters">): Promise<LoggedEntry> {
  const { id = "" } = parameters;
  const name: EntryName = /^[0-9]{1,15}$/.test(id) ? { index: Number(id) } : { id };
  const entry = await view.entry(name);
  const target = entry?.leaf.target ?? null;
  const isHidden = target === null ? principal.targets !== null : !mayTouch(principal, target);
  return found(isHidden ? null : entry, "entry of this name");
}
