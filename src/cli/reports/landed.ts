/** What `release` and `rollback` say: each decision on a landed state, and what was released. */

import type { landedReport } from "../../gate/json/landed.ts";
import { printable } from "../../lib/printable.ts";
import { typed } from "../../lib/shell-word.ts";
import type { Head } from "../../release/release.ts";
import { checkText } from "./check-text.ts";
import type { Paint } from "./paint.ts";

export type LandingsReport = ReturnType<typeof landedReport>;

export interface LandedContext {
  readonly seconds: number;
  /** What keeps anything from being released, null when nothing does. */
  readonly hold: Head["hold"];
  /** Columns. */
  readonly width: number;
  /** How the gate was named on the command line. */
  readonly gate: string;
}

export function landedText(report: LandingsReport, context: LandedContext, paint: Paint): string {
  const { target, current, landed } = report;
  const held = heldText(context);
  if (landed.length === 0) {
    const state = current === null ? "nothing is released yet" : `#${current} is current`;
    return `${target}: ${state}; nothing new landed\n${held}`;
  }
  return `${landed.map((one) => oneText(target, one, context, paint)).join("\n")}${held}`;
}

/** Nothing moves under a hold, so it is said even where nothing was to be moved. */
function heldText({ hold, gate }: LandedContext): string {
  if (hold === null) return "";
  const { scope, by, since, reason } = hold;
  const told = `held       ${scope}, by ${by} since ${since}: ${reason}`;
  return `${printable(told)}\nresume     sluice resume ${typed(scope)} --reason TEXT ${gate}\n`;
}

function oneText(
  target: string,
  { check, release }: LandingsReport["landed"][number],
  { seconds, width }: LandedContext,
  paint: Paint,
): string {
  // The name of the branch stands in what a preview says only.
  const decided = checkText(check, { width, paint, branch: () => "", seconds });
  if (release === null) return decided;
  const origin = release.rollbackOf === null ? "" : `, the objects of #${release.rollbackOf}`;
  return `${decided}released   ${target} #${release.sequence}, ${release.objects} objects${origin}   manifest sha256:${release.manifestDigest.slice(0, 8)}, log ${release.index}\n`;
}
