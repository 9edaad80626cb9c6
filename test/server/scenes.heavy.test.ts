/**
 * The ways of a change past a running service, with a real git server over HTTP on loopback and, where it makes no
 * difference, over a path. Every wait is for what the service says.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { serveGit } from "../support/git-server.ts";
import { type ServiceProcess, startService } from "../support/service.ts";
import { configMap, deployment, document, type Files, type Json, WEAKENED } from "../support/shop.ts";
import type { Scope } from "../support/temp.ts";
import { makeWorld, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const API = "clusters/prod/api.yaml";
const web = (replicas: number): Files => ({ [WEB]: deployment("web", { replicas }) });
const api = (replicas: number): Files => ({ [API]: deployment("api", { replicas }) });
const SHOP = { url: "./shop.git", poll: "100ms", proposals: ["refs/pull/*/head"] };

/** Nobody has to approve; a gate of one repository. */
const free = await makeWorld(
  { after },
  { target: { approvals: { count: 0 } }, gate: { repositories: { shop: SHOP } } },
);
/** One approval by role platform. */
const approved = await makeWorld({ after }, { gate: { repositories: { shop: SHOP } } });

/** A copy whose gate fetches over HTTP, and the service that runs on it. */
async function overHttp(t: Scope, base: World): Promise<{ world: World; service: ServiceProcess }> {
  const world = base.copy(t);
  const url = `${await serveGit(t, world.folder)}/shop.git`;
  world.configure("gate.yaml", () => ({ repositories: { shop: { ...SHOP, url } } }));
  return { world, service: await startService(t, world) };
}

async function overPath(t: Scope, base: World): Promise<{ world: World; service: ServiceProcess }> {
  const world = base.copy(t);
  return { world, service: await startService(t, world) };
}

/** Two targets on two branches of one repository, both adopted. */
async function twoTargets(t: Scope): Promise<World> {
  const target = { branch: "main", path: "clusters/prod", approvals: { count: 0 } };
  const second = { ...target, branch: "stage", path: "clusters/stage" };
  const files = {
    "clusters/stage/web.yaml": deployment("web"),
    "sluice.yaml": document({ version: 1, ignore: ["*.md"], targets: { prod: target, stage: second } }),
  };
  const world = await makeWorld(t, { files, adopt: false, gate: { repositories: { shop: SHOP } } });
  world.repo.git(["push", "--quiet", "origin", "main:stage"]);
  world.configure("gate.yaml", ({ targets }) => {
    const { prod } = targets as { prod: Json };
    const stage = { ...prod, branch: "stage", channels: [{ directory: "./stage-channel" }] };
    return { targets: { prod, stage } };
  });
  for (const name of ["prod", "stage"]) {
    const args = ["adopt", name, "--reason", "what runs", "--as", "ops", "--config", "../gate.yaml"];
    assert.equal((await world.sluice(args)).code, 0);
  }
  return world;
}

/** As a forge shows a pull request. */
function openPull(world: World, number: number, head: string): void {
  world.repo.git(["push", "--quiet", "--force", "origin", `${head}:refs/pull/${number}/head`]);
}

function closePull(world: World, number: number): void {
  world.repo.git(["push", "--quiet", "origin", `:refs/pull/${number}/head`]);
}

/** Stops it, verifies the log whole, and answers its decisions, oldest first. */
async function decisions(world: World, service: ServiceProcess): Promise<readonly Json[]> {
  assert.deepEqual(await service.stop(), { code: 0, signal: null });
  await world.verifiedSize();
  const { report } = await world.log<{ entries: readonly Json[] }>(["list", "--kind", "decision"]);
  return report.entries.toReversed();
}

const subjectOf = (entry: Json): Readonly<Record<string, string>> => entry["subject"] as Record<string, string>;

test("a pull request over HTTP: judged when it opens, released when it is squashed, and then only once", async (t) => {
  const { world, service } = await overHttp(t, free);
  const head = world.propose({ files: web(3) });
  openPull(world, 1, head);
  assert.equal((await service.line("decided", { head }))["verdict"], "allow");
  const landed = world.squash(head, { message: "an edited title (#1)\n\nand a text that nobody proposed" });
  const released = await service.line("released", { commit: landed });
  assert.equal(released["sequence"], 1);
  const found = await decisions(world, service);
  assert.deepEqual(
    found.map((entry) => subjectOf(entry)["commit"] ?? subjectOf(entry)["head"]),
    [head, landed],
    "an edited message changes no tree, so the squash carries the proposal",
  );
});

test("a pull request that is merged brings its commits along, and is carried", async (t) => {
  const { world, service } = await overHttp(t, free);
  world.propose({ files: web(3), branch: "two" });
  const head = world.commit({ files: web(4), branch: "two" });
  openPull(world, 2, head);
  await service.line("decided", { head, verdict: "allow" });
  const landed = world.merge(head);
  await service.line("released", { commit: landed });
  assert.equal((await service.stop()).code, 0);
});

