/** Pages of what judges and of what the log holds; and the auditor's table of changes. */
import * as z from "zod";
import { SluiceError } from "../../../lib/errors.ts";
import { formatTime } from "../../../lib/time.ts";
import { VERSION } from "../../../lib/version.ts";
import { Changes } from "../../../log/audit/changes.ts";
import type { EntryKind, EntryQuery, LoggedEntry, Verdict } from "../../../log/entry.ts";
import { mayTouch } from "../../access/principal.ts";
import { defineRoute, found, permitTarget, READERS, text } from "../define.ts";
import { instant, targetName } from "../fields.ts";
import { type EvidenceFilter, evidencePage, queryText } from "../pages/evidence.ts";
import { rulesPage } from "../pages/rules.ts";
import type { Call } from "../route.ts";
import { HTML, nothing, shown } from "./pages.ts";

const CSV = "text/csv; charset=utf-8";
const MAXIMUM_ROWS = 20_000;
const PAGE = 1000;

const optionalTarget = z.union([nothing, targetName]).optional();
const optionalInstant = z.union([nothing, instant]).optional();

export const rulesView = defineRoute({
  id: "page-rules",
  method: "GET",
  path: "/rules",
  summary: "A page: rules, waivers and people that judge a target, now or as they were.",
  roles: READERS,
  query: z.strictObject({ target: optionalTarget, "as-of": optionalInstant }),
  answer: { type: HTML },
  refusals: ["target-not-adopted"],
  async handle({ view, principal, query: { target: asked, "as-of": asOf = null } }) {
    if (asked !== undefined) permitTarget(principal, asked);
    const targets = (await view.targets()).map(({ target }) => target).filter((one) => mayTouch(principal, one));
    const target = found(asked ?? targets[0] ?? null, "target that this access is for");
    const state = await view.rules(target, asOf);
    const day = asOf === null ? null : formatTime(asOf).slice(0, 10);
    return shown("Rules", "/rules", principal, rulesPage(state, { targets, target, asOf: day }));
  },
});

const periodSchema = z.strictObject({ target: optionalTarget, from: optionalInstant, to: optionalInstant });
type Period = z.output<typeof periodSchema>;

interface Counted {
  readonly what: string;
  readonly controls: string;
  readonly kind: EntryKind;
  readonly subject?: "landed" | "proposed" | "admission";
  readonly verdict?: Verdict;
}

/** What auditors ask about, by the controls that usually ask for it. */
const COUNTED: readonly Counted[] = [
  {
    what: "changes that landed and were approved",
    kind: "decision",
    subject: "landed",
    verdict: "allow",
    controls: "CC8.1",
  },
  {
    what: "changes that landed and were denied",
    kind: "decision",
    subject: "landed",
    verdict: "deny",
    controls: "CC8.1",
  },
  { what: "proposals that were judged", kind: "decision", subject: "proposed", controls: "CC8.1" },
  { what: "requests of clusters that were judged", kind: "decision", subject: "admission", controls: "CC8.1" },
  { what: "releases", kind: "release", controls: "CC8.1" },
  { what: "releases that an agent applied", kind: "applied", controls: "CC7.2" },
  { what: "rollbacks", kind: "rollback", controls: "CC7.5" },
  { what: "emergencies", kind: "emergency", controls: "A.8.32" },
  { what: "reviews of what one operator alone released", kind: "review", controls: "A.8.32" },
  { what: "judges that operators repaired", kind: "bypass", controls: "A.8.32" },
  { what: "holds", kind: "hold", controls: "CC7.4" },
  { what: "holds that ended", kind: "resume", controls: "CC7.4" },
  { what: "approvals that were handed in", kind: "approval", controls: "CC6.1" },
  { what: "reads by auditors and exports", kind: "read", controls: "CC6.1" },
  { what: "redactions", kind: "redaction", controls: "CC6.5" },
];

