/** The nine steps of the demo: what people do with git, and what the command line must answer. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deployment, PINNED } from "./demo-files.ts";
import type { DemoCommand, Report } from "./demo-run.ts";
import { git, squashMerge, type World, writeAll } from "./demo-world.ts";

export interface Stage {
  readonly world: World;
  readonly play: (command: DemoCommand) => Promise<Report>;
  readonly tell: (text: string) => void;
}

export interface DemoStep {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

const WEB = "clusters/prod/web.yaml";
const SECURE = "{capabilities: {drop: [ALL]}}";
const CONFIG = ["--config", "../../gate/gate.yaml"] as const;
const PROD = ["--target", "prod"] as const;

export const DEMO_STEPS: readonly DemoStep[] = [
  { title: "An unsigned commit is denied", play: unsignedCommit },
  { title: "A signed commit with a privileged container and an image without digest is denied", play: privileged },
  { title: "The same change also edits the policy that denies it: the old policy still judges", play: editsItsJudge },
  {
    title: "The fixed change, signed by ada and approved by lin, is approved; it releases nothing until it lands",
    play: fixedAndApproved,
  },
  { title: "It lands as the forge's squash merge with the same tree: released", play: lands },
  { title: "The agent verifies head, release and proof, and writes the files", play: applies },
  { title: "The log tells the whole story", play: tellsWhy },
  { title: "A changed byte is found, a changed release and a replayed one are refused", play: tampered },
  { title: "A rollback is a new release", play: rollsBack },
];

async function unsignedCommit({ world, play, tell }: Stage): Promise<void> {
  await play(
    operator(
      world,
      ["adopt", "prod", "--config", "gate.yaml", "--reason", "what runs today", "--as", "sam"],
      "the first approved state is an operator's word, recorded",
      (report) => report.kind === "Adoption" && report.index === 0,
    ),
  );
  tell("ada commits without a signature:");
  git(world, world.shop, "checkout", "-q", "-b", "more-replicas");
  writeAll(world.shop, { [WEB]: deployment({ image: PINNED, replicas: 3, security: SECURE }) });
  git(world, world.shop, "commit", "-q", "-a", "-m", "web: three replicas");
  git(world, world.shop, "push", "-q", "origin", "more-replicas");
  await play(check(world, 1, "unsigned-commit", (report) => denies(report, "unsigned-commit")));
}

async function privileged({ world, play, tell }: Stage): Promise<void> {
  tell("ada signs, but the container is privileged and the image has no digest:");
  git(world, world.shop, "checkout", "-q", "-B", "debug", "origin/main");
  writeAll(world.shop, {
    [WEB]: deployment({
      image: "registry.example/web:1.6",
      replicas: 3,
      security: "{privileged: true, capabilities: {drop: [ALL]}}",
    }),
  });
  git(world, world.shop, "commit", "-q", "-S", "-a", "-m", "web: debug");
  git(world, world.shop, "push", "-q", "origin", "debug");
  await play(check(world, 1, "each finding has its file, line and column", findsBoth));
}

async function editsItsJudge({ world, play, tell }: Stage): Promise<void> {
  tell("the same branch now also empties the two policies:");
  for (const name of ["k8s-privileged", "image-digest"]) git(world, world.shop, "rm", "-q", "-r", `policies/${name}`);
  git(world, world.shop, "commit", "-q", "-S", "-m", "policies: fewer");
  git(world, world.shop, "push", "-q", "origin", "debug");
  await play(
    check(
      world,
      1,
      "denied by the policies that had landed",
      (report) => findsBoth(report) && needsAnotherPerson(report),
    ),
  );
}

async function fixedAndApproved({ world, play, tell }: Stage): Promise<void> {
  tell("ada fixes it and signs; lin looks at it and signs a yes to exactly this content:");
  git(world, world.shop, "checkout", "-q", "-B", "web-1.6", "origin/main");
  writeAll(world.shop, { [WEB]: deployment({ image: PINNED, replicas: 3, security: SECURE }) });
  git(world, world.shop, "commit", "-q", "-S", "-a", "-m", "web: image 1.6");
  git(world, world.shop, "push", "-q", "origin", "web-1.6");
  await play(
    check(world, 1, "nobody has approved it yet", (report) => report.targets?.[0]?.approvals?.missing?.length === 1),
  );
  await approve({ world, play, tell }, "origin/web-1.6");
  await play(
    check(
      world,
      0,
      "approved and logged",
      (report) => report.verdict === "allow" && report.authority === "gate" && report.targets?.[0]?.decision?.index > 0,
    ),
  );
  await play(
    release(
      world,
      0,
      "an approved proposal releases nothing",
      (report) => report.landed?.length === 0 && report.current === null,
    ),
  );
}

async function lands({ world, play, tell }: Stage): Promise<void> {
  squashMerge(world, "web-1.6", "web: image 1.6 (#1)");
  tell("the forge squashed it onto main, under its own key:");
  await play(release(world, 0, "the proposal's verdict is carried, because the tree is equal", releasedAs(1)));
}

async function applies({ world, play }: Stage): Promise<void> {
  await play(
    agent(
      world,
      "agent.yaml",
      0,
      "verified, then applied",
      (report) => report.outcome === "applied" && report.sequence === 1,
    ),
  );
  await play(agent(world, "agent.yaml", 0, "a second run changes nothing", (report) => report.outcome === "unchanged"));
  await play(
    operator(
      world,
      ["head", "prod", "--config", "gate.yaml"],
      "the agent's signed report is in the log now",
      (report) => report.reports?.applied === 1,
    ),
  );
}

async function tellsWhy({ world, play }: Stage): Promise<void> {
  await play(
    operator(
      world,
      ["log", "why", "Deployment/apps/web", ...PROD, "--config", "gate.yaml"],
      "from signed commit to live object",
      (report) => {
        return (
          report.decision?.proven === true &&
          report.applied?.agent === "prod-1" &&
          report.approvals?.[0]?.person === "lin" &&
          report.verifications?.[0]?.signer?.person === "ada"
        );
      },
    ),
  );
  await play(
    operator(
      world,
      ["log", "verify", "--config", "gate.yaml"],
      "every entry is in the signed tree",
      (report) => report.intact === true,
    ),
  );
}

async function tampered(stage: Stage): Promise<void> {
  const { world, play, tell } = stage;
  flipByteInLog(world);
  tell("somebody turns one allow into something else in a copy of the log:");
  await play(
    operator(
      world,
      ["log", "verify", "tampered/log.db", "--config", "gate.yaml"],
      "the entry is named",
      (report) => report.intact === false && report.index !== null,
      1,
    ),
  );
  cpSync(join(world.folder, "channel"), join(world.folder, "channel-at-1"), { recursive: true });
  await secondRelease(stage);
  tell("one byte of an object in the channel is changed:");
  const restore = flipByteInChannel(world);
  await play(agent(world, "agent.yaml", 1, "what runs is kept", (report) => report.outcome === "refused"));
  restore();
  await play(
    agent(
      world,
      "agent.yaml",
      0,
      "the true release is applied",
      (report) => report.outcome === "applied" && report.sequence === 2,
    ),
  );
  tell("the channel as it was at release 1 is put in its place:");
  await play(
    agent(world, "agent-replay.yaml", 1, "an old head is an old head", (report) => report.outcome === "refused"),
  );
}

async function rollsBack({ world, play }: Stage): Promise<void> {
  await play(
    operator(
      world,
      ["rollback", "prod", "--to", "1", "--config", "gate.yaml", "--reason", "errors since 2", "--as", "sam"],
      "release 3 carries the objects of release 1, judged by today's policies",
      (report) => {
        const { release } = report.landed?.[0] ?? {};
        return release?.sequence === 3 && release?.rollbackOf === 1;
      },
    ),
  );
  await play(
    agent(
      world,
      "agent.yaml",
      0,
      "applied like any other",
      (report) => report.outcome === "applied" && report.sequence === 3,
    ),
  );
  await play(
    operator(
      world,
      ["release", "prod", "--config", "gate.yaml"],
      "the tip that was left behind stays unreleased",
      (report) => report.landed?.length === 0 && report.current === 3,
    ),
  );
}

/** A commit pushed straight to main is judged by itself: signed by ada, approved by lin. */
async function secondRelease(stage: Stage): Promise<void> {
  const { world, play, tell } = stage;
  tell("meanwhile a second change lands, pushed straight to main:");
  git(world, world.shop, "fetch", "-q", "origin");
  git(world, world.shop, "checkout", "-q", "-B", "main", "origin/main");
  writeAll(world.shop, { [WEB]: deployment({ image: PINNED, replicas: 5, security: SECURE }) });
  git(world, world.shop, "commit", "-q", "-S", "-a", "-m", "web: five replicas");
  git(world, world.shop, "push", "-q", "origin", "main:five-replicas");
  await approve(stage, "origin/five-replicas");
  git(world, world.shop, "push", "-q", "origin", "main");
  await play(release(world, 0, "judged by itself and released", releasedAs(2)));
}

