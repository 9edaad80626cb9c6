/** The JSON of `adopt`. */
import type { Comparison } from "../../render/live.ts";
import type { Adoption } from "../adopt.ts";

export type LiveComparison = Comparison & { readonly folder: string };

export function adoptionReport(
  target: string,
  { receipt, commit, decision, baseline, copy }: Adoption,
  comparison: LiveComparison | null,
) {
  const { index, id, time } = receipt;
  const { tree, digests, objects } = decision;
  return {
    apiVersion: "sluice/v1",
    kind: "Adoption",
    target,
    commit,
    tree,
    index,
    id,
    time,
    objects: objects.length,
    baseline: baseline.length,
    copy,
    digests,
    comparison,
  } as const;
}

export type AdoptionReport = ReturnType<typeof adoptionReport>;
