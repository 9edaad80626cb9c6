/** Which heads of a repository are proposals: those of the references that gate.yaml names. */
import type { GitRepository, RefEntry } from "../git/repository.ts";
import { matchesRef } from "../git/source-listing.ts";

/** As many open proposals as one look reads of a pattern; more is `too-many-refs`. */
const MAXIMUM_PROPOSALS = 10_000;

/** Sorted by name, each once. @throws SluiceError `too-many-refs` */
export async function findProposals(
  repository: Pick<GitRepository, "refs">,
  patterns: readonly string[],
): Promise<readonly RefEntry[]> {
  const found = new Map<string, RefEntry>();
  for (const pattern of patterns) {
    const prefix = pattern.slice(0, pattern.split("*")[0]?.lastIndexOf("/")) || "refs";
    for (const ref of await repository.refs(`${prefix}/`, MAXIMUM_PROPOSALS)) {
      if (matchesRef(pattern, ref.name)) found.set(ref.name, ref);
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
