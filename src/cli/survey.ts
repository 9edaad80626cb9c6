/** Looks at a repository as `init` finds it: what lies in HEAD's tree, how people merge and sign, where it is hosted. */
import { type Commit, type CommitId, commitId, type TreeFile } from "../git/object.ts";
import { readPlainFile } from "../git/plain-file.ts";
import type { PreviewRepository } from "../git/preview.ts";
import { openSource } from "../git/source.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { isGovernanceFile } from "../render/coverage.ts";
import { splitCommit } from "../signature/commit-payload.ts";
import { counted } from "./counted.ts";

export interface Survey {
  /** null in a repository without a commit. */
  readonly head: Commit | null;
  readonly branch: string;
  /** Folders that hold plain manifests, sorted; "" is the root. */
  readonly manifestFolders: readonly string[];
  readonly kustomizeFolders: readonly string[];
  readonly chartFolders: readonly string[];
  /** How many documents or files of each kind there are. */
  readonly counts: Counts;
  readonly ciFiles: readonly string[];
  readonly forge: string | null;
  readonly merges: string;
  /** Of the newest first-parent commits: how many there are, how many carry a signature (nobody verified it). */
  readonly signed: { readonly count: number; readonly of: number };
  /** How many YAML files were too many or too large to look into. */
  readonly unread: number;
}

export interface Counts {
  readonly manifests: number;
  readonly fluxKustomizations: number;
  readonly helmReleases: number;
  readonly argoApplications: number;
  readonly constraintTemplates: number;
  readonly sops: number;
  readonly sealedSecrets: number;
}

const MAXIMUM_YAML_FILES = 5_000;
const FILES_AT_ONCE = 200;
const NEWEST_COMMITS = 200;
const MAXIMUM_CONFIG_BYTES = 1024 * 1024;
const MANIFEST_FILE = /\.(?:ya?ml|json)$/;

