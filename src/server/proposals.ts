/** Which heads of a repository are proposals: those of the references that gate.yaml names. */
import type { GitRepository, RefEntry } from "../git/repository.ts";

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

/** As git matches a refspec: the star stands for anything, slashes too, but not for nothing. */
export function matchesRef(pattern: string, name: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return name === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}