async function approve({ world, play }: Stage, revision: string): Promise<void> {
  git(world, world.lin, "fetch", "-q", "origin");
  const argv = ["approve", revision, ...PROD, "--key", "../../keys/lin"];
  await play({
    argv,
    folder: world.lin,
    expected: 0,
    shows: "lin's yes names this tree and no other",
    holds: (report) => report.statement?.approver === "lin",
  });
  git(world, world.lin, "push", "-q", "origin", "refs/sluice/approvals/*");
}

function check(world: World, expected: number, shows: string, holds: DemoCommand["holds"]): DemoCommand {
  return { argv: ["check", ...CONFIG, ...PROD], folder: world.shop, expected, shows, holds };
}

function release(world: World, expected: number, shows: string, holds: DemoCommand["holds"]): DemoCommand {
  return { argv: ["release", "prod", "--config", "gate.yaml"], folder: world.gate, expected, shows, holds };
}

function operator(
  world: World,
  argv: readonly string[],
  shows: string,
  holds: DemoCommand["holds"],
  expected = 0,
): DemoCommand {
  return { argv, folder: world.gate, expected, shows, holds };
}

function agent(world: World, file: string, expected: number, shows: string, holds: DemoCommand["holds"]): DemoCommand {
  return { argv: ["agent", "--once", "--config", file], folder: join(world.folder, "agent"), expected, shows, holds };
}

