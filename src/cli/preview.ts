/** What a gate would say about a change, as far as one clone can know it: the same judge, nothing logged or released. */
import { type Admitted, admit } from "../gate/gate.ts";
import { type Means, openPreviewServices } from "../gate/judge-wiring.ts";
import { previewProposals } from "../gate/proposal.ts";
import { type Invocation, listOption, textOption } from "./command.ts";
import { givenRecords } from "./given-data.ts";
import { means, withRepository } from "./opening.ts";

/** One for each target that `--repo`, `--base`, `--head`, `--target` and `--repository` mean. */
export function preview(invocation: Invocation, onStep?: Means["onStep"]): Promise<readonly Admitted[]> {
  return withRepository(invocation, async ({ repository, name, path }) => {
    const services = openPreviewServices({ ...means(invocation, onStep), external: givenRecords(invocation) }, path);
    try {
      const subjects = await previewProposals({
        repository,
        repositoryName: name,
        base: textOption(invocation, "base") ?? null,
        head: textOption(invocation, "head") ?? "HEAD",
        targets: namedTargets(invocation),
      });
      const admitted: Admitted[] = [];
      for (const subject of subjects) admitted.push(await admit(subject, services));
      return admitted;
    } finally {
      await services.close();
    }
  });
}

/** Each target once: naming it twice asks for no second decision. */
export function namedTargets(invocation: Invocation): readonly string[] {
  return [...new Set(listOption(invocation, "target"))].sort();
}