test("commits that their author rebased and pushed are judged one by one, each with its own signature", async (t) => {
  const { world, service } = await overPath(t, free);
  const old = world.propose({ files: web(3) });
  openPull(world, 3, old);
  await service.line("decided", { head: old, verdict: "allow" });
  const other = world.push({ files: api(5) });
  await service.line("released", { commit: other });
  const first = world.propose({ files: web(3), branch: "rebased" });
  const second = world.commit({ files: { [WEB]: deployment("web", { replicas: 4 }) }, branch: "rebased" });
  world.moveMain(second);
  await service.line("released", { commit: first, sequence: 2 });
  await service.line("released", { commit: second, sequence: 3 });
  assert.equal((await service.stop()).code, 0);
});

test("commits that a forge rebased without anybody's signature are denied, and nothing of them is released", async (t) => {
  const { world, service } = await overPath(t, free);
  const head = world.propose({ files: web(3) });
  openPull(world, 4, head);
  await service.line("decided", { head, verdict: "allow" });
  const other = world.push({ files: api(5) });
  await service.line("released", { commit: other });
  const tree = world.repo.git(["merge-tree", "--write-tree", world.tip(), head]);
  const rebased = world.repo.commitTree(tree, [other], {
    author: "ada <ada@example.com>",
    committer: "GitHub <noreply@forge.example>",
    message: "commit 2",
  });
  world.moveMain(rebased);
  const { verdict, reasons } = await service.line("decided", { head: rebased, subject: "landed" });
  assert.deepEqual([verdict, reasons], ["deny", "unsigned-commit"]);
  const found = await decisions(world, service);
  assert.equal(
    found.filter((entry) => subjectOf(entry)["commit"] === rebased).length,
    1,
    "denied once, not at each look",
  );
});

test("when the base moves, an open proposal is judged again on the new one, and then it carries", async (t) => {
  const { world, service } = await overPath(t, free);
  const head = world.propose({ files: web(3) });
  openPull(world, 5, head);
  await service.line("decided", { head, verdict: "allow" });
  const since = service.lines.length;
  const moved = world.push({ files: api(5) });
  await service.line("released", { commit: moved });
  await service.line("decided", { head, subject: "proposed", verdict: "allow" }, since);
  const landed = world.squash(head);
  await service.line("released", { commit: landed });
  const found = await decisions(world, service);
  const bases = found.filter((entry) => subjectOf(entry)["head"] === head).map((entry) => subjectOf(entry)["base"]);
  assert.deepEqual([bases[0] === moved, bases.at(-1)], [false, moved]);
});

test("when policies changed in between, what the old ones allowed is judged by the new ones", async (t) => {
  const { world, service } = await overPath(t, free);
  const head = world.propose({ files: { [WEB]: deployment("web", { labels: { bad: "yes" } }) } });
  openPull(world, 6, head);
  await service.line("decided", { head, verdict: "deny" });
  const since = service.lines.length;
  const weaker = world.push({ files: { ...WEAKENED, "policies/bad-label/policy.rego": null } });
  await service.line("decided", { head: weaker, verdict: "wait" });
  world.approve("lin", weaker);
  await service.line("released", { commit: weaker });
  await service.line("decided", { head, subject: "proposed", verdict: "allow" }, since);
  assert.equal((await service.stop()).code, 0);
});

test("a waiting landing is released as soon as its approval arrives, under a decision of its own", async (t) => {
  const { world, service } = await overHttp(t, approved);
  const head = world.push({ files: web(3) });
  await service.line("decided", { head, verdict: "wait" });
  world.approve("lin", head);
  await service.line("released", { commit: head, sequence: 1 });
  const found = await decisions(world, service);
  assert.deepEqual(
    found.map((entry) => entry["verdict"]),
    ["wait", "allow"],
  );
});

test("an unsigned commit pushed straight to the branch is denied; approvals of two people release its content", async (t) => {
  const { world, service } = await overPath(t, approved);
  const head = world.push({ files: web(3), signed: false });
  await service.line("decided", { head, verdict: "deny", subject: "landed" });
  world.approve("lin", head);
  world.approve("jo", head);
  await service.line("released", { commit: head });
  assert.equal((await service.stop()).code, 0);
});

test("a rewritten branch that leaves the released commit is denied; one that keeps it goes on from there", async (t) => {
  const { world, service } = await overPath(t, free);
  const before = world.tip();
  const good = world.push({ files: web(3) });
  await service.line("released", { commit: good });
  const bad = world.push({ files: { [WEB]: deployment("web", { privileged: true }) } });
  await service.line("decided", { head: bad, verdict: "deny" });
  const replaced = world.propose({ from: good, files: web(4) });
  const next = world.commit({ files: api(4) });
  world.moveMain(next);
  await service.line("released", { commit: replaced, sequence: 2 });
  await service.line("released", { commit: next, sequence: 3 });
  const rewritten = world.propose({ from: before, files: api(5) });
  world.moveMain(rewritten);
  const { verdict, reasons } = await service.line("decided", { head: rewritten });
  assert.deepEqual([verdict, reasons], ["deny", "not-fast-forward"]);
  assert.equal((await service.stop()).code, 0);
});

