/**
 * A whole world in a temporary folder: a forge's bare repository, a clone, people with SSH keys, a gate, an agent and an
 * adopted target; every door is the real command line in a process of its own. Making one takes a second or two, copying
 * one next to nothing, so that a file makes a world once and each of its tests takes a copy.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  APPROVAL_LIFETIME_MS,
  APPROVAL_NAMESPACE,
  type ApprovalStatement,
  preAuthentication,
  statementBytes,
  writeEnvelope,
} from "../../src/decision/envelope.ts";
import type { CheckReport, TargetReport } from "../../src/gate/json/check.ts";
import type { landedReport } from "../../src/gate/json/landed.ts";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { fingerprint, sha256Hex } from "../../src/lib/digest.ts";
import { formatTime } from "../../src/lib/time.ts";
import { generateNoteKey } from "../../src/log/note.ts";
import { runGit, TestRepository } from "./repository.ts";
import { configMap, deployment, document, type Files, type Json, POLICIES } from "./shop.ts";
import { sshKeyPair, sshSign } from "./signing.ts";
import { runSluice, type SluiceOptions, type SluiceRun } from "./sluice.ts";
import { type Scope, tempFolder } from "./temp.ts";

export type Landings = ReturnType<typeof landedReport>;

/** ada writes, lin has role platform, jo role security, max none; mallory's key is nobody's. */
const PEOPLE = ["ada", "lin", "jo", "max"] as const;
export type Signer = (typeof PEOPLE)[number] | "forge" | "mallory";

const LOG_NAME = "gate.example/log";
const RELEASE_NAME = "gate.example/release";
const AGENT_NAME = "prod-1";

export interface WorldOptions {
  /** Keys of the target in sluice.yaml that differ from one approval by role platform; null leaves one out. */
  readonly target?: Json;
  /** Keys of sluice.yaml beside its target. */
  readonly sluice?: Json;
  /** Keys of people.yaml that differ. */
  readonly trust?: Json;
  /** Keys of gate.yaml that differ. */
  readonly gate?: Json;
  /** Keys of the target in gate.yaml that differ. */
  readonly gateTarget?: Json;
  /** Files of the first commit that differ; null leaves one out. */
  readonly files?: Files;
  /** False: the target has no first approved state. */
  readonly adopt?: boolean;
}

export interface Answer<R = Json> extends SluiceRun {
  /** Standard output as JSON; looking at it fails where there is none. */
  readonly report: R;
  /** The code that standard error begins with; null where nothing is said. */
  readonly error: string | null;
}

export interface Proposal {
  readonly files?: Files;
  readonly by?: Signer;
  /** `Name <email>` where it is not the signer's own. */
  readonly author?: string;
  readonly message?: string;
  readonly signed?: boolean;
  /** Where the branch begins; the forge's main when absent. */
  readonly from?: string;
  /** Name of the branch; a fresh one when absent. */
  readonly branch?: string;
  readonly seconds?: number;
}

export interface Landing {
  /** Another tree than that of merging the head. */
  readonly tree?: string;
  /** Who signs; null for nobody. */
  readonly by?: Signer | null;
  readonly message?: string;
}

/** A world to take copies of. */
export async function makeWorld(scope: Scope, options: WorldOptions = {}): Promise<World> {
  const folder = tempFolder(scope);
  for (const name of ["keys", "home", "tmp"]) mkdirSync(join(folder, name), { mode: 0o700 });
  for (const name of [...PEOPLE, "forge", "mallory"]) sshKeyPair(join(folder, "keys"), name);
  runGit(folder, ["init", "--quiet", "--template=", "--initial-branch=main", "shop"]);
  const world = new World(folder);
  world.repo.commit({ files: firstFiles(world, options), message: "begin", signWith: world.key("ada") });
  runGit(folder, ["clone", "--quiet", "--template=", "--bare", "shop", "shop.git"]);
  world.repo.git(["remote", "add", "origin", "../shop.git"]);
  world.fetch();
  writeOperatorFiles(world, options);
  if (options.adopt !== false) await world.adopt();
  return world;
}

