/** `init`: looks first, says what it found, writes a start that blocks nothing, and never overwrites. */
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { packageRoot } from "../gate/judge-wiring.ts";
import { openPreviewRepository } from "../git/preview.ts";
import { findRepository } from "../git/source.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { firstPerson } from "./first-person.ts";
import { wrap } from "./help.ts";
import type { InitReport } from "./reports/schemas.ts";
import { type FirstPerson, type Folders, type Guess, guessTargets, starterFiles } from "./starter.ts";
import { type Survey, surveyLines, surveyRepository } from "./survey.ts";

export const init: Command = {
  name: "init",
  summary: "look at a repository and write a start that blocks nothing",
  usage: ["init [--dry-run] [--repo DIR] [--key FILE.pub]"],
  options: {
    repo: { type: "string", value: "DIR", description: "the repository; the current folder when absent" },
    key: { type: "string", value: "FILE", description: "your public SSH key, for trust/people.yaml" },
    "dry-run": { type: "boolean", description: "say what was found and show sluice.yaml, write nothing" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [[0, "written, or shown with --dry-run"]],
  example: "sluice init --dry-run\nsays what the repository holds, and the sluice.yaml that fits it",
  run,
};

const WIDTH = 80;
const LABEL_WIDTH = 13;
/** Commands are pasted, fingerprints compared. */
const STAYS_WHOLE = /git add|SHA256:/;

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const top = workTree(resolve(invocation.folder, textOption(invocation, "repo") ?? "."));
  const givenKey = readGivenKey(invocation);
  const repository = await openPreviewRepository({ path: top, scratch: invocation.surroundings.temporaryFolder });
  const done = invocation.output.progress("looking");
  try {
    const survey = await surveyRepository(repository, top);
    const person = await firstPerson(survey.head, repository.objectFormat, givenKey, invocation.clock);
    const guess = guessTargets(survey);
    const folders = freeFolders(top);
    const files = starterFiles(survey, guess, person, folders, join(packageRoot(), "policies"));
    refuseExisting(top, [...files.keys()]);
    const isDry = isSet(invocation, "dry-run");
    if (!isDry) writeAll(top, files);
    done();
    answer(invocation, report(survey, guess, person, files, isDry), () =>
      text(survey, guess, person, folders, files, isDry),
    );
    return EXIT.fine;
  } finally {
    done();
    await repository.close();
  }
}

function workTree(folder: string): string {
  const top = findRepository(folder);
  if (top === null) {
    throw new SluiceError(
      "not-a-repository",
      `${JSON.stringify(folder.slice(0, 500))} is not inside a git repository.`,
      {
        fix: "git init, or --repo DIR",
      },
    );
  }
  if (statusOf(join(top, ".git")) !== null) return top;
  throw new SluiceError("usage", "A bare repository has no work tree to write to.", {
    fix: "--repo of a clone with a work tree",
  });
}

function readGivenKey(invocation: Invocation): string | null {
  const file = textOption(invocation, "key");
  if (file === undefined) return null;
  try {
    return decodeUtf8(new Uint8Array(readFileSync(resolve(invocation.folder, file)))) ?? "";
  } catch (cause) {
    throw new SluiceError("configuration-missing", `${file} cannot be read.`, {
      fix: "--key ~/.ssh/id_ed25519.pub",
      cause,
    });
  }
}

/** A folder that is there already may hold anything, another tool's policies for example: ours then has its own name. */
function freeFolders(top: string): Folders {
  const free = (name: string): string => (statusOf(join(top, name)) === null ? name : `sluice-${name}`);
  return { policies: free("policies"), trust: free("trust") };
}

function statusOf(path: string) {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

/** Links count as existing, so that nothing is ever written outside the work tree. */
function refuseExisting(top: string, paths: readonly string[]): void {
  const first = new Set(paths.map((path) => path.split("/")[0] ?? path));
  const existing = [...first].filter((path) => statusOf(join(top, path)) !== null);
  if (existing.length === 0) return;
  const list = existing.join(", ");
  throw new SluiceError(
    "init-exists",
    `${list} ${existing.length === 1 ? "exists" : "exist"} already; nothing was written.`,
  );
}

/** All or none: what was made here, and only that, is taken back when a later file cannot be written. */
function writeAll(top: string, files: ReadonlyMap<string, Uint8Array>): void {
  const made: string[] = [];
  const make = (path: string, create: () => void): void => {
    create();
    made.push(path);
  };
  try {
    const inFolders = [...files].filter(([path]) => path.includes("/"));
    for (const folder of new Set(inFolders.map(([path]) => path.split("/")[0] ?? path))) {
      make(folder, () => mkdirSync(join(top, folder)));
    }
    for (const [path, bytes] of inFolders) {
      mkdirSync(dirname(join(top, path)), { recursive: true });
      writeFileSync(join(top, path), bytes, { flag: "wx" });
    }
    for (const [path, bytes] of files) {
      if (!path.includes("/")) make(path, () => writeFileSync(join(top, path), bytes, { flag: "wx" }));
    }
  } catch (cause) {
    for (const path of made) rmSync(join(top, path), { recursive: true, force: true });
    throw new SluiceError("usage", "The repository's folder cannot be written to; nothing was left there.", {
      fix: "make the folder writable, then run sluice init again",
      cause,
    });
  }
}

function report(
  survey: Survey,
  { targets, unsupported }: Guess,
  person: FirstPerson | null,
  files: ReadonlyMap<string, Uint8Array>,
  isDry: boolean,
): InitReport {
  return {
    apiVersion: "sluice/v1",
    kind: "Init",
    exitCode: EXIT.fine,
    written: !isDry,
    found: [...surveyLines(survey)],
    targets: targets.map(({ name, path }) => ({ name, path })),
    unsupported: [...unsupported],
    person: person === null ? null : { id: person.id, key: person.key?.fingerprint ?? null },
    files: [...files.keys()].sort(),
  };
}

function text(
  survey: Survey,
  guess: Guess,
  person: FirstPerson | null,
  folders: Folders,
  files: ReadonlyMap<string, Uint8Array>,
  isDry: boolean,
): string {
  const word = isDry ? "would write" : "wrote";
  const targets = guess.targets.map(({ name, path }) => `${name} (${path})`).join(", ");
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["found", surveyLines(survey)],
    [
      word,
      [
        `sluice.yaml, mode observe: ${targets === "" ? "no target was found, name yours there" : targets}`,
        `${folders.trust}/people.yaml: ${personText(person)}`,
        `${folders.policies}/: image-digest, k8s-privileged, k8s-readable`,
        "waivers.yaml: empty",
      ],
    ],
    [
      "not yet",
      guess.unsupported.length === 0
        ? []
        : [`${guess.unsupported.length} folders of Kustomize or Helm are named in sluice.yaml`],
    ],
    ["next", [nextText(isDry, folders)]],
  ];
  const lines = rows.flatMap(([label, lines]) =>
    lines
      .flatMap((line) => (STAYS_WHOLE.test(line) ? [line] : wrap(line, WIDTH - LABEL_WIDTH)))
      .map((line, index) => `${(index === 0 ? label : "").padEnd(LABEL_WIDTH)}${line}\n`),
  );
  const shown = isDry ? `\n${decodeUtf8(files.get("sluice.yaml") ?? new Uint8Array()) ?? ""}` : "";
  return `${lines.join("")}${shown}`;
}

function personText(person: FirstPerson | null): string {
  if (person === null) return "nobody yet";
  return person.key === null ? `${person.id}, no key is known` : `${person.id}, ${person.key.fingerprint}`;
}

function nextText(isDry: boolean, folders: Folders): string {
  if (isDry) return "sluice init";
  return `sluice config check, then commit: git add sluice.yaml waivers.yaml ${folders.trust} ${folders.policies}`;
}
