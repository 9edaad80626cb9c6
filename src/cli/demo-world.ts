/** The demo's own world: a forge, two people's clones, a gate and an agent, in one temporary folder, with real keys. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../gate/judge-wiring.ts";
import { generateNoteKey } from "../log/note.ts";
import * as files from "./demo-files.ts";

export interface World {
  readonly folder: string;
  /** ada's clone. */
  readonly shop: string;
  /** lin's clone. */
  readonly lin: string;
  readonly gate: string;
  /** What runs here and in its child processes. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the forge signs with OpenPGP (gpg is installed) or with SSH. */
  readonly hasGpg: boolean;
}

const PEOPLE = { ada: "Ada", lin: "Lin", jo: "Jo" } as const;
const FORGE = "github";

/** Real git, real ssh-keygen, gpg where it is installed; nothing outside `folder` is read or written. */
export function makeWorld(folder: string, path: string): World {
  const environment = surroundings(folder, path);
  const shop = join(folder, "ada", "shop");
  const lin = join(folder, "lin", "shop");
  const gate = join(folder, "gate");
  for (const part of [
    shop,
    join(folder, "lin"),
    gate,
    join(folder, "keys"),
    join(folder, "home"),
    join(folder, "gnupg"),
  ]) {
    mkdirSync(part, { recursive: true, mode: 0o700 });
  }
  const world: World = { folder, shop, lin, gate, environment, hasGpg: isInstalled("gpg", environment) };
  for (const person of Object.keys(PEOPLE)) sshKey(world, person);
  if (world.hasGpg) openPgpKey(world);
  else sshKey(world, FORGE);
  firstState(world);
  gateAndAgent(world);
  return world;
}

/** Stops what gpg left running for the demo's own keys, then removes everything. */
export function removeWorld(world: World): void {
  if (world.hasGpg) run(world, world.folder, "gpgconf", ["--kill", "all"]);
  rmSync(world.folder, { recursive: true, force: true });
}

function surroundings(folder: string, path: string): Readonly<Record<string, string>> {
  const home = join(folder, "home");
  return {
    PATH: path,
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    GNUPGHOME: join(folder, "gnupg"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    LC_ALL: "C",
  };
}

/** sluice.yaml, trust, policies and two targets, signed by ada and pushed to the forge as its first commit. */
function firstState(world: World): void {
  const { shop, folder } = world;
  git(world, shop, "init", "-q", "-b", "main");
  identify(world, shop, "ada");
  writeAll(shop, files.shopFiles(publicKeys(world)));
  copyPolicies(shop);
  if (world.hasGpg)
    writeAll(shop, { [`trust/keys/${FORGE}.asc`]: run(world, folder, "gpg", ["--armor", "--export", FORGE]) });
  git(world, shop, "add", ".");
  git(world, shop, "commit", "-q", "-S", "-m", "shop: first state");
  git(world, folder, "clone", "-q", "--bare", shop, join(folder, "forge", "shop.git"));
  git(world, shop, "remote", "add", "origin", "../../forge/shop.git");
  git(world, shop, "fetch", "-q", "origin");
  git(world, folder, "clone", "-q", join(folder, "forge", "shop.git"), world.lin);
  identify(world, world.lin, "lin");
}

/** Keys as `sluice keygen` makes them, gate.yaml, agent.yaml, and a second agent file that reads a replayed channel. */
function gateAndAgent({ folder, gate }: World): void {
  const agent = join(folder, "agent");
  const log = noteKey(join(gate, "log.key"), "gate.example/log");
  const release = noteKey(join(gate, "release.key"), "gate.example/release");
  mkdirSync(agent, { mode: 0o700 });
  const reporter = noteKey(join(agent, "agent.key"), "prod-1");
  const text = files.agentYaml(log, release);
  writeAll(gate, { "gate.yaml": files.gateYaml(reporter) });
  writeAll(agent, { "agent.yaml": text, "agent-replay.yaml": text.replace("../channel/prod", "../channel-at-1/prod") });
}

function noteKey(file: string, name: string): string {
  const { skey, vkey } = generateNoteKey(name, new Uint8Array(randomBytes(32)));
  writeFileSync(file, `${skey}\n`, { mode: 0o600 });
  return vkey;
}

/** The product's own library, without its tests and examples. */
function copyPolicies(shop: string): void {
  const library = join(packageRoot(), "policies");
  for (const name of readdirSync(library).filter((one) => existsSync(join(library, one, "policy.rego")))) {
    mkdirSync(join(shop, "policies", name), { recursive: true });
    cpSync(join(library, name, "policy.rego"), join(shop, "policies", name, "policy.rego"));
  }
}

function identify(world: World, clone: string, person: keyof typeof PEOPLE): void {
  git(world, clone, "config", "user.name", PEOPLE[person]);
  git(world, clone, "config", "user.email", `${person}@example.com`);
  git(world, clone, "config", "gpg.format", "ssh");
  git(world, clone, "config", "user.signingkey", join(world.folder, "keys", person));
}

function sshKey({ folder, environment }: World, owner: string): void {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", owner, "-f", join(folder, "keys", owner)], {
    env: environment,
  });
}

function openPgpKey(world: World): void {
  const identity = `${FORGE} <noreply@forge.example>`;
  run(world, world.folder, "gpg", [
    "--batch",
    "--quiet",
    "--pinentry-mode",
    "loopback",
    "--passphrase",
    "",
    "--quick-generate-key",
    identity,
    "ed25519",
    "sign",
    "never",
  ]);
}

/** As people.yaml names them. */
function publicKeys({ folder, hasGpg }: World): Readonly<Record<string, string>> {
  const owners = [...Object.keys(PEOPLE), FORGE];
  return Object.fromEntries(
    owners.map((owner) => [
      owner,
      owner === FORGE && hasGpg ? `keys/${FORGE}.asc` : publicKey(join(folder, "keys", `${owner}.pub`)),
    ]),
  );
}

function publicKey(file: string): string {
  return readFileSync(file, "utf8").split(" ").slice(0, 2).join(" ");
}

export function writeAll(folder: string, contents: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

export function git(world: World, folder: string, ...args: readonly string[]): string {
  return run(world, folder, "git", args).trim();
}

/** What a forge does when somebody presses "squash and merge": one commit on main with the proposal's tree, signed by the forge. */
export function squashMerge(world: World, branch: string, message: string): string {
  const bare = join(world.folder, "forge", "shop.git");
  const tree = git(world, bare, "rev-parse", `${branch}^{tree}`);
  const signing = world.hasGpg
    ? ["-c", `user.signingkey=${FORGE}`]
    : ["-c", "gpg.format=ssh", "-c", `user.signingkey=${join(world.folder, "keys", FORGE)}`];
  const forge = {
    GIT_AUTHOR_NAME: PEOPLE.ada,
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Forge",
    GIT_COMMITTER_EMAIL: "noreply@forge.example",
  };
  const acting = { ...world, environment: { ...world.environment, ...forge } };
  const commit = git(acting, bare, ...signing, "commit-tree", "-S", "-p", "main", "-m", message, tree);
  git(world, bare, "update-ref", "refs/heads/main", commit);
  return commit;
}

function run({ environment }: World, folder: string, command: string, args: readonly string[]): string {
  return execFileSync(command, [...args], {
    cwd: folder,
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function isInstalled(command: string, environment: Readonly<Record<string, string>>): boolean {
  try {
    execFileSync(command, ["--version"], { env: environment, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
