/** What routes ask of the service and order, on a service in this process that looks at nothing by itself. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { serviceOrders } from "../../src/server/orders.ts";
import { Service } from "../../src/server/service.ts";
import { makeGateWorld } from "../gate/gate-world.ts";
import { deployment, document } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";

const WEB = "clusters/prod/web.yaml";
const WAIVER = { rule: "no-privileged", target: "prod", resource: "Deployment/apps/web", reason: "r", owner: "ada" };
const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
const scope = ownScope();
const world = await makeGateWorld(scope, {
  target: { approvals: { count: 0 } },
  adopt: false,
  files: { "waivers.yaml": document([{ ...WAIVER, until }]) },
});
const room = { bytes: 10 * 1024 ** 3 };
const said: string[] = [];
const service = await Service.start(readGateYaml(world.path("gate.yaml")), {
  means: {
    surroundings: readSurroundings({ HOME: world.path("home") }),
    clock: Date.now,
    random: randomBytes,
    onStep: () => undefined,
  },
  journal: { say: (_level, message) => said.push(message) },
  freeBytes: () => room.bytes,
});
after(() => service.stop().finally(scope.end));
const orders = serviceOrders(service);

test("a check is a logged decision about a head that the service fetches itself", async () => {
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  const asked = { repository: "shop", head, targets: [], by: "ci" };
  const report = await orders.check(asked);
  assert.deepEqual([report.verdict, report.authority, report.targets.length], ["allow", "gate", 1]);
  assert.notEqual(report.targets[0]?.decision, null);
  await assert.rejects(orders.check({ ...asked, targets: ["staging"] }), { code: "target-unknown" });
  await assert.rejects(orders.check({ ...asked, repository: "other" }), {
    code: "target-unknown",
    message: 'gate.yaml has no repository "other" with a target.',
    fix: "--repository NAME, as gate.yaml calls it",
  });
  await assert.rejects(orders.check({ ...asked, head: "f".repeat(40) }), { code: "head-not-fetchable" });
});

test("a hold is in the head before it is answered, keeps a landing back, and a resume lets it go", async () => {
  const landed = world.push({ files: { [WEB]: deployment("web", { replicas: 4 }) } });
  const request = { scope: "prod", reason: "migration", by: "sam" };
  assert.deepEqual((await orders.hold(request)).targets, ["prod"]);
  assert.match(world.read("channel/head.json"), /"hold":\{[^}]*"by":"sam"/);
  await assert.rejects(orders.release({ target: "prod", by: "sam" }), { code: "release-held" });
  assert.equal((await orders.targets())[0]?.hold?.by, "sam");
  await assert.rejects(orders.resume({ ...request, scope: "all" }), { code: "nothing-held", message: /held: prod\./ });
  const { index } = await orders.resume(request);
  assert.match(world.read("channel/head.json"), /"hold":null/);
  await assert.rejects(orders.resume(request), { code: "nothing-held", message: /nothing is held/ });
  assert.equal((await service.gate.log.checkpoint()).size, index + 1, "nothing was recorded");
  const { landed: steps, current } = await orders.release({ target: "prod", by: "sam" });
  assert.deepEqual([steps.length, current, steps[0]?.release?.commit], [1, 1, landed]);
  assert.deepEqual((await orders.release({ target: "prod", by: "sam" })).landed, []);
  await assert.rejects(orders.hold({ ...request, scope: "prodd" }), { code: "target-unknown" });
});

test("the state of the targets, their waivers, their files and the counts are told as they are", async () => {
  const [prod] = await orders.targets();
  assert.deepEqual(
    [prod?.target, prod?.mode, prod?.adopted, prod?.released?.sequence, prod?.hold, prod?.waiting],
    ["prod", "enforce", true, 1, null, 0],
  );
  assert.deepEqual(
    (await orders.waivers(["prod"])).map((one) => [one.rule, one.until, one.ticket]),
    [["no-privileged", until, null]],
  );
  assert.match(Buffer.from((await orders.releaseFile("prod", "head.json")) ?? []).toString(), /"target":"prod"/);
  assert.equal(await orders.releaseFile("prod", "releases/9/release.json"), null);
  await assert.rejects(orders.releaseFile("prod", "../gate.yaml"), { code: "channel-path" });
  const { decisions, targets, landingToRelease, logSize } = await orders.metrics();
  assert.deepEqual(
    decisions.map(({ subject, verdict, count }) => [subject, verdict, count]),
    [
      ["proposed", "allow", 1],
      ["landed", "allow", 1],
    ],
  );
  assert.deepEqual([targets[0]?.sequence, targets[0]?.held, landingToRelease.count], [1, false, 1]);
  assert.ok(logSize > 5);
});

test("little room is said; with too little no proposal is taken, a landing is, and the service is not ready", async () => {
  assert.equal((await orders.readiness()).ready, true);
  room.bytes = 500 * 1024 ** 2;
  const little = await orders.readiness();
  assert.deepEqual([little.ready, little.facts.find((one) => one.what === "disk")?.code], [true, "disk-low"]);
  assert.ok(said.includes("little free space"));
  room.bytes = 50 * 1024 ** 2;
  assert.equal((await orders.readiness()).ready, false);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 5 }) } });
  await assert.rejects(orders.check({ repository: "shop", head, targets: [], by: "ci" }), { code: "disk-low" });
  world.moveMain(head);
  assert.equal((await orders.release({ target: "prod", by: "sam" })).current, 2);
  room.bytes = 10 * 1024 ** 3;
  assert.equal((await orders.readiness()).ready, true);
});
