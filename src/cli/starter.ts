/** The files with which a repository starts: texts only, nothing is written here. Everything in them is for people to edit. */
import { join } from "node:path";
import { encodeBase64, utf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { readFolderFiles } from "./folder-files.ts";
import { isInside, type Survey } from "./survey.ts";

export interface GuessedTarget {
  readonly name: string;
  readonly path: string;
}

export interface Guess {
  readonly targets: readonly GuessedTarget[];
  /** Folders that cannot be rendered yet, with their tool, sorted. */
  readonly unsupported: readonly { readonly folder: string; readonly tool: "Kustomize" | "Helm" }[];
}

/** Folders whose sub-folders are environments more often than not. */
const ENVIRONMENT_ROOTS = new Set([
  "clusters",
  "environments",
  "envs",
  "env",
  "overlays",
  "deploy",
  "deployments",
  "stages",
]);
const MOST_TARGETS = 20;

/** A target for each environment folder, or for each top folder; none that holds what is not rendered yet. */
export function guessTargets(survey: Survey): Guess {
  const unsupported = [
    ...survey.kustomizeFolders.map((folder) => ({ folder, tool: "Kustomize" as const })),
    ...survey.chartFolders.map((folder) => ({ folder, tool: "Helm" as const })),
  ].sort((a, b) => (a.folder < b.folder ? -1 : 1));
  const isPlain = (path: string): boolean => !unsupported.some(({ folder }) => isInside(folder, path));
  const paths = [...new Set(survey.manifestFolders.map(targetPath))].filter(isPlain);
  const below = paths.filter((path) => path !== "");
  const chosen = (below.length > 0 ? below : paths).slice(0, MOST_TARGETS);
  return { targets: named(chosen), unsupported };
}

function targetPath(folder: string): string {
  return environmentOf(`${folder}/`) ?? folder.split("/")[0] ?? folder;
}

/** `clusters/staging` for any file below it; null for a file that lies in nothing like an environment. */
export function environmentOf(path: string): string | null {
  const [first = "", second, below] = path.split("/");
  return ENVIRONMENT_ROOTS.has(first) && second !== undefined && below !== undefined ? `${first}/${second}` : null;
}

function named(paths: readonly string[]): readonly GuessedTarget[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    const plain = slug(path.split("/").at(-1) ?? "") || "main";
    const isFree = (name: string): boolean => !taken.has(name);
    const name = [plain, ...Array.from({ length: MOST_TARGETS }, (_, index) => `${plain}-${index + 2}`)].find(isFree);
    taken.add(name ?? plain);
    return { name: name ?? plain, path: path === "" ? "." : path };
  });
}

/** Lower-case letters, digits and dashes, 40 characters at most; empty where nothing of it remains. */
export function slug(text: string): string {
  const letters = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return letters
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
}

export interface Folders {
  readonly policies: string;
  readonly trust: string;
}

