/** An agent that sends its signed reports to the real service: taken once, kept until then, and never in the way of a release. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { startService } from "../support/service.ts";
import { deployment } from "../support/shop.ts";
import type { Scope } from "../support/temp.ts";
import { makeWorld, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const base = await makeWorld(
  { after },
  { target: { approvals: { count: 0 } }, gate: { access: { tokens: { file: "tokens.yaml" } } } },
);
for (const [person, role] of [
  ["prod-1", "caller"],
  ["reader", "reader"],
] as const) {
  const made = await base.sluice(["token", "new", "--role", role, "--person", person, "--config", "../gate.yaml"]);
  base.write(`${person}.token`, made.stdout, 0o600);
}
base.push({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
assert.equal((await base.release()).code, 0);

const reportTo = (world: World, gate: string, token = "prod-1.token"): void =>
  world.configure("agent.yaml", () => ({ report: { gate, token: { file: token } } }));
const outbox = (world: World): readonly string[] => world.files("agent-state/outbox").map((path) => path.slice(19));
/** How many entries say what an agent applied. */
async function applied(world: World): Promise<number> {
  return (await world.log<{ count: number }>(["list", "--kind", "applied"])).report.count;
}

/** A server on loopback that answers each request in its turn by what it is given; the last one again and again. */
async function answering(scope: Scope, ...answers: readonly ((url: string, body: Buffer) => Promise<number>)[]) {
  const bodies: Buffer[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const answer = answers[Math.min(bodies.length, answers.length - 1)];
    bodies.push(body);
    const status = (await answer?.(request.url ?? "", body)) ?? 500;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  scope.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

test("what was applied is in the gate's log once, by the agent's own signature", async (t) => {
  const world = base.copy(t);
  const service = await startService(t, world);
  reportTo(world, await service.url());
  const first = await world.agent();
  assert.deepEqual([first.code, first.report["outcome"]], [0, "applied"], first.stdout);
  assert.deepEqual(outbox(world), []);
  assert.equal((await world.agent()).report["outcome"], "unchanged");
  await service.stop();
  assert.equal(await applied(world), 1);
});

test("an answer that is lost is asked for again with the same bytes, and recorded once", async (t) => {
  const world = base.copy(t);
  const service = await startService(t, world);
  const gate = await service.url();
  const token = readFileSync(world.path("prod-1.token"), "utf8").trim();
  const lossy = await answering(t, async (url, body) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${gate}${url}`, { method: "POST", headers, body: new Uint8Array(body) });
    assert.equal(answer.status, 200);
    return 0;
  });
  reportTo(world, lossy.url);
  const lost = await world.agent();
  assert.deepEqual([lost.code, lost.report["code"]], [3, "report-failed"]);
  assert.deepEqual(outbox(world), ["prod-1.1.report"]);
  assert.match(world.read("www/apps_%44eployment_apps_web"), /"replicas":3/);
  reportTo(world, gate);
  assert.equal((await world.agent()).code, 0);
  assert.deepEqual(outbox(world), []);
  await service.stop();
  assert.equal(await applied(world), 1);
});

test("a gate that is down, or refuses, keeps no release from being applied, and is told all of it later", async (t) => {
  const world = base.copy(t);
  const gone = await answering(t, async () => 0);
  reportTo(world, gone.url);
  const down = await world.agent();
  assert.deepEqual([down.code, down.report["code"]], [3, "report-failed"]);
  assert.match(String(down.report["message"]), /^Release 1 is in place, .* \(gate-unreachable\)\.$/);
  world.push({ files: { [WEB]: deployment("web", { replicas: 4 }) } });
  await world.release();
  reportTo(world, gone.url, "nowhere.token");
  const tokenless = await world.agent();
  assert.match(String(tokenless.report["message"]), /^Release 2 is in place, .* \(secret-missing\)\.$/);
  assert.match(world.read("www/apps_%44eployment_apps_web"), /"replicas":4/);
  assert.deepEqual(outbox(world), ["prod-1.1.report", "prod-1.2.report"]);

  const service = await startService(t, world);
  reportTo(world, await service.url(), "reader.token");
  const refused = await world.agent();
  assert.match(String(refused.report["message"]), /\(not-permitted\)\.$/);
  assert.ok(!(refused.stdout + refused.stderr).includes(world.read("reader.token").trim()));
  reportTo(world, await service.url());
  assert.equal((await world.agent()).code, 0);
  assert.deepEqual(outbox(world), []);
  await service.stop();
  assert.equal(await applied(world), 2);
});

test("a report that the gate has a newer one of goes, and the others are sent", async (t) => {
  const world = base.copy(t);
  const gone = await answering(t, async () => 0);
  reportTo(world, gone.url);
  await world.agent();
  const old = readFileSync(world.path("agent-state/outbox/prod-1.1.report"));
  rmSync(world.path("agent-state/outbox/prod-1.1.report"));
  world.push({ files: { [WEB]: deployment("web", { replicas: 4 }) } });
  await world.release();
  const service = await startService(t, world);
  reportTo(world, await service.url());
  assert.equal((await world.agent()).code, 0);
  writeFileSync(world.path("agent-state/outbox/prod-1.1.report"), old);
  assert.equal((await world.agent()).code, 0);
  assert.deepEqual(outbox(world), []);
  await service.stop();
  assert.equal(await applied(world), 1);
});

test("config check says of an agent whether it could send", async (t) => {
  const world = base.copy(t);
  reportTo(world, "https://gate.example", "nowhere.token");
  const ask = () => world.sluice(["config", "check", "--agent", "../agent.yaml"]);
  const missing = await ask();
  assert.deepEqual([missing.code, /secret-missing/.test(missing.stdout)], [2, true]);
  reportTo(world, "https://gate.example");
  assert.match((await ask()).stdout, /reports to\s+gate\.example, with what it needs/);
});
