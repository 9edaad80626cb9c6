/** How the review of what one operator alone released stands, in a few words. */
import type { ReviewState } from "../../../gate/review.ts";
import { type Html, html } from "./html.ts";
import { time } from "./layout.ts";

export function reviewWords({ state, due, review }: ReviewState): Html {
  if (review !== null) {
    const word = state === "contested" ? html`<span class="deny">contested</span>` : html`reviewed`;
    return html`${word} ${time(review.at)} by ${review.by ?? "somebody whose name was erased"}`;
  }
  if (state === "due") return html`<span class="wait">review due</span> by ${due === null ? "" : time(due)}`;
  return html`<span class="deny">REVIEW OVERDUE</span>${due === null ? null : html` since ${time(due)}`}`;
}
