/** `sluice log export` as an auditor meets it: the rows of real changes, and a bundle that verifies without the gate. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openLog } from "../../src/log/stores.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";

test("log export writes a bundle that verifies without the gate, tells each change, and is itself logged", async (t) => {
  const world = await makeWorld(t);
  await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) });
  await world.agent();
  await world.signHead();
  const size = await world.verifiedSize();
  const args = ["log", "export", "--output", "../bundle", "--as", "erin", "--config", "../gate.yaml"];
  const made = await world.sluice(args);
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stdout,
    new RegExp(`^EXPORTED {2}.*\\n {8}gate\\.example/log: ${size} entries .*1 landed changes; read by erin`),
  );
  const key = /--key (\S+)/.exec(made.stdout)?.[1] ?? "";
  const alone = await world.sluice(["log", "verify", "../bundle", "--key", key]);
  assert.deepEqual([alone.code, /^INTACT/.test(alone.stdout)], [0, true]);
  const [, row = ""] = world.read("bundle/changes.csv").split("\r\n");
  const cells = row.split(",");
  const [target, signer, reviewers, verdict, kind, released, applied, result] = [1, 5, 6, 10, 11, 13, 14, 15].map(
    (at) => cells[at],
  );
  assert.deepEqual(
    [target, signer, reviewers, verdict, kind, result],
    ["prod", "ada", "lin", "allow", "squash", "applied"],
  );
  for (const time of [released, applied]) assert.match(time ?? "", /^20\d\d-.*Z$/);
  const statement = JSON.parse(world.read("bundle/statement.json"));
  assert.deepEqual([statement.entries, statement.changes, statement.read.index], [size, 1, size]);
  const [policies = { digest: "", held: false }] = statement.policies as readonly { digest: string; held: boolean }[];
  assert.deepEqual([statement.policies.length, policies.held], [1, true], "the sources behind the digest");
  const sources = `bundle/policies/${policies.digest}.json`;
  const whole = world.read(sources);
  world.write(sources, whole.replace("deny", "warn"));
  const weaker = await world.sluice(["log", "verify", "../bundle", "--key", key]);
  assert.deepEqual([weaker.code, weaker.stdout.includes(`policies/${policies.digest}.json`)], [1, true]);
  world.write(sources, whole);
  const read = await world.log<{ entries: { kind: string }[] }>(["list", "--person", "erin"]);
  assert.deepEqual(
    read.report.entries.map(({ kind: one }) => one),
    ["read"],
  );
  world.write("bundle/changes.csv", world.read("bundle/changes.csv").replace("ada", "eve"));
  const changed = await world.sluice(["log", "verify", "../bundle", "--key", key]);
  assert.deepEqual(
    [changed.code, /^BROKEN.*\nlog-tampered {2}The bundle's changes\.csv /.test(changed.stdout)],
    [1, true],
  );
  const holder = await openLog({
    store: `sqlite:${world.path("data/log.db")}`,
    origin: "gate.example/log",
    key: world.read("log.key").trim(),
    anchor: world.path("anchor"),
    clock: Date.now,
    random: randomBytes,
  });
  const [, , , , ...rest] = args;
  const busy = await world.sluice(["log", "export", "--output", "../busy", ...rest]);
  assert.deepEqual([busy.code, busy.error, world.files("busy")], [3, "log-busy", []]);
  const unlogged = await world.sluice(["log", "export", "--output", "../unlogged", ...rest, "--unlogged"]);
  assert.match(unlogged.stdout, /read by erin, in no log: --unlogged\n/, unlogged.stderr);
  await holder.close();
  assert.equal((await world.sluice(["log", "verify", "../unlogged", "--key", key])).code, 0);
  const again = await world.sluice(args);
  assert.deepEqual([again.code, again.error], [2, "bundle-exists"]);
  const backwards = await world.sluice([...args, "--from", "2026-02-01", "--to", "2026-01-01"]);
  assert.deepEqual([backwards.code, backwards.error], [2, "usage"]);
  assert.equal(await world.verifiedSize(), size + 1, "a refused export logs nothing");
});
