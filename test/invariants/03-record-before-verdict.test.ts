/** Invariant 3: no gate's verdict before its record; a preview records nothing and says so. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { deployment, policy } from "../support/shop.ts";
import { sluiceCommand } from "../support/sluice.ts";
import { type Answer, makeWorld, onlyTarget, type World } from "../support/world.ts";

const BROKEN = policy(
  "broken",
  `deny contains {"message": "m", "at": 7} if input.resource.object.metadata.labels.broken`,
);
const base = await makeWorld({ after }, { files: { "policies/broken.rego": BROKEN } });
const WEB = "clusters/prod/web.yaml";

interface Shown {
  readonly entry: {
    readonly id: string;
    readonly leafHash: string;
    readonly verdict: string;
    readonly reasons: string[];
  };
  readonly disclosed: { readonly evidence: { readonly rulesExpected: number } };
}

async function assertRecorded(world: World, { report, code }: Answer<CheckReport>, verdict: string, exitCode: number) {
  const { decision, reasons, rulesExpected } = onlyTarget(report);
  assert.deepEqual([report.authority, report.verdict, code], ["gate", verdict, exitCode]);
  assert.ok(decision !== null);
  const { entry, disclosed } = (await world.log<Shown>(["show", `${decision.index}`])).report;
  assert.deepEqual([entry.id, entry.leafHash, entry.verdict], [decision.id, decision.leafHash, verdict]);
  assert.deepEqual(entry.reasons, [...new Set(reasons.map((reason) => reason.code))].sort());
  assert.equal(disclosed.evidence.rulesExpected, rulesExpected);
  assert.ok((await world.verifiedSize()) > decision.index, "the entry is under the signed checkpoint");
}

test("an allow is in the verified log when it is said", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  world.approve("lin", head);
  await assertRecorded(world, await world.check(head), "allow", 0);
});

test("a wait and a denial are recorded as fully as an allow", async (t) => {
  const world = base.copy(t);
  const waiting = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  await assertRecorded(world, await world.check(waiting), "wait", 4);
  const denied = world.propose({ files: { [WEB]: deployment("web", { privileged: true }) }, signed: false });
  await assertRecorded(world, await world.check(denied), "deny", 1);
});

test("an error is recorded too", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { labels: { broken: "yes" } }) } });
  await assertRecorded(world, await world.check(head), "error", 3);
});

test("a preview of the same change records nothing and says so", async (t) => {
  const world = base.copy(t);
  const before = await world.verifiedSize();
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  const { report, code } = await world.preview(head);
  assert.deepEqual([report.authority, onlyTarget(report).decision, code], ["preview", null, 4]);
  const text = await world.sluice(["check", "--head", head]);
  assert.match(text.stdout, /^WAITING \(preview\) {2}prod /);
  assert.equal(await world.verifiedSize(), before);
});

test("a log whose anchor cannot be written gives no verdict, and goes on when it can", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  const anchor = world.read("anchor");
  rmSync(world.path("anchor"));
  mkdirSync(world.path("anchor"));
  const answer = await world.check(head);
  assert.deepEqual([answer.code, answer.stdout], [3, ""]);
  assert.match(answer.error ?? "", /^log-/);
  rmSync(world.path("anchor"), { recursive: true });
  world.write("anchor", anchor);
  await assertRecorded(world, await world.check(head), "wait", 4);
});

test("a log that cannot grow gives no verdict, keeps every entry it has, and goes on when there is space", async (t) => {
  const world = base.copy(t);
  const before = await world.verifiedSize();
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  const full = checkWithFileLimit(world, head);
  assert.deepEqual([full.status, full.stdout], [3, ""], full.stderr);
  assert.match(full.stderr, /^log-(?:full|failed) {2}/);
  assert.ok((await world.verifiedSize()) >= before);
  await assertRecorded(world, await world.check(head), "wait", 4);
});

/** No file may grow beyond 24 KiB: enough for git, too little for the log to write ahead. */
function checkWithFileLimit(world: World, head: string) {
  const command = [
    process.execPath,
    sluiceCommand(),
    "check",
    "--head",
    head,
    "--config",
    "../gate.yaml",
    "--format",
    "json",
  ];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: world.path("home"),
    XDG_CACHE_HOME: join(world.path("home"), "cache"),
    XDG_CONFIG_HOME: join(world.path("home"), "config"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const script = 'ulimit -f 24; exec "$@"';
  return spawnSync("bash", ["-c", script, "bash", ...command], { cwd: world.repo.path, env, encoding: "utf8" });
}
