/** Targets and how they stand. */
import type { TargetState } from "../../view.ts";
import { type Html, html } from "./html.ts";
import { table, time } from "./layout.ts";

export function targetsPage(targets: readonly TargetState[]): Html {
  return table(
    ["target", "mode", "released", "waiting", "state"],
    targets.map(row),
    "This access is for no target that there is.",
  );
}

function row({ target, mode, released, waiting, hold, adopted }: TargetState): Html {
  const current = released === null ? html`nothing yet` : html`#${released.sequence} ${time(released.time)}`;
  const state = hold === null ? (adopted ? html`ok` : html`not adopted`) : held(hold);
  return html`<tr><td><a href="/changes?target=${target}">${target}</a></td><td>${mode ?? ""}</td><td>${current}</td><td>${waiting}</td><td>${state}</td></tr>
`;
}

function held({ scope, by, reason, since }: NonNullable<TargetState["hold"]>): Html {
  return html`<span class="held">HELD</span> (${scope}) by ${by}: “${reason}” since ${time(since)}`;
}
