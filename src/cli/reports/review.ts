/** What another person still owes to what one operator alone released, and the command that gives it. */
import type { ReviewState } from "../../gate/review.ts";

export function reviewOwed({ due, state, operator }: ReviewState): string {
  const when =
    due === null ? "overdue; until when was erased" : state === "due" ? `due by ${due}` : `overdue since ${due}`;
  return `${operator ?? "one operator"} released it alone; the review by another person is ${when}`;
}

export function reviewCommand(decision: number): string {
  return `sluice review ${decision} --accept --reason TEXT`;
}
