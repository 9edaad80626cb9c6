/** A state judged by itself, with no range and nobody to approve it: what is found in it is what is there. */
import type { CommitId } from "../git/object.ts";
import type { Subject } from "./subject.ts";

export type State = Pick<
  Subject,
  "target" | "repository" | "repositoryName" | "branch" | "minimum" | "revokedKeys" | "baseline"
> & { readonly commit: CommitId };

export function asItIs({ commit, ...state }: State): Subject {
  return {
    kind: "landed",
    authority: "preview",
    ...state,
    base: commit,
    head: commit,
    judge: commit,
    released: null,
    excluded: [commit],
    carried: null,
  };
}
