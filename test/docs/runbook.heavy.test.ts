/** docs/runbook.md: the commands of every section, run as they stand there, each in a world in which that has happened. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { ending, play, readPage } from "../support/page.ts";
import { deployment } from "../support/shop.ts";
import type { Scope } from "../support/temp.ts";
import { type Answer, type Landings, makeWorld, type World } from "../support/world.ts";

const { text: PAGE, blocks } = readPage("runbook.md");
const WEB = "clusters/prod/web.yaml";
const base = await makeWorld({ after });
await base.land({ [WEB]: deployment("web", { replicas: 3 }) });
assert.equal((await base.agent()).code, 0);

/** Approved and on main, and the gate was not there to see it. */
function landUnseen(world: World, replicas: number): void {
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas }) } });
  world.approve("lin", head);
  world.moveMain(head);
}

const sequenceOf = (world: World, channel = "channel"): number =>
  JSON.parse(world.read(`${channel}/head.json`).split("\n")[0] ?? "").latestSequence;

/** Code of the first reason of what landed last. */
function onlyLanded({ report }: Answer<Landings>): string | undefined {
  return report.landed.at(-1)?.check.targets[0]?.reasons[0]?.code;
}

describe("the runbook", () => {
  it("has a section for each thing that goes wrong, and a command in each", () => {
    const titles = [...PAGE.matchAll(/^## (.*)$/gm)].map((match) => match[1] ?? "");
    assert.equal(titles.length, 11);
    assert.deepEqual(
      titles.filter((title) => blocks(title).length === 0),
      [],
    );
  });

  it("brings a gate that was down back to what landed meanwhile", (t) => {
    const world = base.copy(t);
    landUnseen(world, 4);
    assert.match(play(world, ...blocks("The gate is down")), /INTACT[\s\S]*released {3}prod #2/);
    assert.equal(sequenceOf(world), 2);
  });

  it("begins a new log after the key was lost, which agents follow", async (t) => {
    const world = base.copy(t);
    const before = readFileSync(world.path("data/log.db"));
    const [gate = "", agent = ""] = blocks("The log's key is lost");
    const told = play(world, gate, "printf 'VKEY=%s\\n' \"$VKEY\" > vkey");
    assert.match(told, /^ADOPTED {2}prod /);
    for (const replicas of [5, 6]) {
      landUnseen(world, replicas);
      assert.equal((await world.release()).code, 0);
    }
    assert.match(play(world, ". ./vkey", agent), /release 2/);
    assert.match(world.read(world.files("www").find((path) => path.includes("web")) ?? ""), /"replicas":6/);
    assert.deepEqual(readFileSync(world.path("data/log.db")), before);
  });

  it("replaces the log's key with an overlap, which agents follow", async (t) => {
    const world = base.copy(t);
    const [gate = "", agents = "", end = ""] = blocks("The log's key is to be replaced");
    const told = play(world, gate, agents, end);
    assert.equal(told.match(/^INTACT/gm)?.length, 2);
    const [, overlap = ""] = world.read("checkpoint-of-both-keys").split("\n\n");
    assert.equal(overlap.match(/^— gate\.example\/log /gm)?.length, 2);
    landUnseen(world, 5);
    assert.equal((await world.release()).code, 0);
    assert.equal((await world.agent()).code, 0);
    world.write(
      "agent.yaml",
      world.read("agent.yaml").replace(/(gate\.example\/log\+[^"]*)", "gate\.example\/log\+[^"]*/, "$1"),
    );
    const refused = await world.agent();
    assert.deepEqual([refused.code, /note-unknown-key/.test(refused.stdout + refused.stderr)], [1, true]);
  });

  it("goes on after a full disk, with what landed meanwhile", (t) => {
    const world = base.copy(t);
    landUnseen(world, 4);
    assert.match(play(world, ...blocks("The disk is full")), /INTACT[\s\S]*released {3}prod #2/);
  });

  /** A copy with the two operators' tokens, as the page makes them. */
  function withOperators(t: Scope): World {
    const world = base.copy(t);
    world.configure("gate.yaml", () => ({ access: { tokens: { file: "tokens.yaml" } } }));
    play(world, blocks("An emergency")[0] ?? "");
    return world;
  }

  it("releases in an emergency what two operators stand for, each with a token of their own", async (t) => {
    const world = withOperators(t);
    world.push({ files: { [WEB]: deployment("web", { privileged: true, replicas: 4 }) } });
    const [, first = "", second = ""] = blocks("An emergency");
    assert.match(ending(4, world, first), /^second-operator-needed /);
    assert.equal(sequenceOf(world), 1);
    assert.match(play(world, second), /^EMERGENCY {2}prod[\s\S]*released {3}prod #2[\s\S]*INTACT/);
    assert.equal((await world.agent()).code, 0);
  });

  it("releases what one operator alone stands for, where gate.yaml allows it, and has it reviewed by another", async (t) => {
    const world = withOperators(t);
    world.configure("gate.yaml", (now) => {
      const { prod } = now["targets"] as Record<string, object>;
      return { targets: { prod: { ...prod, emergency: { operators: 1, review: "24h" } } } };
    });
    world.push({ files: { [WEB]: deployment("web", { privileged: true, replicas: 4 }) } });
    const [release = "", review = ""] = blocks("An emergency, and nobody else is there");
    assert.match(play(world, release), /^EMERGENCY {2}prod[\s\S]*^review due sam [\s\S]*released {3}prod #2/m);
    assert.match(play(world, review), /^warn {2}review of prod[\s\S]*is accepted by jo[\s\S]* review /m);
    assert.equal((await world.agent()).code, 0);
  });

  it("repairs a judge that cannot judge, by two operators, and goes on under the same log", async (t) => {
    const world = withOperators(t);
    world.configure("gate.yaml", (now) => {
      const { prod } = now["targets"] as Record<string, object>;
      return { targets: { prod: { ...prod, branch: "live" } } };
    });
    world.repo.git(["push", "--quiet", "origin", "origin/main:refs/heads/live"]);
    world.fetch();
    assert.equal(onlyLanded(await world.release()), undefined);
    const mended = JSON.parse(world.repo.git(["show", "origin/live:sluice.yaml"]));
    mended.targets.prod.branch = "live";
    world.propose({ from: "origin/live", branch: "live", files: { "sluice.yaml": JSON.stringify(mended) } });
    assert.equal(onlyLanded(await world.release()), "branch-mismatch");
    const [first = "", second = ""] = blocks("The judge cannot judge any more");
    assert.match(ending(4, world, first), /^second-operator-needed /);
    assert.match(play(world, second), /^ADOPTED AGAIN {2}prod /);
    world.fetch();
    const tip = world.propose({
      from: "origin/live",
      branch: "live",
      files: { [WEB]: deployment("web", { replicas: 5 }) },
    });
    world.approve("lin", tip, { tree: world.treeOf(tip) });
    assert.equal((await world.release()).code, 0);
    assert.equal(sequenceOf(world), 2);
  });

  it("shows who left a hold on, ends it and releases what waited", async (t) => {
    const world = base.copy(t);
    await world.hold();
    landUnseen(world, 4);
    await world.release();
    const told = play(world, ...blocks("A hold was left on"));
    assert.match(told, /\bhold\b[\s\S]*released {3}prod #2/);
    assert.equal((await world.agent()).code, 0);
  });

  it("signs a head with the right time once the clock is set", (t) => {
    const world = base.copy(t);
    const before = world.read("channel/head.json");
    assert.match(play(world, ...blocks("The clock is wrong")), /ok {4}clock/);
    assert.notEqual(world.read("channel/head.json"), before);
  });

  it("upgrades under a hold that ends, with a copy of the log", async (t) => {
    const world = base.copy(t);
    play(world, ...blocks("Upgrade"));
    assert.ok(existsSync(world.path("backup/log-before.db")));
    assert.equal((await world.agent()).code, 0);
  });

  it("restores what it backed up, and the gate and its agents go on", async (t) => {
    const world = base.copy(t);
    play(world, ...blocks("Backup and restore"));
    assert.equal(sequenceOf(world), 1);
    landUnseen(world, 7);
    assert.equal((await world.release()).report.current, 2);
    assert.equal((await world.agent()).code, 0);
    assert.ok((await world.verifiedSize()) > 0);
  });

  it("says of an older copy what the gate says: log-rolled-back", async (t) => {
    const world = base.copy(t);
    const [backup = "", restore = ""] = blocks("Backup and restore");
    play(world, backup);
    await world.hold();
    const wanted = restore.split("\n").slice(0, 3).join("\n");
    play(world, wanted);
    assert.equal((await world.release()).error, "log-rolled-back");
    assert.match(PAGE, /`log-rolled-back`/);
  });
});
