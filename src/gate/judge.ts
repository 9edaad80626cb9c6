/** The files that judge, read at one commit: configuration, trust, policies, waivers. Never at the head (invariant 5). */
import { BASELINE_YAML, readBaselineYaml } from "../config/baseline-yaml.ts";
import {
  approvalRule,
  readSluiceYaml,
  SLUICE_YAML,
  type SluiceYaml,
  signatureRule,
  type TargetYaml,
} from "../config/sluice-yaml.ts";
import type { ApprovalRule } from "../decision/approval.ts";
import type { TargetFacts } from "../decision/decision.ts";
import { readWaivers, type Waiver } from "../decision/waiver.ts";
import type { CommitId, TreeFile, TreeId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseTime } from "../lib/time.ts";
import { buildPolicySet } from "../policy/compile.ts";
import { policyFile } from "../policy/data-files.ts";
import type { PolicyFile, PolicySet } from "../policy/policy-set.ts";
import { isPolicyFile } from "../policy/reading.ts";
import type { SignatureRule } from "../signature/requirement.ts";
import { withSha1Until } from "../signature/sha1-until.ts";
import type { Trust } from "../signature/trust.ts";
import { readTrustFolder } from "../signature/trust-folder.ts";
import type { Judge } from "./judge-memory.ts";
import type { Services } from "./services.ts";
import type { Minimum } from "./subject.ts";

export type { Judge } from "./judge-memory.ts";

type Read = Pick<Services, "toolchain" | "compiledCache" | "judges">;

/** @throws SluiceError of the part that is unusable: `configuration-absent`, `no-policies`, `policy-does-not-compile`, trust and waiver codes */
export async function readJudge(
  repository: GitRepository,
  commit: CommitId,
  revokedKeys: readonly string[],
  services: Read,
): Promise<Judge> {
  return readJudgeAt(repository, (await repository.commit(commit)).tree, revokedKeys, services);
}

export function readJudgeAt(
  repository: GitRepository,
  tree: TreeId,
  revokedKeys: readonly string[],
  services: Read,
): Promise<Judge> {
  const read = () => readJudgeFiles(repository, tree, revokedKeys, services);
  return services.judges.of({ repository, tree, revokedKeys }, read);
}

async function readJudgeFiles(
  repository: GitRepository,
  tree: TreeId,
  revokedKeys: readonly string[],
  services: Read,
): Promise<Judge> {
  const files = await repository.files(tree);
  const text = await readConfigurationText(repository, files);
  const configuration = readSluiceYaml(text);
  const trust = await readTrustFolder(await readFolder(repository, files, configuration.trust), {
    revokedKeys,
    folder: inFolder(configuration.trust, ""),
  });
  const policies = await readPolicies(repository, files, configuration.policies, services);
  const { waiverText, waivers } = await readWaiversOf(repository, files, configuration);
  const digests = {
    configuration: sha256Hex(text),
    trust: trust.digest,
    policies: policies.digest,
    waivers: sha256Hex(waiverText),
  };
  return { configuration, trust, policies, waivers, digests };
}

/** Only sluice.yaml of a commit: enough to know the targets. @throws `configuration-absent`, `configuration-invalid` */
export async function readSluiceConfiguration(repository: GitRepository, commit: CommitId): Promise<SluiceYaml> {
  const files = await repository.files((await repository.commit(commit)).tree);
  return readSluiceYaml(await readConfigurationText(repository, files));
}

/** For previews: what lies at the judge as a copy of a target's adoption; empty where none does. @throws `configuration-invalid` */
export async function readBaselineCopy(
  repository: GitRepository,
  judge: CommitId,
  target: string,
): Promise<ReadonlySet<string>> {
  const files = await repository.files((await repository.commit(judge)).tree);
  const text = await readText(repository, files, BASELINE_YAML);
  return (text === null ? undefined : readBaselineYaml(text).get(target)) ?? new Set();
}

/** Only the trust folder of a commit. @throws what readSluiceConfiguration() and the trust folder throw */
export async function readJudgeTrust(
  repository: GitRepository,
  commit: CommitId,
  revokedKeys: readonly string[] = [],
): Promise<Trust> {
  const files = await repository.files((await repository.commit(commit)).tree);
  const { trust } = readSluiceYaml(await readConfigurationText(repository, files));
  return readTrustFolder(await readFolder(repository, files, trust), { revokedKeys, folder: inFolder(trust, "") });
}

/** Only the waivers of a commit. @throws what readSluiceConfiguration() throws, `waivers-invalid` */
export async function readJudgeWaivers(repository: GitRepository, commit: CommitId): Promise<readonly Waiver[]> {
  const files = await repository.files((await repository.commit(commit)).tree);
  const configuration = readSluiceYaml(await readConfigurationText(repository, files));
  return (await readWaiversOf(repository, files, configuration)).waivers;
}

async function readWaiversOf(repository: GitRepository, files: readonly TreeFile[], { waivers: path }: SluiceYaml) {
  const waiverText = (await readText(repository, files, path)) ?? "";
  return { waiverText, waivers: waiverText.trim() === "" ? [] : readWaivers(waiverText, path) };
}

async function readConfigurationText(repository: GitRepository, files: readonly TreeFile[]): Promise<string> {
  const text = await readText(repository, files, SLUICE_YAML);
  if (text !== null) return text;
  throw new SluiceError("configuration-absent", "The judge has no sluice.yaml, so nothing says what is judged.", {
    fix: "sluice init, then land what it writes",
  });
}

