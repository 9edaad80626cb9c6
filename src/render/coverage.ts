/** Whose business a path is. Nothing passes by absence: a changed path is a target's, a judge's, ignored by name, or uncovered. */
import { openPattern, openPatterns } from "./glob.ts";

export type Coverage =
  | { readonly kind: "governance" }
  /** Names of the targets, sorted; a target's path wins over `ignore`. */
  | { readonly kind: "target"; readonly targets: readonly string[] }
  | { readonly kind: "ignored"; readonly pattern: string }
  | { readonly kind: "uncovered" };

export interface TargetPath {
  readonly name: string;
  /** Folder or file in the repository; "." is all of it. */
  readonly path: string;
}

/** As sluice.yaml names them, relative to the repository's root. */
export interface GovernancePaths {
  readonly policies: string;
  readonly trust: string;
  readonly waivers: string | null;
}

/** Files that decide what is checked or who may: Sluice's own, continuous integration, code owners, attributes. */
const isGovernanceName = openPatterns([
  "/sluice.yaml",
  "/sluice.yml",
  "/gate.yaml",
  "/baseline.yaml",
  "/.github/workflows/**",
  "/.github/actions/**",
  "/.gitea/workflows/**",
  "/.forgejo/workflows/**",
  "/.gitlab-ci.yml",
  "/.gitlab-ci.yaml",
  "/.gitlab/ci/**",
  "jenkinsfile",
  "jenkinsfile.*",
  "/azure-pipelines.yml",
  "/azure-pipelines.yaml",
  "/azure-pipelines*.yml",
  "/.azure-pipelines/**",
  "/.azuredevops/**",
  "/.circleci/**",
  "/bitbucket-pipelines.yml",
  "/.drone.yml",
  "/.drone.yaml",
  "/.drone.star",
  "/.drone.jsonnet",
  "/.woodpecker/**",
  "/.woodpecker.yml",
  "/.woodpecker.yaml",
  "/.tekton/**",
  "/.buildkite/**",
  "/.travis.yml",
  "/.cirrus.yml",
  "/appveyor.yml",
  "/.appveyor.yml",
  "/.semaphore/**",
  "/.teamcity/**",
  "/.ci/**",
  "/cloudbuild.yaml",
  "/cloudbuild.yml",
  "/buildspec.yml",
  "/.mergify.yml",
  "/codeowners",
  "/docs/codeowners",
  "/.github/codeowners",
  "/.gitlab/codeowners",
  "/.gitea/codeowners",
  "/.forgejo/codeowners",
  ".gitattributes",
  ".gitmodules",
]);

/**
 * For many paths, of which several trees have most in common. Compared without case: on some checkouts `Sluice.yaml` is
 * the same file, and more governance is the safe side.
 */
export function openGovernance(paths: GovernancePaths): (path: string) => boolean {
  const named = [paths.policies, paths.trust, ...(paths.waivers === null ? [] : [paths.waivers])];
  const folders = named.map((folder) => openFolder(folder.toLowerCase()));
  const known = new Map<string, boolean>();
  return (path) => {
    const remembered = known.get(path);
    if (remembered !== undefined) return remembered;
    const lower = path.toLowerCase();
    const found = folders.some((holds) => holds(lower)) || isGovernanceName(lower);
    known.set(path, found);
    return found;
  };
}

export function isGovernanceFile(path: string, paths: GovernancePaths): boolean {
  return openGovernance(paths)(path);
}

/** For many paths; each answer follows from the path alone. */
export function openCoverage(
  targets: readonly TargetPath[],
  ignore: readonly string[],
  governance: GovernancePaths,
): (path: string) => Coverage {
  const isGovernance = openGovernance(governance);
  const owners = targets.map(({ name, path }) => ({ name, holds: openFolder(path) }));
  const ignored = ignore.map((pattern) => ({ pattern, matches: openPattern(pattern) }));
  return (path) => {
    if (isGovernance(path)) return { kind: "governance" };
    const names = owners.filter(({ holds }) => holds(path)).map(({ name }) => name);
    if (names.length > 0) return { kind: "target", targets: names.sort() };
    const found = ignored.find(({ matches }) => matches(path));
    return found === undefined ? { kind: "uncovered" } : { kind: "ignored", pattern: found.pattern };
  };
}

/** True for the folder or file itself and everything below it; "." and "" are the whole repository. */
export function openFolder(folder: string): (path: string) => boolean {
  const clean = cleanFolder(folder);
  return (path) => clean === "" || path === clean || path.startsWith(`${clean}/`);
}

/** `./clusters/prod/` is `clusters/prod`; the root is "". */
export function cleanFolder(folder: string): string {
  return folder
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
