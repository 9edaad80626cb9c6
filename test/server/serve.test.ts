/** The service as a process, on one short way: it starts, releases what lands, keeps a good gate.yaml, stops. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startService } from "../support/service.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";

test("what lands is released, a bad gate.yaml changes nothing, and a signal ends it all in order", async (t) => {
  const world = await makeWorld(t, {
    target: { approvals: { count: 0 } },
    gate: { repositories: { shop: { url: "./shop.git", poll: "100ms" } } },
  });
  const service = await startService(t, world);
  assert.ok(existsSync(world.path("channel/head.json")), "ready means that a head is signed");
  assert.ok(existsSync(world.path("data/service.json")));

  const url = await service.url();
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const { targets } = (await (await fetch(`${url}/v1/targets`)).json()) as { targets: readonly { target: string }[] };
  assert.deepEqual(
    targets.map((one) => one.target),
    ["prod"],
  );

  const good = world.read("gate.yaml");
  world.write("gate.yaml", "version: 1\n");
  service.child.kill("SIGHUP");
  assert.equal((await service.line("gate.yaml is kept as it was"))["code"], "gate-configuration-invalid");
  world.write("gate.yaml", good.replace("./data/log.db", "./data/other.db"));
  service.child.kill("SIGHUP");
  const answers = (): readonly unknown[] =>
    service.lines.filter((line) => /^reloaded$|is kept/.test(line.msg)).map((line) => line["code"]);
  await service.until(() => answers()[1] ?? (answers().length > 1 ? "none" : undefined), "what becomes of the second");
  assert.equal(answers()[1], "restart-needed");
  const landed = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } });
  assert.equal((await service.line("released", { commit: landed }))["sequence"], 1);

  assert.deepEqual(await service.stop(), { code: 0, signal: null });
  assert.equal(service.lines.at(-1)?.msg, "stopped");
  assert.deepEqual(service.other, [], "nothing but lines of JSON");
  assert.ok(!existsSync(world.path("data/service.json")));
});
