/** A range, several commits at a time: while withPool answers for some, the next are read. */
import type { Commit } from "../git/object.ts";

/** Enough that no core waits; each holds little more than its own commit. */
const AT_ONCE = 64;

/** What `verifyOne` says of each, in their order; not more than a few are under way at any time. */
export async function verifyEach<T>(
  commits: readonly Commit[],
  verifyOne: (commit: Commit) => Promise<T>,
): Promise<readonly T[]> {
  const found: T[] = [];
  const left = commits.entries();
  const lane = async (): Promise<void> => {
    for (const [index, commit] of left) found[index] = await verifyOne(commit);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return found;
}
