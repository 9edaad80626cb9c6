/** A gate whose log is in PostgreSQL, through the command line: decide, release, apply, query, prove, verify, export. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { POSTGRES_MISSING, startPostgres } from "../support/postgres.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";

describe("a gate with its log in PostgreSQL", { skip: POSTGRES_MISSING }, () => {
  it("carries a change from commit to live object, and answers every question about it", async (t) => {
    const server = await startPostgres(t);
    const store = await server.createStore();
    const log = { store, origin: "gate.example/log", key: { file: "log.key" }, anchor: "./anchor", data: "./data" };
    const world = await makeWorld(t, { gate: { log }, adopt: false });
    assert.equal((await world.adopt()).code, 0);
    await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) });
    await world.agent();
    await world.signHead();

    const list = await world.log<{ entries: { kind: string }[] }>(["list", "--target", "prod"]);
    const kinds = list.report.entries.map(({ kind }) => kind);
    for (const kind of ["genesis", "decision", "release", "applied"])
      assert.ok(kinds.includes(kind), `${kind}: ${list.code} ${list.stdout}${list.stderr}`);
    const why = await world.sluice([
      "log",
      "why",
      "Deployment/apps/web",
      "--target",
      "prod",
      "--config",
      "../gate.yaml",
    ]);
    assert.match(why.stdout, /is live in prod because lin approved ada's change/);
    const proof = await world.sluice(["log", "proof", "0", "--config", "../gate.yaml"]);
    assert.deepEqual([proof.code, proof.stdout.includes("c2sp.org/tlog-proof@v1")], [0, true], proof.stderr);
    const verified = await world.sluice(["log", "verify", "--config", "../gate.yaml"]);
    assert.match(verified.stdout, /^INTACT {2}postgres:/);
    const exported = await world.sluice([
      "log",
      "export",
      "--output",
      "../bundle",
      "--as",
      "erin",
      "--config",
      "../gate.yaml",
    ]);
    assert.equal(exported.code, 0, exported.stderr);
    const key = /--key (\S+)/.exec(exported.stdout)?.[1] ?? "";
    const bundle = await world.sluice(["log", "verify", "../bundle", "--key", key]);
    assert.match(bundle.stdout, /^INTACT/, exported.stdout + bundle.stderr);
    const doctor = await world.sluice(["doctor", "--config", "../gate.yaml"]);
    assert.match(doctor.stdout, /gate\.example\/log, \d+ entries/);

    const said = await world.log<{ count: number }>(["list", "--text", "apps WEB", "--kind", "decision"]);
    assert.ok(said.report.count > 0, said.stderr);
    assert.equal((await world.log<{ count: number }>(["list", "--text", "apps nobody"])).report.count, 0);
    const sample = await world.log<{ entries: unknown[] }>(["list", "--sample", "3", "--seed", "2026-Q4"]);
    assert.equal(sample.report.entries.length, 3, sample.stderr);

    await server.kill();
    const head = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) } });
    const args = ["check", "--target", "prod", "--config", "../gate.yaml"];
    const refused = await world.sluice(args);
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stdout + refused.stderr, /log-failed/);
    await server.start();
    const size = await world.verifiedSize();
    await world.check(head);
    assert.ok((await world.verifiedSize()) > size, "it records again, without help");
  });
});
