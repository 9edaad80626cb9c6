/** `doctor`, second part: the repository here, as it lies on disk. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SluiceYaml } from "../config/sluice-yaml.ts";
import { openPreviewRepository } from "../git/preview.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import type { Clock } from "../lib/time.ts";
import { buildPolicySet } from "../policy/compile.ts";
import { openCompiledCache } from "../policy/compiled-cache.ts";
import { policyFile } from "../policy/data-files.ts";
import { isPolicyFile } from "../policy/reading.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import { examineRepository, grouped } from "./configuration-files.ts";
import { readTreeFolder } from "./folder-files.ts";
import { examine, type Remark } from "./remark.ts";

const GROUP = "repository";

export interface RepositoryLook {
  /** Top of the work tree, or a bare repository. */
  readonly top: string;
  readonly revokedKeys: readonly string[];
  readonly temporaryFolder: string;
  readonly toolchain: Toolchain;
  readonly clock: Clock;
}

export async function examineRepositoryHere(look: RepositoryLook): Promise<readonly Remark[]> {
  const opened = await examine(GROUP, "git objects", () => historyText(look));
  if (!existsSync(join(look.top, ".git"))) return [opened];
  const { value, remarks } = await examineRepository(look.top, look.revokedKeys, look.clock);
  const compiled = value === null ? [] : [await examine(GROUP, "policies compile", () => policiesText(look, value))];
  return [opened, ...grouped(GROUP, remarks), ...compiled];
}

/** Opening refuses what is shallow, borrowed or unreadable. */
async function historyText({ top, temporaryFolder }: RepositoryLook): Promise<string> {
  const repository = await openPreviewRepository({ path: top, scratch: temporaryFolder });
  try {
    const id = await repository.source.read("HEAD");
    if (id === null) return `${top}, no commit yet`;
    const head = await repository.commit(await repository.resolve("HEAD"));
    const files = await repository.files(head.tree);
    return `${top}, whole history, ${files.length} files at ${id.slice(0, 7)}`;
  } finally {
    await repository.close();
  }
}

async function policiesText({ top, toolchain }: RepositoryLook, { policies }: SluiceYaml): Promise<string> {
  const found = readTreeFolder(top, policies, isPolicyFile);
  const files = [...found].map(([path, bytes]) => policyFile(policies, path, decodeUtf8(bytes) ?? ""));
  const set = await buildPolicySet({ toolchain, files, cache: openCompiledCache(null) });
  return `${set.rules.length} rules, set ${set.digest.slice(0, 12)}`;
}
