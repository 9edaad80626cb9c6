/** The ten denials that a newcomer meets first, each made by real keys and said by the command line. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { check } from "../../src/cli/check.ts";
import type { Command } from "../../src/cli/command.ts";
import { release } from "../../src/cli/release.ts";
import { runHere } from "../support/in-process.ts";
import { deployment, document, type Files, NO_POLICIES } from "../support/shop.ts";
import { readCommit, sshKeyPair } from "../support/signing.ts";
import type { Scope } from "../support/temp.ts";
import { makeWorld, type World } from "../support/world.ts";
import { armoured, cms } from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const MINUTE_MS = 60_000;
const WEB = "clusters/prod/web.yaml";
const RULE = readFileSync(resolve(import.meta.dirname, "../../policies/k8s-privileged/policy.rego"));
const sigstore = new Sigstore();

export interface Scene {
  readonly code: string;
  readonly title: string;
  /** What happened, and why it is refused. */
  readonly story: string;
  /** As the page shows it. */
  readonly command: string;
  /** Answers what it printed, and its exit code. */
  readonly play: (world: World) => Promise<Said>;
}

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everybody of the test world but max, whose key is a robot's here; one rule of the library. */
export async function firstDayWorld(scope: Scope): Promise<World> {
  const files: Files = { ...NO_POLICIES, "policies/k8s-privileged/policy.rego": RULE };
  const world = await makeWorld(scope, { adopt: false, files });
  const people = Object.fromEntries((["ada", "lin", "jo"] as const).map((name) => [name, world.person(name)]));
  const renovate = { email: ["bot@example.com"], may: ["image"], keys: [world.publicKey("max")] };
  const gitsign = { root: "root.json", identities: [{ issuer: PROVIDER, email: "ada@example.com", person: "ada" }] };
  const trust = world.trust({ people, robots: { renovate }, authorities: { gitsign } });
  world.push({ files: { "trust/people.yaml": document(trust), "trust/root.json": sigstore.trustedRoot() } });
  await world.adopt();
  return world;
}

function run(world: World, command: Command, args: readonly string[], minutes = 0): Promise<Said> {
  const clock = () => Date.now() + minutes * MINUTE_MS;
  return runHere(command, [...args, "--config", "../gate.yaml"], world.repo.path, clock, world.path("home"));
}

/** lin has approved it, so that nothing else is in the way. */
function judged(world: World, head: string, minutes = 0): Promise<Said> {
  world.approve("lin", head);
  return run(world, check, ["--head", head], minutes);
}

const replicas = (count: number): Files => ({ [WEB]: deployment("web", { replicas: count }) });
const CHECK = "sluice check --config gate.yaml";

export const SCENES: readonly Scene[] = [
  {
    code: "unsigned-commit",
    title: "The commit is not signed",
    story: "git signs nothing until it is told to. Whoever can push could have written this commit under your name.",
    command: CHECK,
    play: (world) => judged(world, world.propose({ files: replicas(3), signed: false })),
  },
  {
    code: "unknown-signer",
    title: "The key is not known",
    story: "The commit is signed, with a key that nobody in the trust folder owns: one of another machine, perhaps.",
    command: CHECK,
    play: (world) =>
      judged(world, world.propose({ files: replicas(3), by: "mallory", author: "ada <ada@example.com>" })),
  },
  {
    code: "governance-approval-missing",
    title: "A newcomer lists their own key",
    story:
      "The change adds its author to `trust/people.yaml`. A change never brings its own judge: the key counts once a colleague's change with it has landed, so the signature is unknown here, and the edit waits for another person.",
    command: CHECK,
    play: newcomer,
  },
  {
    code: "robot-not-permitted",
    title: "A robot does more than it may",
    story: "The trust folder lets renovate change images. This change sets the number of replicas.",
    command: CHECK,
    play: (world) =>
      judged(world, world.propose({ files: replicas(3), by: "max", author: "renovate <bot@example.com>" })),
  },
  {
    code: "forge-not-permitted",
    title: "The forge squashed or edited it",
    story:
      "A squash, a web editor or an `Update branch` button leaves a commit that the forge signed. A forge carries what was judged; it is no person.",
    command: CHECK,
    play: (world) => judged(world, world.propose({ files: replicas(3), by: "forge", author: "ada <ada@example.com>" })),
  },
  {
    code: "path-not-covered",
    title: "A path belongs to nobody",
    story: "Each changed path is in a target, judges itself, or is ignored on purpose: nothing passes unseen.",
    command: CHECK,
    play: (world) => judged(world, world.propose({ files: { ...replicas(3), "tools/run.sh": "echo hello\n" } })),
  },
  {
    code: "k8s-privileged",
    title: "The waiver came with the change",
    story: "The change brings a privileged container and the waiver for it. A waiver counts after it has landed.",
    command: CHECK,
    play: waived,
  },
  {
    code: "approval-missing",
    title: "An approval is missing",
    story: "prod asks for one approval by somebody of role platform; who that can be stands in brackets.",
    command: CHECK,
    play: (world) => run(world, check, ["--head", world.propose({ files: replicas(3) })]),
  },
  {
    code: "merge-not-judged",
    title: "It was merged before it was judged",
    story:
      "The forge's button made a commit on main, and no allowed proposal with the same tree carries it. It stays unreleased.",
    command: "sluice release prod --config gate.yaml",
    play: (world) => {
      world.squash(world.propose({ files: replicas(3) }));
      return run(world, release, ["prod"]);
    },
  },
  {
    code: "time-not-proven",
    title: "When it was signed is not proven",
    story:
      "gitsign's certificates live for ten minutes. This commit has no log entry and no timestamp, and the gate saw it an hour later.",
    command: CHECK,
    play: (world) => judged(world, signedByGitsign(world), 60),
  },
];

