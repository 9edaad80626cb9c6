/** What `release` and `rollback` say: each decision on a landed state, and what was released. */
import type { Landed } from "../../gate/landing.ts";
import type { Output } from "../command.ts";
import { checkReport } from "./check.ts";
import { checkText } from "./check-text.ts";
import { paint } from "./paint.ts";

export interface LandedContext {
  readonly target: string;
  /** Sequence of the newest release, null before the first. */
  readonly current: number | null;
  readonly seconds: number;
  readonly output: Output;
}

export function landedReport(landed: readonly Landed[], { target, current }: LandedContext) {
  return {
    apiVersion: "sluice/v1",
    kind: "Landings",
    target,
    current,
    landed: landed.map(({ admitted, released }) => ({
      check: checkReport([admitted], {}),
      release: released === null ? null : releaseReport(released),
    })),
  } as const;
}

function releaseReport({ release, manifestDigest, index, head }: NonNullable<Landed["released"]>) {
  const { sequence, commit, tree, rollbackOf, objects } = release;
  return {
    sequence,
    commit,
    tree,
    rollbackOf,
    objects: objects.length,
    manifestDigest,
    index,
    notAfter: head.notAfter,
  };
}

export function landedText(landed: readonly Landed[], context: LandedContext): string {
  const { target, current } = context;
  if (landed.length === 0) {
    const state = current === null ? "nothing is released yet" : `#${current} is current`;
    return `${target}: ${state}; nothing new landed\n`;
  }
  return landed.map((one) => oneText(one, context)).join("\n");
}

function oneText({ admitted, released }: Landed, { seconds, output }: LandedContext): string {
  const decided = checkText(checkReport([admitted], {}), {
    width: output.width,
    paint: paint(output.colours),
    branch: () => admitted.decision.target.branch,
    seconds,
  });
  if (released === null) return decided;
  const { release, index, manifestDigest } = released;
  const origin = release.rollbackOf === null ? "" : `, the objects of #${release.rollbackOf}`;
  return `${decided}released   ${release.target} #${release.sequence}, ${release.objects.length} objects${origin}   manifest sha256:${manifestDigest.slice(0, 8)}, log ${index}\n`;
}
