/** What the log holds: entries, one entry, its proof. */
import * as z from "zod";
import { entryReport, entrySummary } from "../../../gate/json/entry.ts";
import { entriesSchema, entryReportSchema, proofSchema } from "../../../gate/json/schemas/log.ts";
import { verdict } from "../../../gate/json/schemas/parts.ts";
import { ENTRY_KINDS, type EntryQuery, type LoggedEntry, type TermKind } from "../../../log/entry.ts";
import { mayTouch } from "../../access/principal.ts";
import type { EntryName } from "../../view.ts";
import { defineRoute, found, json, permitTarget, READERS } from "../define.ts";
import { after, entryId, instant, limit, targetName } from "../fields.ts";
import type { Call } from "../route.ts";

const term = (description: string) => z.string().min(1).max(500).describe(description).optional();
const TERMS = {
  resource: term("Kind/namespace/name that a decision changed."),
  person: term("Signer, approver or operator."),
  rule: term("A rule that spoke."),
  commit: term("Whole commit id."),
  release: term("Sequence of a release."),
  waiver: term("A waiver that was used."),
  key: term("Fingerprint of a key that signed."),
} as const satisfies Partial<Record<TermKind, z.ZodType>>;
const TERM_KINDS = Object.keys(TERMS) as (keyof typeof TERMS)[];

const querySchema = z.strictObject({
  target: targetName.optional(),
  kind: z.array(z.enum(ENTRY_KINDS)).max(ENTRY_KINDS.length).default(["decision"]).describe("May be repeated."),
  verdict: verdict.optional(),
  from: instant.optional(),
  to: instant.optional(),
  ...TERMS,
  after: after.optional(),
  limit,
});

export const listDecisions = defineRoute({
  id: "decisions",
  method: "GET",
  path: "/v1/decisions",
  summary: "Decisions and other entries of the log, newest first.",
  roles: READERS,
  query: querySchema,
  answer: entriesSchema,
  async handle({ view, principal, query }) {
    if (query.target !== undefined) permitTarget(principal, query.target);
    const { entries, count } = await view.entries(entryQuery(query), principal.targets);
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

function entryQuery({
  target,
  kind,
  verdict,
  from,
  to,
  after,
  limit,
  ...terms
}: z.output<typeof querySchema>): EntryQuery {
  return {
    ...(target === undefined ? {} : { target }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(after === undefined ? {} : { after }),
    kinds: [...new Set(kind)],
    terms: TERM_KINDS.flatMap((name) => (terms[name] === undefined ? [] : [{ kind: name, value: terms[name] }])),
    order: "newest",
    limit,
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