function newcomer(world: World): Promise<Said> {
  const { path, line } = sshKeyPair(world.path("keys"), "nia");
  const people = JSON.parse(world.repo.read("trust/people.yaml"));
  people.people.nia = { email: ["nia@example.com"], roles: [], keys: [line] };
  world.repo.git(["checkout", "--quiet", "-B", "nia", "origin/main"]);
  const files = { ...replicas(3), "trust/people.yaml": document(people) };
  const head = world.repo.commit({ files, author: "nia <nia@example.com>", signWith: path });
  world.repo.git(["push", "--quiet", "origin", "nia"]);
  return run(world, check, ["--head", head]);
}

function waived(world: World): Promise<Said> {
  const waiver = { rule: "k8s-privileged", target: "prod", resource: "Deployment/apps/web", owner: "ada" };
  const until = new Date(Date.now() + 90 * 24 * 60 * MINUTE_MS).toISOString().slice(0, 10);
  const files = {
    [WEB]: deployment("web", { privileged: true }),
    "waivers.yaml": document([{ ...waiver, reason: "a probe", until }]),
  };
  return judged(world, world.propose({ files }));
}

/** A signature as gitsign makes it, without the entry in a log. */
function signedByGitsign(world: World): string {
  world.propose({ files: replicas(3), signed: false });
  const raw = readCommit(world.repo.path, "HEAD").toString("latin1");
  const signer = sigstore.identity({ name: { email: "ada@example.com" }, from: Date.now() - MINUTE_MS });
  const armour = armoured(cms(Buffer.from(raw, "latin1"), signer))
    .trimEnd()
    .replaceAll("\n", "\n ");
  const id = world.repo.object("commit", Buffer.from(raw.replace("\n\n", `\ngpgsig ${armour}\n\n`), "latin1"));
  world.repo.git(["push", "--quiet", "origin", `${id}:refs/heads/gitsign`]);
  return id;
}

const IDS = ["5d2c0aa", "a41f003", "9be1d02", "3c0f771", "18293ce", "f5541a8"];

/** The same words in every run: what differs is as long as before, so that lines break where they did. */
export function steady(text: string): string {
  const ids = new Map<string, string>();
  const idOf = (id: string): string => {
    if (!ids.has(id)) ids.set(id, IDS[ids.size] ?? id);
    return ids.get(id) ?? id;
  };
  return text
    .replace(/SHA256:[\w+/]{43}/g, "SHA256:9HEF49x0aJKZXU7+IG2+kjW7x27ERL17gqcwVCJhDlg")
    .replace(/\b[0-9a-f]{7}\b/g, idOf)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-11-21T10:00:00.000Z")
    .replace(/\d+\.\d s\b/g, "0.4 s")
    .replace(/decision \w{6}/g, "decision KMG797");
}

/** The lines about one code, as `fix` and what follows in one line. */
export function fixOf(text: string, code: string): string {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`${code} `));
  const after = lines.slice(at + 1);
  const end = after.findIndex((line) => !line.startsWith("  "));
  return (end === -1 ? after : after.slice(0, end)).map((line) => line.trim()).join(" ");
}