function sluiceYaml(survey: Survey, guess: Guess, folders: Folders): string {
  const isEmpty = guess.targets.length === 0;
  const targets = isEmpty ? [{ name: "main", path: "manifests" }] : guess.targets;
  const head =
    survey.head === null ? [] : [`    after: "${survey.head.id}"   # previews do not look at commits up to this one`];
  const lines = [
    "# What Sluice judges here, and how. It is read at the last landed commit, never from a change.",
    "# Every key is described by `sluice config schema sluice`; `sluice config check` reads this file.",
    "version: 1",
    `policies: ${folders.policies}/   # the rules; each folder is one`,
    `trust: ${folders.trust}/   # who may sign and approve`,
    "waivers: waivers.yaml   # reviewed exceptions that end",
    "# Paths that are neither judged nor released. Their commits are verified all the same.",
    'ignore: ["*.md", docs/**, LICENSE, .gitignore, .editorconfig]',
    ...unsupportedLines(guess),
    "targets:",
    ...(isEmpty ? ["  # No folder with plain manifests was found: name yours."] : []),
    ...targets.flatMap((target) => [
      `  ${target.name}:`,
      `    branch: ${yamlText(survey.branch)}   # what lands here is released`,
      `    path: ${yamlText(target.path)}   # the folder with the manifests`,
      "    mode: observe   # says what it would refuse and refuses nothing; then warn, then enforce",
      "    signatures: {require: every-commit, signer: either}   # every commit is signed by its author or committer",
      "    approvals: {count: 0}   # how many other people say yes; raise it when trust lists them",
      ...head,
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

function unsupportedLines({ unsupported }: Guess): readonly string[] {
  if (unsupported.length === 0) return [];
  const shown = unsupported
    .slice(0, MOST_TARGETS)
    .map(({ folder, tool }) => `#   ${printable(folder || ".")} (${tool})`);
  const more = unsupported.length > shown.length ? [`#   and ${unsupported.length - shown.length} more`] : [];
  return ["# Not rendered yet, so no target holds them:", ...shown, ...more];
}

const PLAIN_WORD = /^[A-Za-z][A-Za-z0-9_/-]*$/;
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A YAML scalar that every reader takes for exactly this text. */
export function yamlText(text: string): string {
  if (PLAIN_WORD.test(text) && !RESERVED.test(text)) return text;
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    [...character].flatMap(unitEscapes).join(""),
  );
}

function unitEscapes(character: string): string[] {
  return Array.from({ length: character.length }, (_, index) => character.charCodeAt(index)).map(
    (unit) => `\\u${unit.toString(16).padStart(4, "0")}`,
  );
}

/** The person whom HEAD shows; nobody where it shows no usable address. */
export interface FirstPerson {
  readonly id: string;
  readonly email: string;
  /** Public SSH key line, and where it is from, for people. */
  readonly key: { readonly line: string; readonly fingerprint: string; readonly source: string } | null;
}

function peopleYaml(person: FirstPerson | null): string {
  const lines = [
    "# Who owns which key, and who may what. Only whoever stands here can sign or approve anything.",
    "# Compare every fingerprint with its owner, not with this repository: `ssh-keygen -lf KEY.pub`.",
    "# Nobody is here by default; a newcomer's block is added by a colleague in a signed commit.",
    "# change: {count: 1, roles: [security]}   # who may change this folder; without it, one other person",
    ...(person === null ? ["people: {}"] : ["people:", ...personLines(person)]),
  ];
  return `${lines.join("\n")}\n`;
}

function personLines({ id, email, key }: FirstPerson): readonly string[] {
  const lead = [
    `  ${yamlText(id)}:`,
    `    email: [${yamlText(email)}]   # of commits that are theirs`,
    "    roles: []   # what approval rules ask for, for example platform, security",
  ];
  if (key === null)
    return [...lead, "    keys: []   # none is known: list a public SSH key line, or {file: keys/NAME.asc}"];
  return [...lead, `    # ${key.fingerprint}, ${key.source}`, `    keys: [${yamlText(key.line)}]`];
}

function waiversYaml(): string {
  return [
    "# Reviewed, scoped exceptions that end. One counts after it has landed; `until` is 180 days ahead at most.",
    "# - {rule: k8s-privileged, target: prod, resource: DaemonSet/falco/falco, reason: why, owner: ada, until: 2027-02-28}",
    "[]",
    "",
  ].join("\n");
}

const FIRST_POLICIES = ["image-digest", "k8s-privileged", "k8s-readable"] as const;

/** Whole folders of the library, with tests and examples, by their path in the repository. */
function policyFiles(library: string, folder: string): ReadonlyMap<string, Uint8Array> {
  const files = FIRST_POLICIES.flatMap((name) =>
    [...readFolderFiles(join(library, name))].map(([path, bytes]) => [`${folder}/${name}/${path}`, bytes] as const),
  );
  if (files.length === 0) throw new SluiceError("internal", "the library of policies is empty");
  return new Map(files);
}

export function starterFiles(
  survey: Survey,
  guess: Guess,
  person: FirstPerson | null,
  folders: Folders,
  library: string,
): ReadonlyMap<string, Uint8Array> {
  return new Map([
    ["sluice.yaml", utf8(sluiceYaml(survey, guess, folders))],
    [`${folders.trust}/people.yaml`, utf8(peopleYaml(person))],
    ...policyFiles(library, folders.policies),
    ["waivers.yaml", utf8(waiversYaml())],
  ]);
}

export function keyLine(type: string, blob: Uint8Array, comment: string): string {
  return `${type} ${encodeBase64(blob)} ${comment}`;
}