async function readPolicies(
  repository: GitRepository,
  files: readonly TreeFile[],
  folder: string,
  services: Read,
): Promise<PolicySet> {
  const sources = await policySources(repository, files, folder);
  return buildPolicySet({ toolchain: services.toolchain, cache: services.compiledCache, files: sources });
}

/** Every file of the policy folder that sluice.yaml of the commit names. @throws what readSluiceConfiguration() throws */
export async function readAllPolicies(repository: GitRepository, commit: CommitId): Promise<readonly PolicyFile[]> {
  const files = await repository.files((await repository.commit(commit)).tree);
  const { policies } = readSluiceYaml(await readConfigurationText(repository, files));
  return policySources(repository, files, policies);
}

/** The policies as they are written, without tests. */
export async function readPolicySources(
  repository: GitRepository,
  tree: TreeId,
  folder: string,
): Promise<readonly PolicyFile[]> {
  const all = await policySources(repository, await repository.files(tree), folder);
  return all.filter(({ path }) => path.endsWith(".rego") && !path.endsWith("_test.rego"));
}

async function policySources(
  repository: GitRepository,
  files: readonly TreeFile[],
  folder: string,
): Promise<readonly PolicyFile[]> {
  const rego = await readFolder(repository, files, folder, isPolicyFile);
  return [...rego].map(([path, bytes]) => policyFile(folder, path, asText(inFolder(folder, path), bytes)));
}

/** Files below a folder by their path inside it. */
async function readFolder(
  repository: GitRepository,
  files: readonly TreeFile[],
  folder: string,
  wanted: (path: string) => boolean = () => true,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const prefix = folder.endsWith("/") ? folder : `${folder}/`;
  const inside = files.filter((file) => file.path.startsWith(prefix));
  refuseLinks(inside);
  const found = inside.filter((file) => wanted(file.path));
  const contents = await repository.blobs(found.map((file) => file.id));
  return new Map(found.map((file, index) => [file.path.slice(prefix.length), contents[index] as Uint8Array]));
}

async function readText(repository: GitRepository, files: readonly TreeFile[], path: string): Promise<string | null> {
  const file = files.find((one) => one.path === path && isRegular(one));
  return file === undefined ? null : asText(path, await repository.blob(file.id));
}

/** What a link or a submodule stands for is not in the tree: the rule or key behind it would be missed without a word. */
function refuseLinks(files: readonly TreeFile[]): void {
  const link = files.find((file) => !isRegular(file));
  if (link === undefined) return;
  throw new SluiceError("configuration-invalid", `${link.path} is a link or a submodule; files that judge are files.`, {
    fix: `put the file itself at ${link.path}`,
  });
}

function isRegular(file: TreeFile): boolean {
  return file.mode === "100644" || file.mode === "100755";
}

function asText(path: string, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === null)
    throw new SluiceError("configuration-invalid", `${path} is not UTF-8 text.`, { fix: `save ${path} as UTF-8` });
  return text;
}

function inFolder(folder: string, path: string): string {
  return `${folder.replace(/\/$/, "")}/${path}`;
}

/** The target as judged: what the repository says, made stricter by the operator's minimum. @throws `target-unknown`, `branch-mismatch` */
export function targetFacts(
  judge: Judge,
  name: string,
  repository: string,
  branch: string | null,
  minimum: Minimum,
): TargetFacts {
  const one = targetYaml(judge, name);
  if (branch !== null && branch !== one.branch) {
    throw new SluiceError(
      "branch-mismatch",
      `gate.yaml says that ${name} is branch ${branch}, sluice.yaml says ${one.branch}.`,
      {
        fix: "make both name the same branch",
      },
    );
  }
  return {
    name,
    repository,
    branch: one.branch,
    path: one.path,
    labels: one.labels,
    mode: stricter(["observe", "warn", "enforce"], one.mode, minimum.mode),
    signatures: strictSignatures(signatureRule(one), minimum),
    approvals: strictCount(approvalRule(one), minimum.approvals),
    unruled: one.unruled,
  };
}

export function targetYaml(judge: Pick<Judge, "configuration">, name: string): TargetYaml {
  const one = judge.configuration.targets[name];
  if (one !== undefined && Object.hasOwn(judge.configuration.targets, name)) return one;
  const known = Object.keys(judge.configuration.targets).join(", ");
  throw new SluiceError("target-unknown", `There is no target ${name}; sluice.yaml names ${known}.`, {
    fix: "name one of them",
  });
}

/** Whose signatures count for a target: the trust folder, and what the target allows less of. */
export function trustFor(judge: Pick<Judge, "configuration" | "trust">, target: string): Trust {
  const { sha1Until } = targetYaml(judge, target).signatures;
  return withSha1Until(judge.trust, sha1Until === undefined ? null : parseTime(sha1Until));
}

function stricter<T extends string>(order: readonly T[], said: T, minimum: T | undefined): T {
  return minimum !== undefined && order.indexOf(minimum) > order.indexOf(said) ? minimum : said;
}

function strictSignatures(rule: SignatureRule, minimum: Minimum): SignatureRule {
  return {
    ...rule,
    require: stricter(["none", "head", "merge-and-head", "every-commit"], rule.require, minimum.signatures),
  };
}

function strictCount(rule: ApprovalRule, minimum: number | undefined): ApprovalRule {
  return { ...rule, count: Math.max(rule.count, minimum ?? 0) };
}

/** `change:` of the trust folder, one other person where it is absent, made stricter by the operator's minimum. */
export function governanceRule({ trust }: Judge, minimum: Minimum): ApprovalRule {
  const one: ApprovalRule = { count: 1, roles: [], accept: ["signed"], bind: "tree" };
  return strictCount(trust.change === null ? one : { ...one, ...trust.change }, minimum.change);
}
