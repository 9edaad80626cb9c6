/** Reads a Dockerfile and carries out its stages in folders, as far as that goes without Docker. */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { must } from "./npm.ts";

export interface Instruction {
  readonly word: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export interface BuiltStage {
  /** The folder that stands for the image's root. */
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly entrypoint: readonly string[];
  /** RUN lines that were left to Docker: they change the system. */
  readonly left: readonly string[];
}

/** Only the instructions and forms that our own file uses; anything else is refused. */
export function readDockerfile(path: string): readonly Stage[] {
  const lines = readFileSync(path, "utf8")
    .replace(/^\s*#.*$/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n");
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines.map((text) => text.trim()).filter((text) => text !== "")) {
    const [, word = "", text = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (word === "FROM") {
      const [base = "", , name = String(stages.length)] = text.split(/\s+/);
      stages.push({ name, base, instructions: [] });
    } else if (/^(?:RUN|COPY|WORKDIR|ENV|USER|ENTRYPOINT|CMD)$/.test(word)) {
      stages.at(-1)?.instructions.push({ word, text });
    } else {
      throw new Error(`an instruction this reader does not know: ${line}`);
    }
  }
  return stages;
}

interface Ground {
  /** What `docker build` would be given. */
  readonly context: string;
  /** Folder below which each stage gets one. */
  readonly folder: string;
  /** PATH of RUN steps: it holds what the base images bring. */
  readonly path: string;
}

export function buildStages(stages: readonly Stage[], ground: Ground): ReadonlyMap<string, BuiltStage> {
  const built = new Map<string, BuiltStage>();
  for (const stage of stages) built.set(stage.name, buildStage(stage, built, ground));
  return built;
}

function buildStage(stage: Stage, others: ReadonlyMap<string, BuiltStage>, ground: Ground): BuiltStage {
  const root = join(ground.folder, stage.name);
  mkdirSync(root, { recursive: true });
  const left: string[] = [];
  const env: Record<string, string> = {};
  let [workdir, user, entrypoint]: [string, string | null, readonly string[]] = ["/", null, []];
  for (const { word, text } of stage.instructions) {
    const here = join(root, workdir);
    if (word === "WORKDIR") {
      workdir = text;
      mkdirSync(join(root, workdir), { recursive: true });
    } else if (word === "RUN" && /^apt-get /.test(text)) left.push(text);
    else if (word === "RUN") must(here, ground.path, ["bash", "-euo", "pipefail", "-c", text]);
    else if (word === "COPY") copy(text, here, root, others, ground.context);
    else if (word === "USER") user = text;
    else if (word === "ENTRYPOINT") entrypoint = JSON.parse(text) as string[];
    else if (word === "ENV") env[text.slice(0, text.indexOf("="))] = text.slice(text.indexOf("=") + 1);
  }
  return { root, workdir, env, user, entrypoint, left };
}

/** `[--from=STAGE] SOURCE... TARGET`: a folder's content goes into TARGET, a file below it when TARGET ends in a slash. */
function copy(
  text: string,
  here: string,
  root: string,
  others: ReadonlyMap<string, BuiltStage>,
  context: string,
): void {
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith("--from=") ? words.shift()?.slice("--from=".length) : undefined;
  const target = words.pop() ?? "";
  const source = from === undefined ? context : others.get(from)?.root;
  if (source === undefined) throw new Error(`COPY from a stage that is not there: ${text}`);
  if (from !== undefined && others.get(from)?.left.length === 0 && globSync("*", { cwd: source }).length === 0) return; // a bare base image: what it brings is on PATH
  for (const word of words) {
    const path = join(source, word);
    if (!existsSync(path)) throw new Error(`COPY of what is not there: ${relative(source, path)}`);
    const into = target.startsWith("/") ? join(root, target) : join(here, target);
    cpSync(path, target.endsWith("/") && word !== "." ? join(into, basename(word)) : into, {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}
