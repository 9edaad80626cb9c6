/**
 * The judges that were read last: between two landings every change is judged by the same files. A judge follows from the
 * tree, from the repository that its bytes were read and re-hashed from, and from the keys that the operator took away;
 * so these three name it. What could not be read is not kept. Forgetting one never changes a verdict, only its speed.
 */
import type { SluiceYaml } from "../config/sluice-yaml.ts";
import type { Waiver } from "../decision/waiver.ts";
import type { TreeId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import { openLatest } from "../lib/latest.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Trust } from "../signature/trust.ts";

export interface Judge {
  readonly configuration: SluiceYaml;
  readonly trust: Trust;
  readonly policies: PolicySet;
  readonly waivers: readonly Waiver[];
  readonly digests: {
    readonly configuration: string;
    readonly trust: string;
    readonly policies: string;
    readonly waivers: string;
  };
}

export interface JudgeMemory {
  /** The judge of that tree, read by `read` where it is not remembered. @throws what `read` throws */
  of(place: JudgePlace, read: () => Promise<Judge>): Promise<Judge>;
}

export interface JudgePlace {
  readonly repository: GitRepository;
  readonly tree: TreeId;
  readonly revokedKeys: readonly string[];
}

/** Each may hold a module of some megabytes and a trust folder of thousands of keys. */
const KEPT_JUDGES = 16;

export function openJudgeMemory(): JudgeMemory {
  const kept = openLatest<string, Judge>(KEPT_JUDGES);
  const sets = openLatest<string, PolicySet>(KEPT_JUDGES);
  const numbers = new WeakMap<GitRepository, number>();
  let opened = 0;

  function numberOf(repository: GitRepository): number {
    const number = numbers.get(repository) ?? ++opened;
    numbers.set(repository, number);
    return number;
  }

  /** One module for all judges with the same policies: what has compiled or loaded it knows it again. */
  function shared(judge: Judge): Judge {
    const { digest } = judge.policies;
    const policies = sets.get(digest) ?? judge.policies;
    sets.set(digest, policies);
    return { ...judge, policies };
  }

  return {
    async of({ repository, tree, revokedKeys }, read) {
      const name = JSON.stringify([numberOf(repository), tree, revokedKeys]);
      const judge = kept.get(name) ?? shared(await read());
      kept.set(name, judge);
      return judge;
    },
  };
}
