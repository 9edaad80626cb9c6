/** Decisions, newest first; and one of them with what it rests on. */
import type { Decision } from "../../../decision/decision.ts";
import { disclosedDecision } from "../../../gate/record.ts";
import type { LoggedEntry } from "../../../log/entry.ts";
import { resourceName } from "../../../render/resource.ts";
import { type Html, html } from "./html.ts";
import { table, time } from "./layout.ts";

const WORDS = { allow: "approved", deny: "DENIED", wait: "waiting", error: "NOT EVALUATED" } as const;
const VERDICTS = ["allow", "deny", "wait", "error"] as const;

export interface Filter {
  readonly target: string | null;
  readonly verdict: string | null;
  readonly person: string | null;
  readonly rule: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

export function changesPage(entries: readonly LoggedEntry[], count: number, next: number | null, filter: Filter): Html {
  const rows = entries.map(row);
  const more = next === null ? null : html`<p><a href="/changes?${queryText(filter)}after=${next}">older</a></p>`;
  return html`${form(filter)}
<p>${count} decisions</p>
${table(["time", "verdict", "target", "commit", "people", "why", "log"], rows, "Nothing was decided that this asks for.")}
${more}`;
}

function form({ target, verdict, person, rule, from, to }: Filter): Html {
  const field = (name: string, label: string, value: string | null, type = "text"): Html =>
    html`<label>${label} <input name="${name}" type="${type}" value="${value ?? ""}"></label>`;
  const options = VERDICTS.map((one) =>
    one === verdict
      ? html`<option value="${one}" selected>${WORDS[one]}</option>`
      : html`<option value="${one}">${WORDS[one]}</option>`,
  );
  return html`<form action="/changes" method="get">
${field("target", "Target", target)} <label>Verdict <select name="verdict"><option value="">all</option>${options}</select></label>
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

function row({ index, leaf, disclosed }: LoggedEntry): Html {
  const decision = disclosedDecision(disclosed);
  const commit = leaf.subject["commit"] ?? leaf.subject["head"] ?? "";
  return html`<tr><td>${time(leaf.time)}</td><td>${verdict(leaf)}</td><td>${leaf.target ?? ""}</td><td><code>${commit.slice(0, 7)}</code></td><td>${people(decision).join(", ")}</td><td>${leaf.reasons.join(", ")}</td><td><a href="/changes/${index}">${index}</a></td></tr>
`;
}

function verdict({ verdict: said, reasons }: LoggedEntry["leaf"]): Html {
  if (reasons.includes("emergency-release")) return html`<span class="deny">EMERGENCY</span>`;
  return said === null ? html`` : html`<span class="${said}">${WORDS[said]}</span>`;
}

function people(decision: Decision | null): readonly string[] {
  const signers = (decision?.verifications ?? []).flatMap(({ signer }) => (signer === null ? [] : [signer.person]));
  return [...new Set([...signers, ...(decision?.approvals.given ?? []).map(({ person }) => person)])];
}

export function changePage(entry: LoggedEntry): Html {
  const { index, leaf, leafHash } = entry;
  const decision = disclosedDecision(entry.disclosed);
  return html`<p>${verdict(leaf)} ${leaf.target ?? "the whole gate"}, ${time(leaf.time)} <b>recorded</b></p>
${decision === null ? html`<p>What this entry disclosed was erased, or is not of a decision; what stays is below.</p>` : evidence(decision)}
<h2>Record</h2>
<dl><dt>log</dt><dd>${index}</dd><dt>id</dt><dd><code>${leaf.id}</code></dd><dt>leaf hash</dt><dd><code>${leafHash}</code></dd>
${Object.entries(leaf.subject).map(([name, id]) => html`<dt>${name}</dt><dd><code>${id ?? "none"}</code></dd>`)}
${Object.entries(leaf.digests).map(([name, digest]) => html`<dt>${name}</dt><dd><code>${digest ?? "none"}</code></dd>`)}</dl>
<p><a href="/v1/decisions/${index}">raw JSON</a> <a href="/v1/decisions/${index}/proof">proof</a></p>`;
}

function evidence({ reasons, verifications, approvals, findings, objects, waivers }: Decision): Html {
  const changed = objects.filter(({ action }) => action !== "unchanged");
  return html`<h2>Why</h2>
${table(
  ["code", "what", "fix"],
  reasons.map(
    ({ code, message, fix }) => html`<tr><td><code>${code}</code></td><td>${message}</td><td>${fix ?? ""}</td></tr>
`,
  ),
  "Nothing stood against it.",
)}
<h2>Signed</h2>
${table(
  ["commit", "by", "key"],
  verifications.map(
    (
      one,
    ) => html`<tr><td><code>${one.commit.slice(0, 12)}</code></td><td>${one.kind === "verified" ? one.signer.person : `rejected: ${one.reason}`}</td><td>${one.signer?.key ?? ""}</td></tr>
`,
  ),
  "No commit needed a signature.",
)}
<h2>Approved</h2>
${table(
  ["person", "roles", "at"],
  approvals.given.map(
    ({ person, roles, at }) => html`<tr><td>${person}</td><td>${roles.join(", ")}</td><td>${time(at)}</td></tr>
`,
  ),
  "Nobody's approval is counted.",
)}
<h2>Changed objects</h2>
${table(
  ["object", "what"],
  changed.map(
    ({ id, action }) => html`<tr><td>${resourceName(id)}</td><td>${action}</td></tr>
`,
  ),
  "No object changes.",
)}
<h2>Rules that spoke</h2>
${table(
  ["rule", "kind", "what", "waived by"],
  findings.map(
    ({
      rule,
      kind,
      message,
      waivedBy,
    }) => html`<tr><td>${rule}</td><td>${kind}</td><td>${message}</td><td>${waivedBy ?? ""}</td></tr>
`,
  ),
  "No rule had anything to say.",
)}
${waivers.length === 0 ? null : html`<p>Waivers: ${waivers.map(({ rule, resource, owner, until }) => `${rule} ${resource}, ${owner}, until ${until}`).join("; ")}</p>`}`;
}
