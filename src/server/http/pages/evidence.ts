/** What the log holds of a period, counted, and where each number is looked at. */
import { type Html, html } from "./html.ts";
import { table, time } from "./layout.ts";

export interface EvidenceFilter {
  readonly target: string | null;
  /** Days; null where nothing bounds it. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface EvidenceCounts {
  readonly filter: EvidenceFilter;
  readonly asked: { readonly by: string; readonly at: string; readonly version: string };
  /** null where the period has no entry. */
  readonly range: { readonly first: number; readonly last: number; readonly from: string; readonly to: string } | null;
  readonly entries: number;
  readonly rows: readonly {
    readonly what: string;
    readonly count: number;
    /** Controls that ask for it. */
    readonly controls: string;
    /** Where each is listed; null where there is no page of it. */
    readonly link: string | null;
  }[];
}

export function evidencePage({ filter, asked, range, entries, rows }: EvidenceCounts): Html {
  const query = queryText(filter);
  return html`${form(filter)}
<ul class="facts"><li><b>${entries}</b> entries</li>${
    range === null
      ? html`<li>none in this period</li>`
      : html`<li>log <b>${range.first}</b> to <b>${range.last}</b></li><li>${time(range.from)} to ${time(range.to)}</li>`
  }</ul>
<h2>What happened</h2>
${table(
  ["what", "count", "asked for by", "look"],
  rows.map(({ what, count, controls, link }) => [
    what,
    count,
    controls,
    link === null ? "" : html`<a href="${link}">show</a>`,
  ]),
  "Nothing happened.",
)}
<h2>To take away</h2>
<p><a href="/evidence/changes.csv?${query}">changes.csv</a>: a row for each landed change, in the auditor's columns.</p>
<p>The whole bundle, which proves itself without this server, and the check of it:</p>
<pre>sluice log export${filter.from === null ? "" : ` --from ${filter.from}`}${filter.to === null ? "" : ` --to ${filter.to}`} --output evidence --config gate.yaml
sluice log verify evidence --key VKEY</pre>
<p class="note">Asked by ${asked.by} at ${time(asked.at)}; Sluice ${asked.version}. Whether nothing is missing is proven by the bundle, not by this page.</p>`;
}

function form({ target, from, to }: EvidenceFilter): Html {
  return html`<form action="/evidence" method="get">
<label>Target <input name="target" value="${target ?? ""}"></label>
<label>From <input name="from" type="date" value="${from ?? ""}"></label>
<label>To <input name="to" type="date" value="${to ?? ""}"></label>
<button>Show</button>
</form>`;
}

export function queryText(filter: EvidenceFilter): string {
  const pairs = Object.entries(filter).flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.join("&");
}
