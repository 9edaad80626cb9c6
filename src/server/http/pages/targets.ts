/** Targets and how they stand. */
import type { TargetState } from "../../view.ts";
import { type Html, html, type Part } from "./html.ts";
import { table, time } from "./layout.ts";
import { reviewWords } from "./review.ts";

export function targetsPage(targets: readonly TargetState[]): Html {
  return table(
    ["target", "mode", "released", "waiting", "state"],
    targets.map(row),
    "This access is for no target that there is.",
  );
}

function row({ target, mode, released, waiting, hold, adopted, review }: TargetState): readonly Part[] {
  const current = released === null ? html`nothing yet` : html`#${released.sequence} ${time(released.time)}`;
  const state = hold === null ? (adopted ? html`<span class="allow">ok</span>` : html`not adopted`) : held(hold);
  const links = html`<a href="/changes?target=${target}">${target}</a> <a class="note" href="/rules?target=${target}">rules</a>`;
  const owed =
    review === null ? null : html` ${reviewWords(review)} <a href="/changes/${review.entry}">log ${review.entry}</a>`;
  return [links, mode, current, waiting, html`${state}${owed}`];
}

function held({ scope, by, reason, since }: NonNullable<TargetState["hold"]>): Html {
  return html`<span class="held">HELD</span> (${scope}) by ${by}: “${reason}” since ${time(since)}`;
}
