/** What every page has around it. No script, no image, one style sheet; every view is an address. */
import type { Principal } from "../../access/principal.ts";
import { type Html, html, type Part } from "./html.ts";

const PLACES = [
  ["/", "Targets"],
  ["/changes", "Changes"],
  ["/rules", "Rules"],
  ["/evidence", "Evidence"],
] as const;
export type Place = (typeof PLACES)[number][0];

/** `place` is the part of the pages that it belongs to. */
export function page(title: string, place: Place, principal: Principal, content: Html): Html {
  const links = PLACES.map(([to, name]) =>
    to === place ? html`<a href="${to}" aria-current="page">${name}</a> ` : html`<a href="${to}">${name}</a> `,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Sluice</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><nav><b>Sluice</b> ${links}</nav><p>${signedIn(principal)}</p></header>
<main>
<h1>${title}</h1>
${content}
</main>
<footer><p>Times are UTC. <b>recorded</b>: this server says so. Whoever wants it proven takes the proof of a change and checks it with the key of the log.</p></footer>
</body>
</html>
`;
}

function signedIn({ person, role, targets }: Principal): string {
  const who = person === null ? "nobody signed in, on the gate's own machine" : `signed in: ${person}, ${role}`;
  return targets === null ? who : `${who}, for ${targets.join(", ")}`;
}

export function time(text: string): Html {
  return html`<time datetime="${text}">${text.slice(0, 16).replace("T", " ")}</time>`;
}

/** One cell for each head; on a narrow screen a row stands as a card, where each cell says what it is. */
export function table(heads: readonly string[], rows: readonly (readonly Part[])[], nothing: string): Html {
  if (rows.length === 0) return html`<p class="note">${nothing}</p>`;
  const lines = rows.map(
    (cells) => html`<tr>${cells.map((cell, at) => html`<td data-label="${heads[at] ?? ""}">${cell}</td>`)}</tr>
`,
  );
  return html`<table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>
${lines}</tbody></table>`;
}

/** Read on white paper as on a screen; colours only repeat what words say. */
export const STYLE_SHEET = `:root {
  color-scheme: light dark; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --band: #f6f8fa; --link: #0550ae;
  --good: #0a6b2d; --bad: #b00020; --wait: #8a5a00;
}
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6edf3; --soft: #9da7b3; --line: #373e47; --paper: #12161c; --band: #1b2129; --link: #79b8ff;
  --good: #7ee2a0; --bad: #ff9b93; --wait: #f0c36d;
} }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 0 1.25rem 2rem; color: var(--ink); background: var(--paper) }
header { display: flex; flex-wrap: wrap; gap: .25rem 2rem; justify-content: space-between; align-items: baseline; border-bottom: 1px solid var(--line) }
nav { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1.25rem; padding: .75rem 0 }
nav a { text-decoration: none; padding: .1rem 0; border-bottom: 2px solid transparent }
nav a[aria-current] { color: inherit; font-weight: 600; border-color: var(--link) }
header p, footer, .note, time { color: var(--soft) }
header p, footer, .note { font-size: .875rem }
h1 { font-size: 1.6rem; margin: 1.25rem 0 .75rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
a { color: var(--link) }
table { border-collapse: collapse; width: 100%; font-size: .9375rem }
th { font-size: .8125rem; color: var(--soft); font-weight: 600; background: var(--band); white-space: nowrap }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem; border-bottom: 1px solid var(--line) }
td { overflow-wrap: anywhere }
td:first-child { overflow-wrap: normal }
tbody tr:hover { background: var(--band) }
code, time, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .875em }
code { overflow-wrap: anywhere }
time { white-space: nowrap }
pre { background: var(--band); padding: .75rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px }
form { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; margin: 0 0 1rem }
label { display: grid; gap: .15rem; font-size: .8125rem; color: var(--soft) }
input, select, button { font: inherit; font-size: .9375rem; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .35rem .6rem; min-height: 2.25rem }
input { width: 10.5rem }
button { background: var(--band); font-weight: 600; padding-inline: 1rem }
ul.facts { display: flex; flex-wrap: wrap; gap: .5rem 1.75rem; list-style: none; margin: 0 0 1rem; padding: .75rem 1rem; background: var(--band); border: 1px solid var(--line); border-radius: 6px }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.25rem; margin: 0 }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
.allow, .deny, .error, .held, .wait { font-weight: 600; white-space: nowrap }
.deny, .error, .held { color: var(--bad) }
.wait { color: var(--wait) }
.allow { color: var(--good) }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem }
@media (max-width: 44rem) {
  body { padding: 0 .9rem 2rem }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  header p { margin-top: 0 }
  table, tbody, tr, td { display: block; width: 100% }
  tr { border: 1px solid var(--line); border-radius: 6px; margin: 0 0 .75rem; padding: .35rem .75rem }
  td { border: 0; position: relative; padding: .2rem 0 .2rem 7.25rem }
  td::before { content: attr(data-label); position: absolute; left: 0; width: 6.75rem; color: var(--soft); font-size: .8125rem }
  td:empty { display: none }
  form { display: grid; grid-template-columns: 1fr 1fr }
  form input, form select, form button { width: 100% }
}
@media print { nav, form, header p { display: none } body { max-width: none; padding: 0 } a { color: inherit; text-decoration: none } tr { break-inside: avoid } }
`;
