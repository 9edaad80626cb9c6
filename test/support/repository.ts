import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { type Scope, tempFolder } from "./temp.ts";

/** Seconds of the first commit, 2026-11-01; each further one is a minute later, so that ids are the same in every run. */
const FIRST_COMMIT_SECONDS = 1_793_491_200;

export interface RepositoryOptions {
  readonly objectFormat?: "sha1" | "sha256";
  /** Name of the first branch; "main" when absent. */
  readonly branch?: string;
  /** Folder to create the repository in; a fresh temporary one when absent. */
  readonly path?: string;
}

export interface CommitOptions {
  /** Content by path; null removes the file. */
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
  readonly message?: string;
  /** Path of a private SSH key: the commit is signed with it. */
  readonly signWith?: string;
  /** `Name <email>`; the committer is the author when not said. */
  readonly author?: string;
  readonly committer?: string;
  /** Seconds since the epoch of both dates. */
  readonly seconds?: number;
}

/** A real repository with a work tree, made by real git that sees nobody's configuration. */
export class TestRepository {
  readonly path: string;
  #count = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Standard output without its last newline; throws with standard error when git fails. */
  git(args: readonly string[], options: { input?: string | Uint8Array; env?: Record<string, string> } = {}): string {
    return runGit(this.path, args, options).toString("utf8").replace(/\n$/, "");
  }

  /** Writes the files, adds everything in the work tree and commits, also when nothing changed. */
  commit(options: CommitOptions = {}): CommitId {
    this.write(options.files ?? {});
    this.git(["add", "--all", "--force"]);
    const sign = signArguments(options.signWith);
    const message = options.message ?? `commit ${this.#count + 1}`;
    this.git(
      [...sign.config, "commit", "--quiet", "--allow-empty", "--allow-empty-message", ...sign.flag, "-m", message],
      {
        env: this.#people(options),
      },
    );
    return this.head();
  }

  /** Merges without fast-forward; throws on a conflict. */
  merge(revision: string | readonly string[], options: CommitOptions = {}): CommitId {
    const sign = signArguments(options.signWith);
    const message = options.message ?? "merge";
    this.git([...sign.config, "merge", "--quiet", "--no-ff", ...sign.flag, "-m", message, ...[revision].flat()], {
      env: this.#people(options),
    });
    return this.head();
  }

  /** A commit of exactly this tree and these parents, which no branch knows. */
  commitTree(tree: string, parents: readonly string[] = [], options: CommitOptions = {}): CommitId {
    const sign = signArguments(options.signWith);
    const args = parents.flatMap((parent) => ["-p", parent]);
    const flag = sign.flag.map(() => "-S");
    return commitId(
      this.git([...sign.config, "commit-tree", tree, ...args, ...flag, "-m", options.message ?? "tree"], {
        env: this.#people(options),
      }),
    );
  }

  /** Many commits at once, each changing one file; oldest first. */
  history(count: number, file = "count.txt"): readonly CommitId[] {
    const branch = this.git(["symbolic-ref", "HEAD"]);
    const start = this.#hasHead() ? `from ${this.head()}\n` : "";
    const commits = Array.from({ length: count }, (_, index) => {
      const when = FIRST_COMMIT_SECONDS + this.#next() * 60;
      const who = `committer Ada <ada@example.com> ${when} +0000\ndata 4\nmany\n`;
      const text = `${index}\n`;
      return `commit ${branch}\n${who}${index === 0 ? start : ""}M 100644 inline ${file}\ndata ${text.length}\n${text}\n`;
    });
    this.git(["fast-import", "--quiet"], { input: commits.join("") });
    this.git(["reset", "--quiet", "--hard"]);
    return this.git(["rev-list", "--reverse", `--max-count=${count}`, "HEAD"])
      .split("\n")
      .map(commitId);
  }

  write(files: Readonly<Record<string, string | Uint8Array | null>>): void {
    for (const [path, content] of Object.entries(files)) {
      const whole = join(this.path, path);
      if (content === null) {
        rmSync(whole);
        continue;
      }
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, content);
    }
  }

  /** Writes an object as it is, also one that git would not make. */
  object(type: "blob" | "tree" | "commit" | "tag", body: string | Uint8Array): string {
    return this.git(["hash-object", "-w", "--literally", "-t", type, "--stdin"], { input: body });
  }

  /** A tree object of these entries in exactly this order, whatever they are. */
  rawTree(entries: readonly { mode: string; name: string | Uint8Array; id: string }[]): string {
    const parts = entries.flatMap(({ mode, name, id }) => [
      Buffer.from(`${mode} `),
      Buffer.from(name),
      NUL,
      Buffer.from(id, "hex"),
    ]);
    return this.object("tree", Buffer.concat(parts));
  }

  /** Creates a branch and switches to it. */
  branch(name: string, at = "HEAD"): void {
    this.git(["checkout", "--quiet", "-b", name, at]);
  }

  checkout(name: string): void {
    this.git(["checkout", "--quiet", name]);
  }

  head(): CommitId {
    return commitId(this.git(["rev-parse", "HEAD"]));
  }

  read(path: string): string {
    return readFileSync(join(this.path, path), "utf8");
  }

  #hasHead(): boolean {
    return this.git(["rev-list", "--all", "--max-count=1"]) !== "";
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }

  #people(options: CommitOptions): Record<string, string> {
    const seconds = options.seconds ?? FIRST_COMMIT_SECONDS + this.#next() * 60;
    const author = person(options.author ?? "Ada <ada@example.com>");
    const committer = person(options.committer ?? options.author ?? "Ada <ada@example.com>");
    return {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: `${seconds} +0000`,
      GIT_COMMITTER_NAME: committer.name,
      GIT_COMMITTER_EMAIL: committer.email,
      GIT_COMMITTER_DATE: `${seconds} +0000`,
    };
  }
}

const NUL = Buffer.from([0]);

/** A fresh repository that is gone when the scope ends. */
export async function repository(scope: Scope, options: RepositoryOptions = {}): Promise<TestRepository> {
  const path = options.path ?? join(tempFolder(scope), "repository");
  mkdirSync(path, { recursive: true });
  const format = `--object-format=${options.objectFormat ?? "sha1"}`;
  runGit(path, ["init", "--quiet", format, `--initial-branch=${options.branch ?? "main"}`]);
  return new TestRepository(path);
}

/** git with nobody's configuration; throws with standard error when it fails. */
export function runGit(
  folder: string,
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: Record<string, string> } = {},
): Buffer {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
    ...options.env,
  };
  const answer = spawnSync("git", args, { cwd: folder, env, input: options.input ?? "", maxBuffer: 1 << 28 });
  if (answer.status === 0) return answer.stdout;
  throw new Error(`git ${args.join(" ")} ended with ${answer.status}: ${answer.stderr.toString("utf8")}`);
}

function signArguments(key: string | undefined): { config: string[]; flag: string[] } {
  if (key === undefined) return { config: [], flag: [] };
  return { config: ["-c", "gpg.format=ssh", "-c", `user.signingkey=${key}`], flag: ["-S"] };
}

function person(text: string): { name: string; email: string } {
  const match = /^(.*) <(.*)>$/.exec(text);
  if (match === null) throw new TypeError(`a person is written as "Name <email>": ${text}`);
  return { name: match[1] ?? "", email: match[2] ?? "" };
}
