import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import { document } from "../support/shop.ts";
import { sluiceCommand } from "../support/sluice.ts";
import { makeWorld, type World } from "../support/world.ts";

const scope = { after };
const shared = makeWorld(scope);

/** Makes a key with the command that people use and starts the witness as a process of its own. */
async function startWitness(t: TestContext, world: World, name: string) {
  const folder = world.path(name);
  mkdirSync(folder, { mode: 0o700 });
  const key = await world.sluice<{ verifierKey: string }>([
    "keygen",
    "witness",
    "--name",
    `${name}.example/w`,
    "--out",
    `${folder}/w.key`,
    "--format",
    "json",
  ]);
  assert.equal(key.code, 0, key.stderr);
  const { log } = JSON.parse(world.read("agent.yaml")) as { log: { origin: string; keys: string[] } };
  const listen = { port: 0 };
  world.write(
    `${name}/witness.yaml`,
    document({ version: 1, key: { file: "w.key" }, store: "seen.db", logs: [log], listen }),
  );
  const child = spawn(process.execPath, [sluiceCommand(), "witness", "--config", `${folder}/witness.yaml`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], HOME: world.path("home") },
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  };
  return { url: line.replace("listening on ", ""), key: key.report.verifierKey, stop };
}

test("an agent that asks for witnesses applies only what enough of them saw; the gate goes on without one", async (t) => {
  const world = (await shared).copy(t);
  const [one, two] = [await startWitness(t, world, "one"), await startWitness(t, world, "two")];
  const witnesses = [one, two].map(({ url, key }) => ({ url, key, deadline: "30s" }));
  world.configure("gate.yaml", ({ log }) => ({ log: { ...(log as object), witnesses } }));
  world.configure("agent.yaml", () => ({ witnesses: { keys: [one.key, two.key], quorum: 2 } }));

  const landed = await world.land({ "README.md": "two saw it\n" });
  assert.equal(landed.code, 0, landed.stderr);
  assert.equal(landed.stderr, "");
  const applied = await world.agent();
  assert.equal(applied.code, 0, applied.stderr);

  assert.equal(await two.stop(), 0);
  const next = await world.land({ "README.md": "one saw it\n" });
  assert.equal(next.code, 0, next.stderr);
  assert.match(next.stderr, /^witness-silent {2}The witness two\.example\/w does not answer\.$/m);
  const waits = await world.agent();
  assert.equal(waits.code, 4, waits.stderr);
  assert.deepEqual(
    [waits.report["code"], waits.report["message"]],
    ["witness-quorum", "1 of 2 witnesses saw this log: one.example/w."],
  );

  world.configure("agent.yaml", () => ({ witnesses: { keys: [one.key, two.key], quorum: 1 } }));
  assert.equal((await world.agent()).code, 0);
});

test("a gate whose log was put back to an older copy signs nothing once a witness has seen more", async (t) => {
  const world = (await shared).copy(t);
  const one = await startWitness(t, world, "one");
  const witnesses = [{ url: `${one.url}/`, key: one.key, deadline: "30s" }];
  world.configure("gate.yaml", ({ log }) => {
    const { anchor: _, ...rest } = log as { anchor: string };
    return { log: { ...rest, witnesses } };
  });
  await world.land({ "README.md": "seen\n" });
  rmSync(world.path("data"), { recursive: true });
  cpSync((await shared).path("data"), world.path("data"), { recursive: true });
  chmodSync(world.path("data"), 0o700);
  const size = await world.verifiedSize();
  const refused = await world.signHead();
  assert.deepEqual([refused.code, refused.error], [1, "log-rolled-back"], refused.stderr);
  assert.match(refused.stderr, /one\.example\/w has seen \d+ entries of this log, which has \d+\./);
  assert.equal(await world.verifiedSize(), size);
});

test("agent.yaml that asks for more witnesses than it names, and witness.yaml with a fault, are refused by line", async (t) => {
  const world = (await shared).copy(t);
  world.configure("agent.yaml", () => ({ witnesses: { keys: [], quorum: 1 } }));
  const agent = await world.agent();
  assert.deepEqual([agent.code, agent.error], [2, "agent-configuration-invalid"]);
  assert.match(agent.stderr, /asks for more witnesses than it has keys of/);
  world.write("witness.yaml", "version: 1\nlog: []\n");
  const witness = await world.sluice(["witness", "--config", "../witness.yaml"]);
  assert.deepEqual([witness.code, witness.error], [2, "witness-configuration-invalid"]);
  assert.match(witness.stderr, /witness\.yaml:2:1 unknown key "log"; did you mean "logs"\?/);
});
