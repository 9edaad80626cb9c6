/** Decisions, newest first; and one of them with what it rests on. */
import type { Decision } from "../../../decision/decision.ts";
import { disclosedDecision } from "../../../gate/record.ts";
import type { ReviewState } from "../../../gate/review.ts";
import type { LoggedEntry } from "../../../log/entry.ts";
import { resourceName } from "../../../render/resource.ts";
import { type Html, html, type Part } from "./html.ts";
import { table, time } from "./layout.ts";
import { reviewWords } from "./review.ts";

const WORDS = { allow: "approved", deny: "DENIED", wait: "waiting", error: "NOT EVALUATED" } as const;
const VERDICTS = ["allow", "deny", "wait", "error"] as const;

const ABOUT = {
  landed: "what landed",
  proposed: "proposals",
  admission: "requests of clusters",
  data: "questions to the policies",
} as const;
export const SUBJECTS = ["landed", "proposed", "admission", "data"] as const;

export interface Filter {
  readonly target: string | null;
  readonly verdict: string | null;
  /** What a decision is about. */
  readonly about: string | null;
  readonly person: string | null;
  readonly rule: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

/** How the review of each entry stands, by index; those that owe none are not there. */
type Reviews = ReadonlyMap<number, ReviewState>;

export function changesPage(
  entries: readonly LoggedEntry[],
  reviews: Reviews,
  count: number,
  next: number | null,
  filter: Filter,
): Html {
  const rows = entries.map((entry) => row(entry, reviews.get(entry.index) ?? null));
  const more = next === null ? null : html`<p><a href="/changes?${queryText(filter)}after=${next}">older</a></p>`;
  return html`${form(filter)}
<p>${count} decisions</p>
${table(["time", "verdict", "target", "what", "people", "why", "log"], rows, "Nothing was decided that this asks for.")}
${more}`;
}

function form({ target, verdict, about, person, rule, from, to }: Filter): Html {
  const field = (name: string, label: string, value: string | null, type = "text"): Html =>
    html`<label>${label} <input name="${name}" type="${type}" value="${value ?? ""}"></label>`;
  const option = (one: string, word: string, chosen: string | null): Html =>
    one === chosen
      ? html`<option value="${one}" selected>${word}</option>`
      : html`<option value="${one}">${word}</option>`;
  const verdicts = VERDICTS.map((one) => option(one, WORDS[one], verdict));
  const subjects = SUBJECTS.map((one) => option(one, ABOUT[one], about));
  return html`<form action="/changes" method="get">
${field("target", "Target", target)} <label>Verdict <select name="verdict"><option value="">all</option>${verdicts}</select></label>
<label>About <select name="about"><option value="">everything</option>${subjects}</select></label>
${field("person", "Person", person)} ${field("rule", "Rule", rule)} ${field("from", "From", from, "date")} ${field("to", "To", to, "date")}
<button>Show</button>
</form>`;
}

function queryText(filter: Filter): string {
  const pairs = Object.entries(filter).flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${encodeURIComponent(value)}&`],
  );
  return pairs.join("");
}

function row({ index, leaf, disclosed }: LoggedEntry, review: ReviewState | null): readonly Part[] {
  const decision = disclosedDecision(disclosed);
  const commit = leaf.subject["commit"] ?? leaf.subject["head"] ?? "";
  const about = decision?.request === undefined ? html`<code>${commit.slice(0, 7)}</code>` : subjectOf(decision);
  return [
    time(leaf.time),
    review === null ? verdict(leaf) : html`${verdict(leaf)} ${reviewWords(review)}`,
    leaf.target,
    commit === "" && decision === null ? html`<span class="note">a question</span>` : about,
    people(decision).join(", "),
    leaf.reasons.join(", "),
    html`<a href="/changes/${index}">${index}</a>`,
  ];
}

/** What a cluster asked: its object, and whether it only tried. */
function subjectOf({ objects, request }: Decision): Html {
  const names = objects.map(({ id }) => resourceName(id)).join(", ");
  return html`${request?.operation ?? ""} ${names}${request?.dryRun === true ? html` <span class="note">dry run</span>` : null}`;
}

function verdict({ verdict: said, reasons }: LoggedEntry["leaf"]): Html {
  if (reasons.includes("emergency-release")) return html`<span class="deny">EMERGENCY</span>`;
  return said === null ? html`` : html`<span class="${said}">${WORDS[said]}</span>`;
}

function people(decision: Decision | null): readonly string[] {
  if (decision?.request !== undefined) return [decision.request.user];
  const signers = (decision?.verifications ?? []).flatMap(({ signer }) => (signer === null ? [] : [signer.person]));
  return [...new Set([...signers, ...(decision?.approvals.given ?? []).map(({ person }) => person)])];
}

export function changePage(entry: LoggedEntry, review: ReviewState | null): Html {
  const { index, leaf, leafHash } = entry;
  const decision = disclosedDecision(entry.disclosed);
  return html`<p>${verdict(leaf)} ${leaf.target ?? "the whole gate"}, ${time(leaf.time)} <b>recorded</b></p>
${review === null ? null : reviewPart(review)}${decision === null ? html`<p>What this entry disclosed was erased, or is not of a decision; what stays is below.</p>` : evidence(decision)}
<h2>Record</h2>
<dl><dt>log</dt><dd>${index}</dd><dt>id</dt><dd><code>${leaf.id}</code></dd><dt>leaf hash</dt><dd><code>${leafHash}</code></dd>
${Object.entries(leaf.subject).map(([name, id]) => html`<dt>${name}</dt><dd><code>${id ?? "none"}</code></dd>`)}
${Object.entries(leaf.digests).map(([name, digest]) => html`<dt>${name}</dt><dd><code>${digest ?? "none"}</code></dd>`)}</dl>
<p><a href="/v1/decisions/${index}">raw JSON</a> <a href="/v1/decisions/${index}/proof">proof</a></p>`;
}

function reviewPart(state: ReviewState): Html {
  const { operator, review } = state;
  const said =
    review === null
      ? null
      : html` “${review.reason ?? "erased"}” <a href="/v1/decisions/${review.index}">log ${review.index}</a>`;
  return html`<p>${operator ?? "One operator"} released it alone; ${reviewWords(state)}${said}</p>
`;
}

function evidence({ reasons, verifications, approvals, findings, objects, waivers, request }: Decision): Html {
  const changed = objects.filter(({ action }) => action !== "unchanged");
  return html`${
    request === undefined
      ? null
      : html`<p>A cluster asked: ${request.operation} ${request.kind} (${request.resource}), for ${request.user}${request.dryRun ? ", as a dry run" : ""}.</p>`
  }<h2>Why</h2>
${table(
  ["code", "what", "fix"],
  reasons.map(({ code, message, fix }) => [html`<code>${code}</code>`, message, fix]),
  "Nothing stood against it.",
)}
<h2>Signed</h2>
${table(
  ["commit", "by", "key"],
  verifications.map((one) => [
    html`<code>${one.commit.slice(0, 12)}</code>`,
    one.kind === "verified" ? one.signer.person : `rejected: ${one.reason}`,
    html`<code>${one.signer?.key ?? ""}</code>`,
  ]),
  "No commit needed a signature.",
)}
<h2>Approved</h2>
${table(
  ["person", "roles", "at"],
  approvals.given.map(({ person, roles, at }) => [person, roles.join(", "), time(at)]),
  "Nobody's approval is counted.",
)}
<h2>Changed objects</h2>
${table(
  ["object", "what"],
  changed.map(({ id, action }) => [resourceName(id), action]),
  "No object changes.",
)}
<h2>Rules that spoke</h2>
${table(
  ["rule", "kind", "what", "waived by"],
  findings.map(({ rule, kind, message, waivedBy }) => [rule, kind, message, waivedBy]),
  "No rule had anything to say.",
)}
${waivers.length === 0 ? null : html`<p>Waivers: ${waivers.map(({ rule, resource, owner, until }) => `${rule} ${resource}, ${owner}, until ${until}`).join("; ")}</p>`}`;
}
