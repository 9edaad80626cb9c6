/** What `release` and `rollback` say: each decision on a landed state, and what was released. */

import { checkReport } from "../../gate/json/check.ts";
import type { Landed } from "../../gate/landing.ts";
import { printable } from "../../lib/printable.ts";
import type { Head } from "../../release/release.ts";
import { checkText } from "./check-text.ts";
import type { Paint } from "./paint.ts";

export interface LandedContext {
  readonly target: string;
  /** Sequence of the newest release, null before the first. */
  readonly current: number | null;
  readonly seconds: number;
  /** What keeps anything from being released, null when nothing does. */
  readonly hold: Head["hold"];
  /** Columns. */
  readonly width: number;
}

export function landedText(landed: readonly Landed[], context: LandedContext, paint: Paint): string {
  const { target, current, hold } = context;
  if (landed.length === 0) {
    const state = current === null ? "nothing is released yet" : `#${current} is current`;
    return `${target}: ${state}; nothing new landed\n${heldText(hold)}`;
  }
  return `${landed.map((one) => oneText(one, context, paint)).join("\n")}${heldText(hold)}`;
}

/** Nothing moves under a hold, so it is said even where nothing was to be moved. */
function heldText(hold: Head["hold"]): string {
  if (hold === null) return "";
  const { scope, by, since, reason } = hold;
  const told = `held       ${scope}, by ${by} since ${since}: ${reason}`;
  return `${printable(told)}\nresume     sluice resume ${scope} --config gate.yaml --reason TEXT\n`;
}

function oneText({ admitted, released }: Landed, { seconds, width }: LandedContext, paint: Paint): string {
  const decided = checkText(checkReport([admitted], {}), {
    width,
    paint,
    branch: () => admitted.decision.target.branch,
    seconds,
  });
  if (released === null) return decided;
  const { release, index, manifestDigest } = released;
  const origin = release.rollbackOf === null ? "" : `, the objects of #${release.rollbackOf}`;
  return `${decided}released   ${release.target} #${release.sequence}, ${release.objects.length} objects${origin}   manifest sha256:${manifestDigest.slice(0, 8)}, log ${index}\n`;
}
