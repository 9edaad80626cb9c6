/** What every page has around it. No script, no image, one style sheet; every view is an address. */
import type { Principal } from "../../access/principal.ts";
import { type Html, html } from "./html.ts";

export function page(title: string, principal: Principal, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Sluice</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><nav><a href="/">Targets</a> <a href="/changes">Changes</a></nav><p>${signedIn(principal)}</p></header>
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

export function table(heads: readonly string[], rows: readonly Html[], nothing: string): Html {
  if (rows.length === 0) return html`<p>${nothing}</p>`;
  return html`<table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>
${rows}</tbody></table>`;
}

/** Read on white paper as on a screen; colours only repeat what words say. */
export const STYLE_SHEET = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 72rem; padding: 1rem }
header { display: flex; flex-wrap: wrap; justify-content: space-between; border-bottom: 1px solid }
nav a { margin-right: 1rem }
header p, nav { margin: .5rem 0 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }
td { overflow-wrap: anywhere }
code, time { font-family: ui-monospace, monospace; white-space: pre-wrap }
form { display: flex; flex-wrap: wrap; gap: .8rem; align-items: end }
dt { font-weight: bold }
.deny, .error, .held { color: #b00020; font-weight: bold }
.allow { color: #0a6b2d }
@media (prefers-color-scheme: dark) { .deny, .error, .held { color: #ff8a80 } .allow { color: #81c995 } }
@media print { nav, form { display: none } body { max-width: none } a { color: inherit; text-decoration: none } }
`;
