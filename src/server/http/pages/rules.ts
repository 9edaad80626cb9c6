/** What judges a target: rules, exceptions, people; now, or as it was. */
import type { RulesState } from "../../view.ts";
import { type Html, html } from "./html.ts";
import { table, time } from "./layout.ts";

export interface RulesFilter {
  /** Every target that the access may see. */
  readonly targets: readonly string[];
  readonly target: string;
  /** `2026-08-31`; null for now. */
  readonly asOf: string | null;
}

export function rulesPage(state: RulesState, filter: RulesFilter): Html {
  const { rules, waivers, people } = state;
  const open = waivers.filter(({ isOver }) => !isOver);
  const keys = people.reduce((sum, { usable }) => sum + usable, 0);
  return html`${form(filter)}
<ul class="facts">
<li><b>${rules.length}</b> rules</li><li><b>${open.length}</b> ${open.length === 1 ? "waiver" : "waivers"}${nextEnd(open)}</li>
<li><b>${people.length}</b> people, robots and forges</li><li><b>${keys}</b> usable keys</li>
</ul>
<p>${state.target} is in mode <b>${state.mode}</b>, judged by <code>${state.commit.slice(0, 12)}</code> since ${time(state.since)} (<a href="/changes/${state.index}">log ${state.index}</a>). Signatures: ${state.signatures}. Approvals: ${approvalText(state)}.</p>
<h2>Rules</h2>
${table(
  ["rule", "what it says", "level", "mode", "spoke in 90 days", "in denials", "controls"],
  rules.map((one) => [
    html`<a href="/changes?target=${state.target}&rule=${one.id}">${one.id}</a>`,
    html`${one.title === "" ? one.id : one.title}${one.waivable ? null : html` <span class="note">never waived</span>`}`,
    one.level,
    one.mode,
    one.spoke,
    one.denied,
    one.controls.join(", "),
  ]),
  "There are no rules.",
)}
<h2>Waivers</h2>
${table(
  ["rule", "object", "reason", "owner", "until"],
  waivers.map(({ rule, resource, reason, ticket, owner, until, isOver }) => [
    rule,
    resource,
    ticket === null ? reason : `${reason} (${ticket})`,
    owner,
    html`${until}${isOver ? html` <span class="note">over</span>` : null}`,
  ]),
  "Nothing is waived.",
)}
<h2>People and keys</h2>
${table(
  ["name", "is", "roles", "keys", "may approve"],
  people.map(({ id, class: kind, roles, keys: all, usable, hasLeft }) => [
    html`${id}${hasLeft ? html` <span class="note">left</span>` : null}`,
    kind,
    roles.join(", "),
    usable === all ? String(all) : `${usable} of ${all}`,
    state.approvers.includes(id) && kind === "person" ? "yes" : "no",
  ]),
  "Nobody is trusted.",
)}`;
}

function form({ targets, target, asOf }: RulesFilter): Html {
  const options = targets.map((one) =>
    one === target ? html`<option selected>${one}</option>` : html`<option>${one}</option>`,
  );
  return html`<form action="/rules" method="get">
<label>Target <select name="target">${options}</select></label>
<label>As of <input name="as-of" type="date" value="${asOf ?? ""}"></label>
<button>Show</button>
</form>`;
}

function approvalText({ approvals: { count, roles } }: RulesState): string {
  if (count === 0) return "none";
  return roles.length === 0 ? `${count}` : `${count}, among them ${roles.join(" and ")}`;
}

function nextEnd(waivers: RulesState["waivers"]): string {
  const [first] = waivers.map(({ until }) => until).sort();
  return first === undefined ? "" : `, the next ends ${first}`;
}
