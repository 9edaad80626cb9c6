/** The JSON of `release` and `rollback`: each decision on a landed state, and what was released. */
import type { Landed } from "../landing.ts";
import { checkReport } from "./check.ts";

export function landedReport(
  landed: readonly Landed[],
  { target, current }: { readonly target: string; readonly current: number | null },
) {
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

/** A rollback is one state that was judged again. */
export function rollbackReport(target: string, landed: Landed) {
  return landedReport([landed], { target, current: landed.released?.release.sequence ?? null });
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
