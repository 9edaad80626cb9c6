/** The sources behind a digest of policies, out of the gate's own copies of the repositories. */
import { commitId } from "../git/object.ts";
import { sourcesOf } from "../policy/compile.ts";
import { sourcesText } from "../policy/policy-sources.ts";
import { readAllPolicies } from "./judge.ts";
import type { Repositories } from "./repositories.ts";

/** As one text; null where none of the commits has policies with this digest here, or any more. */
export function policySourceFinder(
  repositories: Repositories,
  names: readonly string[],
): (digest: string, judges: readonly string[]) => Promise<string | null> {
  const textAt = async (name: string, judge: string, digest: string): Promise<string | null> => {
    try {
      const files = await readAllPolicies(await repositories.kept(name), commitId(judge));
      const sources = sourcesOf(files, digest);
      return sources === null ? null : sourcesText(sources);
    } catch {
      return null; // another repository's commit, or one that is gone: the bundle says that it is not held
    }
  };
  return async (digest, judges) => {
    for (const judge of judges) {
      for (const name of names) {
        const text = await textAt(name, judge, digest);
        if (text !== null) return text;
      }
    }
    return null;
  };
}