/** Reads objects only; nothing of the repository is run. */
export async function surveyRepository(repository: PreviewRepository, top: string): Promise<Survey> {
  const branch = (await repository.source.headBranch())?.replace(/^refs\/heads\//, "") ?? "main";
  const id = await headOf(repository);
  const head = id === null ? null : await repository.commit(id);
  const files = head === null ? [] : await repository.files(head.tree);
  const history = head === null ? [] : await newestCommits(repository, head);
  const charts = foldersOf(files, /(?:^|\/)Chart\.yaml$/);
  const looked = await lookInside(repository, files, charts);
  return {
    head,
    branch,
    kustomizeFolders: foldersOf(files, /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/),
    chartFolders: charts,
    ciFiles: files.map((file) => file.path).filter(isCiFile),
    forge: forgeOf(top),
    merges: mergesOf(history),
    signed: signedOf(history, repository),
    ...looked,
  };
}

async function headOf(repository: PreviewRepository): Promise<CommitId | null> {
  const id = await repository.source.read("HEAD");
  return id === null ? null : commitId(id);
}

async function newestCommits(repository: PreviewRepository, head: Commit): Promise<readonly Commit[]> {
  const found = [head];
  for (let at = head; found.length < NEWEST_COMMITS; found.push(at)) {
    const [parent] = at.parents;
    if (parent === undefined) break;
    at = await repository.commit(parent);
  }
  return found;
}

function foldersOf(files: readonly TreeFile[], pattern: RegExp): readonly string[] {
  return [...new Set(files.filter((file) => pattern.test(file.path)).map((file) => folderOf(file.path)))].sort();
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

export function isInside(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

interface Looked {
  readonly manifestFolders: readonly string[];
  readonly counts: Counts;
  readonly unread: number;
}

/** Kinds are told by the lines of the text, or by its JSON: `init` only guesses, the gate reads strictly. */
async function lookInside(
  repository: PreviewRepository,
  files: readonly TreeFile[],
  charts: readonly string[],
): Promise<Looked> {
  const isCandidate = ({ path, mode }: TreeFile): boolean =>
    MANIFEST_FILE.test(path) &&
    mode.startsWith("100") &&
    !isCiFile(path) &&
    !charts.some((chart) => isInside(path, chart));
  const all = files.filter(isCandidate);
  const wanted = all.slice(0, MAXIMUM_YAML_FILES);
  const folders = new Set<string>();
  const kinds = new Map<string, number>();
  let unread = all.length - wanted.length;
  for (let start = 0; start < wanted.length; start += FILES_AT_ONCE) {
    for (const { path, text } of await readTexts(repository, wanted.slice(start, start + FILES_AT_ONCE))) {
      if (text === null) unread++;
      const found = text === null ? [] : kindsOf(text);
      for (const kind of found) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (found.includes("manifest")) folders.add(folderOf(path));
    }
  }
  const count = (kind: string): number => kinds.get(kind) ?? 0;
  const counts = {
    manifests: count("manifest"),
    fluxKustomizations: count("flux"),
    helmReleases: count("helm"),
    argoApplications: count("argo"),
    constraintTemplates: count("template"),
    sops: count("sops"),
    sealedSecrets: count("sealed"),
  };
  return { manifestFolders: [...folders].sort(), counts, unread };
}

/** null for a text that is too large or not UTF-8. */
async function readTexts(
  repository: PreviewRepository,
  files: readonly TreeFile[],
): Promise<readonly { readonly path: string; readonly text: string | null }[]> {
  try {
    const blobs = await repository.blobs(files.map((file) => file.id));
    return files.map((file, index) => ({ path: file.path, text: decodeUtf8(blobs[index] ?? new Uint8Array()) }));
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "object-too-large") throw thrown;
    if (files.length === 1) return files.map((file) => ({ path: file.path, text: null }));
    const halves = [files.slice(0, files.length >> 1), files.slice(files.length >> 1)];
    return (await Promise.all(halves.map((half) => readTexts(repository, half)))).flat();
  }
}

interface Header {
  readonly version: unknown;
  readonly kind: unknown;
}

/** JSON is YAML too, and many tools write it into files called .yaml. */
function headerOf(document: string): Header {
  const json = document.trimStart().startsWith("{") ? readJson(document) : null;
  if (json !== null) return { version: json["apiVersion"], kind: json["kind"] };
  return {
    version: /^apiVersion:\s*["']?([^\s"'#]+)/m.exec(document)?.[1],
    kind: /^kind:\s*["']?([A-Za-z]+)/m.exec(document)?.[1],
  };
}

function readJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}

const SPECIAL = new Map([
  ["HelmRelease", "helm"],
  ["Application", "argo"],
  ["ConstraintTemplate", "template"],
  ["SealedSecret", "sealed"],
]);

function kindsOf(text: string): readonly string[] {
  const found = text.split(/^---.*$/m).flatMap((document) => {
    const { version, kind } = headerOf(document);
    if (typeof version !== "string" || typeof kind !== "string") return [];
    if (version.startsWith("kustomize.config.k8s.io/")) return [];
    const isFlux = kind === "Kustomization" && version.startsWith("kustomize.toolkit.fluxcd.io/");
    const special = isFlux ? "flux" : SPECIAL.get(kind);
    return special === undefined ? ["manifest"] : ["manifest", special];
  });
  return /^\s*"?sops"?:\s*(?:\{.*)?$/m.test(text) && /ENC\[/.test(text) ? [...found, "sops"] : found;
}

function isCiFile(path: string): boolean {
  const isOurs = /^(?:sluice\.ya?ml|gate\.yaml|baseline\.yaml)$/i.test(path);
  return !isOurs && isGovernanceFile(path, { policies: "\u0000", trust: "\u0000", waivers: null });
}

const FORGES: readonly (readonly [RegExp, string])[] = [
  [/github/i, "GitHub"],
  [/gitlab/i, "GitLab"],
  [/gitea|codeberg|forgejo/i, "Gitea or Forgejo"],
  [/bitbucket/i, "Bitbucket"],
  [/dev\.azure|visualstudio/i, "Azure DevOps"],
];

/** Only the text of `url =` lines is looked at, and nothing of it is printed: it may hold a password. */
function forgeOf(top: string): string | null {
  const config = readPlainFile(openSource(top, "bounded").commonFolder, "config", MAXIMUM_CONFIG_BYTES);
  const urls = config?.toString("utf8").match(/^\s*url\s*=.*$/gm) ?? [];
  return FORGES.find(([pattern]) => urls.some((url) => pattern.test(url)))?.[1] ?? null;
}

const FORGE_COMMITTER = /^(?:noreply@github\.com|noreply@.*gitlab.*|gitea@.*)$/i;

export function isForgeAddress(email: string): boolean {
  return FORGE_COMMITTER.test(email);
}

function mergesOf(history: readonly Commit[]): string {
  const merges = history.filter((commit) => commit.parents.length > 1).length;
  const squashes = history.filter(
    (commit) => commit.parents.length < 2 && isForgeAddress(commit.committer.email),
  ).length;
  const direct = history.length - merges - squashes;
  const styles: readonly (readonly [number, string])[] = [
    [merges, "merge commits"],
    [squashes, "squash merges by the forge"],
    [direct, "plain commits"],
  ];
  const most = [...styles].sort(([a], [b]) => b - a)[0];
  return most === undefined || most[0] === 0 ? "no history yet" : `mostly ${most[1]}`;
}

function signedOf(history: readonly Commit[], { objectFormat }: PreviewRepository): Survey["signed"] {
  const count = history.filter((commit) => splitCommit(commit.raw, objectFormat).kind === "signed").length;
  return { count, of: history.length };
}

/** What was found, for people: one line a fact. */
export function surveyLines(survey: Survey): readonly string[] {
  const { counts, signed } = survey;
  const facts: readonly (readonly [number, string])[] = [
    [counts.manifests, "plain manifest"],
    [survey.kustomizeFolders.length, "Kustomize folder"],
    [survey.chartFolders.length, "Helm chart"],
    [counts.fluxKustomizations, "Flux Kustomization"],
    [counts.helmReleases, "HelmRelease"],
    [counts.argoApplications, "Argo CD Application"],
    [counts.sops, "SOPS file"],
    [counts.sealedSecrets, "SealedSecret"],
    [counts.constraintTemplates, "constraint template"],
    [survey.ciFiles.length, "CI file"],
    [survey.unread, "unread file"],
  ];
  const found = facts.filter(([count]) => count > 0).map(([count, what]) => counted(count, what));
  return [
    found.length === 0 ? "no manifests" : found.join(", "),
    `${survey.forge ?? "no known forge"}, ${survey.merges}`,
    signed.of === 0 ? "no commit yet" : `${signed.count} of the newest ${signed.of} commits carry a signature`,
  ];
}