function denies(report: Report, code: string): boolean {
  return (
    report.verdict === "deny" && report.targets?.[0]?.reasons?.some((reason: Report) => reason.code === code) === true
  );
}

function findsBoth(report: Report): boolean {
  const findings: readonly Report[] = report.targets?.[0]?.findings ?? [];
  const placed = (rule: string): boolean =>
    findings.some(
      (one) => one.rule === rule && one.position?.file === WEB && one.position?.line > 1 && one.fix !== null,
    );
  return denies(report, "policy-denied") && placed("k8s-privileged") && placed("image-digest");
}

function needsAnotherPerson(report: Report): boolean {
  return report.targets?.[0]?.reasons?.some((reason: Report) => reason.code === "governance-approval-missing") === true;
}

function releasedAs(sequence: number): DemoCommand["holds"] {
  return (report) => report.landed?.length === 1 && report.landed[0].release?.sequence === sequence;
}

/** One byte of a decision's leaf, in a copy. */
function flipByteInLog({ gate }: World): void {
  cpSync(join(gate, "data"), join(gate, "tampered"), { recursive: true });
  for (const name of readdirSync(join(gate, "tampered")).filter((one) => one.startsWith("log.db"))) {
    const file = join(gate, "tampered", name);
    const bytes = readFileSync(file);
    for (let at = bytes.indexOf('"verdict":"allow"'); at >= 0; at = bytes.indexOf('"verdict":"allow"', at + 1))
      bytes[at + 15] = 0x76;
    writeFileSync(file, bytes);
  }
}

/** One byte of one object of the newest release; the answer puts it back. */
function flipByteInChannel({ folder }: World): () => void {
  const objects = join(folder, "channel", "prod", "releases", "2", "objects");
  const file = join(objects, readdirSync(objects)[0] ?? "");
  const bytes = readFileSync(file);
  const changed = Buffer.from(bytes);
  changed[changed.length - 2] = (changed.at(-2) ?? 0) ^ 1;
  writeFileSync(file, changed);
  return () => writeFileSync(file, bytes);
}