export const evidenceView = defineRoute({
  id: "page-evidence",
  method: "GET",
  path: "/evidence",
  summary: "A page: what the log holds of a period, counted, and what an auditor takes away.",
  roles: READERS,
  query: periodSchema,
  answer: { type: HTML },
  async handle({ view, principal, query, now }) {
    if (query.target !== undefined) permitTarget(principal, query.target);
    const period = periodOf(query);
    const filter = filterOf(query);
    const one = async (order: "oldest" | "newest") =>
      (await view.entries({ ...period, order, limit: 1 }, principal.targets)).entries[0] ?? null;
    const [first, last] = [await one("oldest"), await one("newest")];
    const { count } = await view.entries({ ...period, limit: 0 }, principal.targets);
    const rows = await Promise.all(
      COUNTED.map(async ({ what, controls, ...counted }) => {
        const asked = await view.entries({ ...period, ...queryOf(counted), limit: 0 }, principal.targets);
        return { what, controls, count: asked.count, link: linkOf(counted, filter) };
      }),
    );
    const counts = {
      filter,
      asked: { by: principal.person ?? "nobody", at: formatTime(now), version: VERSION },
      range: first === null || last === null ? null : rangeOf(first, last),
      entries: count,
      rows,
    };
    return shown("Evidence", "/evidence", principal, evidencePage(counts));
  },
});

export const changesTable = defineRoute({
  id: "evidence-changes",
  method: "GET",
  path: "/evidence/changes.csv",
  summary:
    "A row for each landed change of a period, in the auditor's columns; what a spreadsheet takes for a formula is quoted.",
  roles: READERS,
  query: periodSchema,
  answer: { type: CSV },
  refusals: ["usage"],
  async handle({ view, principal, query }) {
    if (query.target !== undefined) permitTarget(principal, query.target);
    const changes = new Changes();
    for await (const entry of oldestFirst(view, periodOf(query), principal.targets)) changes.add(entry);
    return text(changes.text(), CSV);
  },
});

async function* oldestFirst(
  view: Call["view"],
  period: EntryQuery,
  targets: readonly string[] | null,
): AsyncGenerator<LoggedEntry> {
  const kinds = ["decision", "release", "applied", "review"] as const;
  let after: number | undefined;
  for (let rows = 0; ; rows += PAGE) {
    if (rows >= MAXIMUM_ROWS) {
      throw new SluiceError("request-invalid", `The period has more than ${MAXIMUM_ROWS} entries.`, {
        fix: "ask for a shorter one, or sluice log export",
      });
    }
    const query = {
      ...period,
      kinds,
      order: "oldest",
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    } as const;
    const { entries } = await view.entries(query, targets);
    yield* entries;
    after = entries.at(-1)?.index;
    if (after === undefined || entries.length < PAGE) return;
  }
}

function periodOf({ target, from, to }: Period): EntryQuery {
  return {
    ...(target === undefined ? {} : { target }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function filterOf({ target, from, to }: Period): EvidenceFilter {
  const day = (at: number | undefined): string | null => (at === undefined ? null : formatTime(at).slice(0, 10));
  return { target: target ?? null, from: day(from), to: day(to) };
}

function queryOf({ kind, subject, verdict }: Omit<Counted, "what" | "controls">): EntryQuery {
  return {
    kinds: [kind],
    ...(subject === undefined ? {} : { terms: [{ kind: "subject", value: subject }] }),
    ...(verdict === undefined ? {} : { verdict }),
  };
}

/** Decisions have a page; of the others there is the list of entries. */
function linkOf({ kind, subject, verdict }: Omit<Counted, "what" | "controls">, filter: EvidenceFilter): string {
  const period = queryText(filter);
  const also = `${verdict === undefined ? "" : `&verdict=${verdict}`}${subject === undefined ? "" : `&about=${subject}`}`;
  return kind === "decision" ? `/changes?${period}${also}` : `/v1/decisions?kind=${kind}&${period}`;
}

function rangeOf(first: LoggedEntry, last: LoggedEntry) {
  return { first: first.index, last: last.index, from: first.leaf.time, to: last.leaf.time };
}
