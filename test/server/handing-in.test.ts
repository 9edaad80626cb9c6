/** What is handed to the service: approvals, reports, rollbacks, questions; on a service in this process. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { decodeUtf8, utf8 } from "../../src/lib/bytes.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { formatTime } from "../../src/lib/time.ts";
import { noteSigner } from "../../src/log/note.ts";
import { signReport } from "../../src/release/report.ts";
import { serviceOrders } from "../../src/server/orders.ts";
import { Service } from "../../src/server/service.ts";
import { makeGateWorld } from "../gate/gate-world.ts";
import { deployment } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";

const WEB = "clusters/prod/web.yaml";
const scope = ownScope();
const world = await makeGateWorld(scope, {
  target: {},
  gate: { data: { entrypoints: { "rules/no_privileged/deny": "prod", "rules/no_privileged/absent": "prod" } } },
});
const service = await Service.start(readGateYaml(world.path("gate.yaml")), {
  means: {
    surroundings: readSurroundings({ HOME: world.path("home") }),
    clock: Date.now,
    random: randomBytes,
    onStep: () => undefined,
  },
  journal: { say: () => undefined },
});
after(() => service.stop().finally(scope.end));
const orders = serviceOrders(service);
const land = () => orders.release({ target: "prod", by: "sam" });

test("an approval that is handed in counts like one that was pushed, and once however often it comes", async () => {
  const landed = world.push({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  assert.deepEqual(
    (await land()).landed[0]?.check.targets[0]?.reasons.map(({ code }) => code),
    ["approval-missing"],
  );
  const envelope = world.approval("lin", landed);
  const given = await orders.approve(envelope);
  assert.deepEqual([given.approver, given.target, given.head], ["lin", "prod", landed]);
  assert.equal(await orders.approvalTarget(envelope), "prod");
  assert.equal((await orders.approve(envelope)).index, given.index);
  const entry = await service.gate.log.read(given.index);
  assert.deepEqual([entry.leaf.kind, entry.leaf.subject["head"]], ["approval", landed]);
  world.approve("lin", landed);
  const { landed: steps, current } = await land();
  assert.deepEqual([steps[0]?.check.verdict, current], ["allow", 1]);
  assert.deepEqual(
    steps[0]?.check.targets[0]?.approvals.given.map(({ person }) => person),
    ["lin"],
  );
});

test("what can never count is turned away with its code", async () => {
  const tip = world.tip();
  const refused = (envelope: Uint8Array, code: string) => assert.rejects(orders.approve(envelope), { code });
  await refused(utf8("{}"), "approval-malformed");
  await refused(world.approval("mallory", tip, { approver: "lin" }), "approval-signature");
  await refused(world.approval("jo", tip, { approver: "lin" }), "approval-signature");
  await refused(world.approval("lin", tip, { target: "other" }), "target-unknown");
  await refused(world.approval("lin", tip, { repository: "other" }), "target-unknown");
  await refused(world.approval("lin", tip, { expiresAt: formatTime(Date.now() - 1000) }), "approval-expired");
  const text = decodeUtf8(world.approval("lin", tip)) ?? "";
  await refused(utf8(text.replace('"signatures":[', '"signatures":[{"sig":"AA=="},')), "approval-malformed");
});

test("an agent's report that is sent is recorded once, and only under a key of the target", async () => {
  const { released } = (await orders.targets())[0] ?? {};
  const file = world.read(`channel/releases/${released?.sequence}/release.json`);
  const report = (key: string, change: object = {}) =>
    signReport(
      {
        v: 1,
        agent: "prod-1",
        target: "prod",
        sequence: 1,
        manifestDigest: sha256Hex(file),
        result: "applied",
        at: formatTime(Date.now()),
        checkpoint: "none",
        ...change,
      },
      noteSigner(world.read(key).trim()),
    );
  const note = report("agent.key");
  const { index } = await orders.report("prod", note);
  assert.equal((await service.gate.log.read(index ?? -1)).leaf.kind, "applied");
  assert.equal((await orders.report("prod", note)).index, null);
  await assert.rejects(orders.report("prod", report("log.key")), { code: "report-unknown-agent" });
  await assert.rejects(orders.report("prod", report("agent.key", { sequence: 9 })), { code: "report-mismatch" });
  await assert.rejects(orders.report("prod", utf8("x")), { code: "report-malformed" });
  await assert.rejects(orders.report("other", note), { code: "target-unknown" });
});

test("a rollback waits its turn, is judged by the policies of today, and is logged with who wanted it", async () => {
  const landed = world.push({ files: { [WEB]: deployment("web", { replicas: 5 }) } });
  await orders.approve(world.approval("lin", landed));
  assert.equal((await land()).current, 2);
  const done = await orders.rollback({ target: "prod", to: 1, reason: "errors since 2", by: "sam" });
  assert.deepEqual([done.landed[0]?.check.verdict, done.current, done.landed[0]?.release?.rollbackOf], ["allow", 3, 1]);
  const wanted = await service.gate.log.latest("prod", ["rollback"]);
  assert.equal(wanted?.disclosed["by"]?.value, "sam");
  const unknown = { target: "prod", to: 9, reason: "r", by: "sam" };
  await assert.rejects(orders.rollback(unknown), { code: "release-unknown" });
});

test("a question to the policies is answered by the judge's rules, logged, and never by nothing", async () => {
  const container = { at: "/spec/containers/0", spec: { securityContext: { privileged: true } } };
  const ask = (entrypoint: string, input: object) =>
    orders.data({ entrypoint, input: input as never, by: "ci", targets: null });
  const { result, id } = await ask("rules/no_privileged/deny", { pod: { containers: [container] } });
  assert.deepEqual(result, [
    { at: "/spec/containers/0/securityContext/privileged", message: "the container is privileged" },
  ]);
  assert.deepEqual((await ask("rules/no_privileged/deny", { pod: { containers: [] } })).result, []);
  const [entry] = await service.gate.log.find({
    target: "prod",
    kinds: ["decision"],
    order: "oldest",
    terms: [{ kind: "subject", value: "data" }],
  });
  assert.deepEqual([entry?.leaf.id, entry?.leaf.verdict], [id, null]);
  assert.ok(!JSON.stringify(entry?.disclosed).includes('privileged":true'));
  await assert.rejects(ask("rules/no_privileged/absent", {}), { code: "entrypoint-undefined" });
  await assert.rejects(ask("rules/few_replicas/warn", {}), { code: "route-unknown" });
  const other = { entrypoint: "rules/no_privileged/deny", input: {}, by: "ci", targets: ["staging"] };
  await assert.rejects(orders.data(other), { code: "not-permitted" });
});
