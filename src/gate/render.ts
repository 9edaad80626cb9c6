/** Step 5: the merged tree and the last released tree, rendered to the exact objects. */
import type { TargetFacts } from "../decision/decision.ts";
import type { BlobId, TreeFile } from "../git/object.ts";
import type { Memo } from "../lib/memo.ts";
import { openCoverage, openGovernance } from "../render/coverage.ts";
import { openRedactor, type Redactor } from "../render/redactor.ts";
import { renderTarget } from "../render/render.ts";
import type { SharedFiles } from "../render/renderer.ts";
import type { Rendered } from "../render/resource.ts";
import { collectSecretValues } from "../render/secrets.ts";
import { type Change, governancePlaces } from "./change.ts";
import type { Judge } from "./judge.ts";
import type { Subject } from "./subject.ts";

export interface RenderedTrees {
  readonly before: Rendered;
  readonly after: Rendered;
  /** Source text of a file in the merged tree, to find the line of a finding. */
  readonly source: (file: string) => Promise<Uint8Array | null>;
  readonly mask: (text: string) => string;
}

export async function renderTrees(
  subject: Subject,
  change: Change,
  judge: Judge,
  target: TargetFacts,
  memo: Memo,
): Promise<RenderedTrees> {
  const { repository } = subject;
  const read = (ids: readonly BlobId[]) => repository.blobs(ids);
  const isIgnored = ignoring(judge);
  const isGovernance = openGovernance(governancePlaces(judge));
  const shared: SharedFiles = new Map();
  const render = (files: readonly TreeFile[]) =>
    renderTarget({ files, read, path: target.path, isIgnored, isGovernance, memo, shared });
  const beforeFiles =
    subject.released === null
      ? change.baseFiles
      : await repository.files((await repository.commit(subject.released)).tree);
  const released = subject.carried?.resources ?? null;
  const before = await render(beforeFiles);
  const after = released === null ? await render(change.files) : { resources: released, failures: [] };
  // Built only when there is something to say: most changes are approved in silence.
  let redactor: Redactor | null = null;
  const mask = (text: string): string => {
    redactor ??= openRedactor(
      collectSecretValues([...before.resources, ...after.resources].map((resource) => resource.object)),
    );
    return redactor.mask(text);
  };
  const ids = new Map(change.files.map((file) => [file.path, file.id]));
  const source = async (file: string) => {
    const id = ids.get(file);
    return id === undefined ? null : repository.blob(id);
  };
  return { before, after, source, mask };
}

const MANIFEST = /\.(?:ya?ml|json)$/i;

/** Inside a target `ignore` may name notes and pictures, never a manifest: there the target's path wins. */
function ignoring(judge: Judge): (path: string) => boolean {
  const cover = openCoverage([], judge.configuration.ignore, governancePlaces(judge));
  return (path) => !MANIFEST.test(path) && cover(path).kind === "ignored";
}