function firstFiles(world: World, { target = {}, sluice = {}, trust = {}, files = {} }: WorldOptions): Files {
  const approvals = { count: 1, roles: ["platform"] };
  const prod = without({ branch: "main", path: "clusters/prod", approvals, ...target });
  const first: Files = {
    "sluice.yaml": document({ version: 1, ignore: ["*.md"], targets: { prod }, ...sluice }),
    "trust/people.yaml": document(world.trust(trust)),
    "clusters/prod/web.yaml": deployment("web"),
    "clusters/prod/api.yaml": deployment("api"),
    "clusters/prod/colours.yaml": configMap("colours"),
    "README.md": "a shop\n",
    ...POLICIES,
    ...files,
  };
  return without(first) as Files;
}

function without(all: Json): Json {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

function writeOperatorFiles(world: World, { gate = {}, gateTarget = {} }: WorldOptions): void {
  const log = generateNoteKey(LOG_NAME, randomBytes(32));
  const release = generateNoteKey(RELEASE_NAME, randomBytes(32));
  const agent = generateNoteKey(AGENT_NAME, randomBytes(32));
  for (const [name, { skey }] of Object.entries({ log, release, agent })) {
    world.write(`${name}.key`, `${skey}\n`, 0o600);
  }
  const channels = [{ directory: "./channel" }];
  const prod = { repository: "shop", branch: "main", channels, agents: [agent.vkey], reports: "./reports" };
  const gateYaml = {
    version: 1,
    repositories: { shop: { url: "./shop.git" } },
    targets: { prod: { ...prod, ...gateTarget } },
    log: { store: "sqlite:./data/log.db", origin: LOG_NAME, key: { file: "log.key" }, anchor: "./anchor" },
    release: { key: { file: "release.key" } },
    ...gate,
  };
  world.write("gate.yaml", document(gateYaml));
  const agentYaml = {
    version: 1,
    target: "prod",
    channel: { directory: "./channel" },
    apply: { files: "./www" },
    name: AGENT_NAME,
    key: { file: "agent.key" },
    report: { directory: "./reports" },
    log: { origin: LOG_NAME, keys: [log.vkey] },
    releaseKeys: [release.vkey],
    minimumSequence: 1,
    state: "./agent-state",
  };
  world.write("agent.yaml", document(agentYaml));
}

export class World {
  readonly folder: string;
  /** The clone in which everybody works; its folder's name is what approvals call the repository. */
  readonly repo: TestRepository;
  /** The forge's bare repository. */
  readonly forge: string;
  #branches = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.repo = new TestRepository(join(folder, "shop"));
    this.forge = join(folder, "shop.git");
  }

  /** The same world with the same keys and the same log so far; what happens in one stays unknown to the other. */
  copy(scope: Scope): World {
    const folder = tempFolder(scope);
    cpSync(this.folder, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    for (const name of ["data", "home", "tmp"]) {
      if (existsSync(join(folder, name))) chmodSync(join(folder, name), 0o700);
    }
    return new World(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  write(name: string, content: string | Uint8Array, mode?: number): void {
    writeFileSync(this.path(name), content, mode === undefined ? {} : { mode });
  }

  /** Every file below a folder of the world, as paths from the world's own. */
  files(name = "."): readonly string[] {
    if (!existsSync(this.path(name))) return [];
    return readdirSync(this.path(name), { recursive: true })
      .map((entry) => join(this.path(name), String(entry)))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
      .map((path) => relative(this.folder, path))
      .sort();
  }

  /** Changes keys at the top of gate.yaml or agent.yaml. */
  configure(name: "gate.yaml" | "agent.yaml", change: (now: Json) => Json): void {
    const now = JSON.parse(this.read(name)) as Json;
    this.write(name, document({ ...now, ...change(now) }));
  }

  // People and keys

  key(name: Signer): string {
    return this.path(`keys/${name}`);
  }

  /** Kind and body of a public key, as people.yaml holds it. */
  publicKey(name: Signer): string {
    return readFileSync(`${this.key(name)}.pub`, "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
  }

  /** SHA256:…, as gate.yaml and reports write it. */
  fingerprint(name: Signer): string {
    return fingerprint(Buffer.from(this.publicKey(name).split(" ")[1] ?? "", "base64"));
  }

  person(name: Signer, change: Json = {}): Json {
    return { email: [`${name}@example.com`], roles: ROLES[name] ?? [], keys: [this.publicKey(name)], ...change };
  }

  /** people.yaml as an object. */
  trust(change: Json = {}): Json {
    const people = Object.fromEntries(PEOPLE.map((name) => [name, this.person(name)]));
    const forges = { github: { keys: [this.publicKey("forge")], may: ["squash", "merge"] } };
    return { people, forges, ...change };
  }

  // Git

  fetch(): void {
    this.repo.git(["fetch", "--quiet", "origin"]);
  }

  /** The forge's main. */
  tip(): CommitId {
    return commitId(runGit(this.forge, ["rev-parse", "main"]).toString().trim());
  }

  treeOf(revision: string): string {
    return this.repo.git(["rev-parse", `${revision}^{tree}`]);
  }

  /** A commit on a branch of its own, pushed to the forge. */
  propose(proposal: Proposal = {}): CommitId {
    const { from = "origin/main", branch = this.#branch() } = proposal;
    this.repo.git(["checkout", "--quiet", "-B", branch, from]);
    return this.commit({ ...proposal, branch });
  }

  /** One more commit where the clone stands, pushed to a branch of the forge. */
  commit(proposal: Proposal = {}): CommitId {
    const { files = {}, by = "ada", signed = true, message, seconds } = proposal;
    const head = this.repo.commit({
      files,
      author: proposal.author ?? `${by} <${by}@example.com>`,
      ...(signed ? { signWith: this.key(by) } : {}),
      ...(message === undefined ? {} : { message }),
      ...(seconds === undefined ? {} : { seconds }),
    });
    const branch = proposal.branch ?? this.repo.git(["symbolic-ref", "--short", "HEAD"]);
    this.repo.git(["push", "--quiet", "--force", "origin", `HEAD:refs/heads/${branch}`]);
    return head;
  }

  #branch(): string {
    this.#branches += 1;
    return `branch-${this.#branches}`;
  }

  /** Lands without a pull request: a commit of one's own, pushed to main. */
  push(proposal: Proposal = {}): CommitId {
    const head = this.propose(proposal);
    this.moveMain(head);
    return head;
  }

  /** As the forge's button does: one new commit on main with the tree of the merge, signed by the forge. */
  squash(head: string, landing: Landing = {}): CommitId {
    return this.#land(head, landing, [this.tip()], "squash");
  }

  /** The forge's other button: both parents. */
  merge(head: string, landing: Landing = {}): CommitId {
    return this.#land(head, landing, [this.tip(), head], "merge");
  }

  #land(head: string, { tree, by = "forge", message }: Landing, parents: readonly string[], how: string): CommitId {
    const merged = tree ?? this.repo.git(["merge-tree", "--write-tree", this.tip(), head]);
    const commit = this.repo.commitTree(merged, parents, {
      author: "ada <ada@example.com>",
      committer: "GitHub <noreply@forge.example>",
      message: message ?? `${how} (#1)`,
      ...(by === null ? {} : { signWith: this.key(by) }),
    });
    this.moveMain(commit);
    return commit;
  }

  /** Whatever it was before. */
  moveMain(commit: string): void {
    this.repo.git(["push", "--quiet", "--force", "origin", `${commit}:refs/heads/main`]);
    this.fetch();
  }

  // Doors

  async sluice<R = Json>(args: readonly string[], options: SluiceOptions = {}): Promise<Answer<R>> {
    const home = this.path("home");
    const env = {
      HOME: home,
      XDG_CACHE_HOME: join(home, "cache"),
      XDG_CONFIG_HOME: join(home, "config"),
      TMPDIR: this.path("tmp"),
    };
    const run = await runSluice(args, { cwd: this.repo.path, ...options, env: { ...env, ...options.env } });
    return asAnswer(run);
  }

  #gate<R = Json>(args: readonly string[]): Promise<Answer<R>> {
    return this.sluice([...args, "--config", "../gate.yaml", "--format", "json"]);
  }

  adopt(args: readonly string[] = []): Promise<Answer> {
    return this.#gate(["adopt", "prod", "--reason", "what runs", "--as", "ops", ...args]);
  }

  /** The gate's word about a proposal. */
  check(head: string, args: readonly string[] = []): Promise<Answer<CheckReport>> {
    return this.#gate(["check", "--head", head, ...args]);
  }

  preview(head: string, args: readonly string[] = []): Promise<Answer<CheckReport>> {
    return this.sluice(["check", "--head", head, "--format", "json", ...args]);
  }

  /** Signs a yes with the command that people use, and pushes it. */
  async approveByCommand(by: Signer, revision: string): Promise<Answer<{ ref: string }>> {
    const args = ["approve", revision, "--target", "prod", "--key", this.key(by), "--format", "json"];
    const made = await this.sluice<{ ref: string }>(args);
    if (made.code === 0) this.repo.git(["push", "--quiet", "origin", made.report.ref]);
    return made;
  }

  /** The same yes, bound to the tree of the merge, without a process: for tests that are about something else. */
  approve(by: Signer, revision: string, change: Partial<ApprovalStatement> = {}): void {
    const envelope = this.approval(by, revision, change);
    const ref = `refs/sluice/approvals/${sha256Hex(envelope)}`;
    this.repo.git(["update-ref", ref, this.repo.object("blob", envelope)]);
    this.repo.git(["push", "--quiet", "origin", ref]);
  }

  /** Its envelope, which nobody has seen yet. */
  approval(by: Signer, revision: string, change: Partial<ApprovalStatement> = {}): Uint8Array {
    const base = this.repo.git(["rev-parse", "origin/main"]);
    const statement: ApprovalStatement = {
      repository: "shop",
      target: "prod",
      base,
      head: this.repo.git(["rev-parse", revision]),
      tree: this.repo.git(["merge-tree", "--write-tree", base, revision]),
      changeDigest: "0".repeat(64),
      judge: base,
      approver: by,
      expiresAt: formatTime(Date.now() + APPROVAL_LIFETIME_MS),
      ...change,
    };
    const message = preAuthentication(statementBytes(statement));
    const pair = { path: this.key(by), line: this.publicKey(by) };
    return writeEnvelope(statement, sshSign(pair, message, APPROVAL_NAMESPACE));
  }

  release(): Promise<Answer<Landings>> {
    return this.#gate(["release", "prod"]);
  }

  rollback(to: number): Promise<Answer<Landings>> {
    return this.#gate(["rollback", "prod", "--to", `${to}`, "--reason", "it broke", "--as", "ops"]);
  }

  signHead(): Promise<Answer> {
    return this.#gate(["head", "prod"]);
  }

  hold(scope = "prod"): Promise<Answer> {
    return this.#gate(["hold", scope, "--reason", "migration", "--as", "sam"]);
  }

  resume(scope = "prod"): Promise<Answer> {
    return this.#gate(["resume", scope, "--reason", "done", "--as", "sam"]);
  }

  log<R = Json>(args: readonly string[]): Promise<Answer<R>> {
    return this.#gate(["log", ...args]);
  }

  agent(): Promise<Answer> {
    return this.sluice(["agent", "--once", "--config", "../agent.yaml", "--format", "json"]);
  }

  /** Number of entries, by a verification of the whole log; fails when it does not verify. */
  async verifiedSize(): Promise<number> {
    const { code, report, stderr } = await this.log<{ size: number }>(["verify"]);
    if (code !== 0) throw new Error(`the log does not verify: ${stderr}${JSON.stringify(report)}`);
    return report.size;
  }

  /** Proposes, has lin approve, checks, squashes and releases: the main road. */
  async land(files: Files): Promise<Answer<Landings>> {
    const head = this.propose({ files });
    this.approve("lin", head);
    await this.check(head);
    this.squash(head);
    return this.release();
  }
}

const ROLES: Readonly<Partial<Record<Signer, readonly string[]>>> = { lin: ["platform"], jo: ["security"] };

function asAnswer<R>(run: SluiceRun): Answer<R> {
  const error = /^([a-z][a-z0-9-]*) {2}/.exec(run.stderr)?.[1] ?? null;
  return {
    ...run,
    error,
    get report(): R {
      if (run.stdout === "") throw new Error(`no report; exit ${run.code}: ${run.stderr}`);
      return JSON.parse(run.stdout) as R;
    },
  };
}

/** The one target of a check. */
export function onlyTarget(report: CheckReport): TargetReport {
  const [target] = report.targets;
  if (target === undefined || report.targets.length !== 1) throw new Error(`${report.targets.length} targets`);
  return target;
}

/** The codes of its reasons, sorted, each once. */
export function reasonCodes(report: CheckReport): readonly string[] {
  return [...new Set(onlyTarget(report).reasons.map((reason) => reason.code))].sort();
}