test("a branch that is deleted is said once, keeps no other target back, and goes on when it is there again", async (t) => {
  const world = await twoTargets(t);
  const service = await startService(t, world);
  const kept = world.repo.git(["rev-parse", "main"]);
  world.repo.git(["push", "--quiet", "origin", ":stage"]);
  await service.line("branch is gone", { branch: "stage" });
  const head = world.push({ files: web(3) });
  await service.line("released", { commit: head, target: "prod" });
  world.repo.git(["push", "--quiet", "origin", `${kept}:refs/heads/stage`]);
  const again = world.propose({ from: kept, files: { "clusters/stage/web.yaml": deployment("web", { replicas: 7 }) } });
  world.repo.git(["push", "--quiet", "origin", `${again}:refs/heads/stage`]);
  await service.line("released", { commit: again, target: "stage" });
  assert.equal(service.lines.filter((line) => line.msg === "branch is gone").length, 1);
  assert.equal((await service.stop()).code, 0);
});

test("a target that gate.yaml names after a reload is looked at, and one that it names no longer is left alone", async (t) => {
  const world = await twoTargets(t);
  const both = world.read("gate.yaml");
  world.configure("gate.yaml", ({ targets }) => ({ targets: { prod: (targets as { prod: Json }).prod } }));
  const service = await startService(t, world);
  const port = JSON.parse(world.read("gate.yaml")).listen;
  const head = world.propose({ files: { "clusters/stage/web.yaml": deployment("web", { replicas: 7 }) } });
  world.repo.git(["push", "--quiet", "origin", `${head}:refs/heads/stage`]);
  const first = world.push({ files: web(3) });
  await service.line("released", { commit: first, target: "prod" });
  assert.ok(service.lines.every((line) => line["target"] !== "stage"));
  const { targets } = JSON.parse(both) as { targets: Json };
  world.configure("gate.yaml", () => ({ targets: { stage: targets["stage"] }, listen: port }));
  service.child.kill("SIGHUP");
  await service.line("released", { commit: head, target: "stage" });
  const since = service.lines.length;
  world.push({ files: web(4) });
  const again = world.propose({ from: head, files: { "clusters/stage/web.yaml": deployment("web", { replicas: 8 }) } });
  world.repo.git(["push", "--quiet", "origin", `${again}:refs/heads/stage`]);
  await service.line("released", { commit: again, target: "stage" });
  assert.ok(service.lines.slice(since).every((line) => line["target"] !== "prod"));
  assert.equal((await service.stop()).code, 0);
});

test("a tag that moves is nothing to the service, and a proposal that is closed is judged no more", async (t) => {
  const { world, service } = await overHttp(t, free);
  world.repo.git(["push", "--quiet", "origin", `${world.tip()}:refs/tags/live`]);
  const head = world.propose({ files: web(3) });
  openPull(world, 7, head);
  await service.line("decided", { head });
  closePull(world, 7);
  world.repo.git(["push", "--quiet", "--force", "origin", `${head}:refs/tags/live`]);
  const landed = world.push({ files: api(4) });
  await service.line("released", { commit: landed });
  const last = world.push({ files: api(5) });
  await service.line("released", { commit: last });
  const found = await decisions(world, service);
  assert.ok(
    found.every((entry) => subjectOf(entry)["commit"] !== head),
    "no tag is a landing",
  );
});

test("a newer head of a proposal is judged, and what it supersedes is said in the log where it came that far", async (t) => {
  const { world, service } = await overPath(t, free);
  const first = world.propose({ files: web(3), branch: "mine" });
  openPull(world, 8, first);
  const second = world.commit({ files: web(4), branch: "mine" });
  openPull(world, 8, second);
  await service.line("decided", { head: second, verdict: "allow" });
  assert.equal((await service.stop()).code, 0);
});

test("what a crash left between decision and release is released by the next start, under the decision it had", async (t) => {
  const world = free.copy(t);
  assert.equal((await world.hold()).code, 0);
  const held = world.push({ files: { "clusters/prod/new.yaml": configMap("new") } });
  const service = await startService(t, world);
  await service.line("held", { code: "release-held" });
  assert.equal((await service.stop()).code, 0);
  const before = await world.log<{ count: number }>(["list", "--kind", "decision"]);
  assert.equal((await world.resume()).code, 0);
  const again = await startService(t, world);
  await again.line("released", { commit: held });
  assert.equal((await again.stop()).code, 0);
  const afterwards = await world.log<{ count: number }>(["list", "--kind", "decision"]);
  assert.equal(afterwards.report.count, before.report.count, "decided once");
});

test("what an agent reports is taken in while the service runs", async (t) => {
  const { world, service } = await overPath(t, free);
  const head = world.push({ files: web(3) });
  await service.line("released", { commit: head });
  assert.equal((await world.agent()).code, 0);
  const next = world.push({ files: web(4) });
  await service.line("applied", { target: "prod", reports: 1 });
  await service.line("released", { commit: next });
  assert.equal((await service.stop()).code, 0);
});
