/** Pages for people, made here and whole without a script. They show what the routes of /v1 answer. */
import * as z from "zod";
import { owesReview, type ReviewState } from "../../../gate/review.ts";
import type { LoggedEntry } from "../../../log/entry.ts";
import { mayTouch } from "../../access/principal.ts";
import { defineRoute, permitTarget, READERS, text } from "../define.ts";
import { after, entryId, instant, targetName } from "../fields.ts";
import { changePage, changesPage, type Filter, SUBJECTS } from "../pages/changes.ts";
import { type Html, htmlText } from "../pages/html.ts";
import { type Place, page, STYLE_SHEET } from "../pages/layout.ts";
import { targetsPage } from "../pages/targets.ts";
import type { Answer, Call } from "../route.ts";
import { permittedEntry } from "./decisions.ts";

export const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const PAGE_ROWS = 50;

export const targetsView = defineRoute({
  id: "page-targets",
  method: "GET",
  path: "/",
  summary: "A page: targets and how they stand.",
  roles: READERS,
  answer: { type: HTML },
  async handle({ view, principal }) {
    const targets = (await view.targets()).filter(({ target }) => mayTouch(principal, target));
    return shown("Targets", "/", principal, targetsPage(targets));
  },
});

/** A form sends every field, those that nobody filled in too. */
export const nothing = z.literal("").transform(() => undefined);
const word = z.string().max(500);
const querySchema = z.strictObject({
  target: z.union([nothing, targetName]).optional(),
  verdict: z.union([nothing, z.enum(["allow", "deny", "wait", "error"])]).optional(),
  about: z.union([nothing, z.enum(SUBJECTS)]).optional(),
  person: word.optional(),
  rule: word.optional(),
  from: z.union([nothing, instant]).optional(),
  to: z.union([nothing, instant]).optional(),
  after: after.optional(),
});

export const changesView = defineRoute({
  id: "page-changes",
  method: "GET",
  path: "/changes",
  summary: "A page: decisions, newest first, with a form to find some.",
  roles: READERS,
  query: querySchema,
  answer: { type: HTML },
  async handle({ view, principal, query, now }) {
    const { target, verdict, from, to, after: below } = query;
    if (target !== undefined) permitTarget(principal, target);
    const terms = (["person", "rule"] as const).flatMap((kind) => {
      const value = query[kind] ?? "";
      return value === "" ? [] : [{ kind, value }];
    });
    const { entries, count } = await view.entries(
      {
        kinds: ["decision"],
        terms: query.about === undefined ? terms : [...terms, { kind: "subject", value: query.about }],
        order: "newest",
        limit: PAGE_ROWS,
        ...(target === undefined ? {} : { target }),
        ...(verdict === undefined ? {} : { verdict }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(below === undefined ? {} : { after: below }),
      },
      principal.targets,
    );
    const next = entries.length === PAGE_ROWS ? (entries.at(-1)?.index ?? null) : null;
    const reviews = await reviewsOf(entries, view, now);
    return shown("Changes", "/changes", principal, changesPage(entries, reviews, count, next, filterOf(query)));
  },
});

/** Few entries owe one: only those are asked about. */
async function reviewsOf(
  entries: readonly LoggedEntry[],
  view: Call["view"],
  now: Call["now"],
): Promise<ReadonlyMap<number, ReviewState>> {
  const owing = entries.filter(({ leaf }) => owesReview(leaf));
  const states = await Promise.all(owing.map((entry) => view.reviewState(entry, now)));
  return new Map(states.flatMap((state) => (state === null ? [] : [[state.entry, state]])));
}

function filterOf({ target, verdict, about, person, rule, from, to }: z.output<typeof querySchema>): Filter {
  const day = (at: number | undefined): string | null =>
    at === undefined ? null : new Date(at).toISOString().slice(0, 10);
  const said = (value: string | undefined): string | null => (value === undefined || value === "" ? null : value);
  return {
    target: said(target),
    verdict: said(verdict),
    about: said(about),
    person: said(person),
    rule: said(rule),
    from: day(from),
    to: day(to),
  };
}

export const changeView = defineRoute({
  id: "page-change",
  method: "GET",
  path: "/changes/{id}",
  summary: "A page: one decision with what it rests on.",
  roles: READERS,
  parameters: { id: entryId },
  answer: { type: HTML },
  async handle(call) {
    const entry = await permittedEntry(call);
    const review = (await reviewsOf([entry], call.view, call.now)).get(entry.index) ?? null;
    return shown(`Change ${entry.index}`, "/changes", call.principal, changePage(entry, review));
  },
});

export const styleSheet = defineRoute({
  id: "style",
  method: "GET",
  path: "/style.css",
  summary: "The style sheet of the pages.",
  roles: READERS,
  isLogged: false,
  answer: { type: CSS },
  handle: async () => ({ ...text(STYLE_SHEET, CSS), caching: "briefly" }),
});

export function shown(title: string, place: Place, principal: Call["principal"], content: Html): Answer {
  return text(htmlText(page(title, place, principal, content)), HTML);
}
