import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { serviceRemarks } from "../../src/cli/doctor-service.ts";
import { doctorSchema } from "../../src/cli/reports/schemas.ts";
import { formatTime } from "../../src/lib/time.ts";
import { generateNoteKey, noteSigner } from "../../src/log/note.ts";
import { openLog } from "../../src/log/stores.ts";
import { makeHead, signHead } from "../../src/release/head.ts";
import { writeStatus } from "../../src/server/status.ts";
import { draft } from "../support/log.ts";
import { repository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const LOG = generateNoteKey("gate.example/log", new Uint8Array(32).fill(1));
const RELEASE = generateNoteKey("gate.example/release", new Uint8Array(32).fill(2));
const AGENT = generateNoteKey("prod-1", new Uint8Array(32).fill(3));

async function doctor(cwd: string, ...args: string[]) {
  const run = await runSluice(["doctor", "--format", "json", ...args], { cwd });
  const { remarks, exitCode } = doctorSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual([run.code, exitCode], [exitCode, remarks.some((one) => one.state === "FAIL") ? 1 : 0]);
  const of = (group: string, what: string) => remarks.find((one) => one.group === group && one.what === what);
  return { code: run.code, remarks, of };
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    writeFileSync(join(folder, path), text, { mode: path.endsWith(".key") ? 0o600 : 0o644 });
  }
}

/** A gate and an agent of it, in one folder; nothing was adopted or released. */
function gateFolder(t: TestContext): string {
  const folder = tempFolder(t);
  write(folder, {
    "log.key": `${LOG.skey}\n`,
    "release.key": `${RELEASE.skey}\n`,
    "agent.key": `${AGENT.skey}\n`,
    "gate.yaml": `version: 1
repositories: {shop: {url: ./shop.git}}
targets: {prod: {repository: shop, branch: main, channels: [{directory: channel}]}}
log: {store: "sqlite:data/log.db", origin: gate.example/log, key: {file: log.key}}
release: {key: {file: release.key}}
`,
    "agent.yaml": `version: 1
target: prod
channel: {directory: channel}
apply: {files: www}
name: prod-1
key: {file: agent.key}
log: {origin: gate.example/log, keys: ["${LOG.vkey}"]}
releaseKeys: ["${RELEASE.vkey}"]
minimumSequence: 1
state: state
`,
  });
  return folder;
}

async function writeLog(folder: string, at: number): Promise<string> {
  mkdirSync(join(folder, "data"), { mode: 0o700 });
  const log = await openLog({
    store: `sqlite:${join(folder, "data/log.db")}`,
    origin: "gate.example/log",
    key: LOG.skey,
    clock: () => at,
    random: (count) => new Uint8Array(count).fill(5),
  });
  await log.append(draft({ kind: "genesis", target: "prod" }));
  const { note } = await log.checkpoint();
  await log.close();
  return note;
}

function writeHead(folder: string, note: string, issuedAt: number): void {
  const checkpoint = { origin: "gate.example/log", size: 1, root: new Uint8Array(32), note };
  const head = makeHead({ target: "prod", latest: null, hold: null, checkpoint }, issuedAt);
  mkdirSync(join(folder, "channel"), { recursive: true });
  writeFileSync(join(folder, "channel", "head.json"), signHead(head, noteSigner(RELEASE.skey)));
}

test("doctor looks at the machine: node, git, the compiler, its sandbox, the clock and the disk", async (t) => {
  const { code, remarks, of } = await doctor(tempFolder(t));
  assert.equal(code, 0);
  assert.deepEqual(
    remarks.filter((one) => one.group === "machine").map((one) => [one.what, one.state]),
    ["node", "git", "policy compiler", "sandbox", "clock", "temporary folder"].map((what) => [what, "ok"]),
  );
  assert.match(of("machine", "sandbox")?.message ?? "", /^seccomp, (\d+) of \1 forbidden things refused$/);
  assert.equal(of("repository", "here")?.state, "warn");
});

test("doctor finds nothing wrong in a repository that init has just set up", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { "prod/web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n" } });
  await runSluice(["init"], { cwd: repo.path });
  const { code, remarks, of } = await doctor(repo.path);
  assert.deepEqual([code, remarks.filter((one) => one.state !== "ok")], [0, []]);
  assert.match(of("repository", "policies compile")?.message ?? "", /^3 rules, set [0-9a-f]{12}$/);
});

test("doctor asks each source of data from outside, and shows nothing of where it is", async (t) => {
  const folder = gateFolder(t);
  const server = createServer((request, response) => response.end(request.url === "/good" ? "[1]" : "<html>"));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = (path: string) => `{url: "${base}/${path}", targets: [prod], deadline: 30s}`;
  appendFileSync(join(folder, "gate.yaml"), `external: {good: ${source("good")}, bad: ${source("bad")}}\n`);
  const { code, of, remarks } = await doctor(folder, "--config", "gate.yaml");
  assert.equal(code, 1);
  assert.deepEqual(of("gate", "source good")?.message, "answers 3 bytes of JSON");
  assert.deepEqual([of("gate", "source bad")?.state, of("gate", "source bad")?.code], ["FAIL", "external-malformed"]);
  assert.ok(!JSON.stringify(remarks).includes(base));
});

test("doctor says of a shallow clone and of policies that do not compile what to do, and exits 1", async (t) => {
  const repo = await repository(t);
  repo.history(3);
  const clone = join(tempFolder(t), "clone");
  repo.git(["clone", "-q", "--depth", "1", `file://${repo.path}`, clone]);
  await runSluice(["init"], { cwd: repo.path });
  repo.write({ "policies/image-digest/policy.rego": "package broken\n\ndeny contains x if { nowhere }\n" });
  const [shallow, broken] = [await doctor(clone), await doctor(repo.path)];
  assert.deepEqual([shallow.code, shallow.of("repository", "git objects")?.code], [1, "shallow-clone"]);
  assert.match(shallow.of("repository", "git objects")?.fix ?? "", /git fetch --unshallow/);
  assert.deepEqual([broken.code, broken.of("repository", "policies compile")?.state], [1, "FAIL"]);
});

test("doctor of a gate that was never used names the adoption that it lacks, and makes nothing", async (t) => {
  const folder = gateFolder(t);
  const before = readdirSync(folder);
  const { code, of } = await doctor(folder, "--config", "gate.yaml");
  assert.equal(code, 0);
  assert.deepEqual(
    [of("gate", "log")?.state, of("gate", "log")?.fix],
    ["warn", "sluice adopt prod --config gate.yaml --reason TEXT"],
  );
  assert.deepEqual([of("gate", "anchor")?.state, of("gate", "channel of prod")?.state], ["warn", "warn"]);
  assert.deepEqual(readdirSync(folder), before);
});

test("doctor reads the gate's log, and fails where a target is not adopted or a key is open to others", async (t) => {
  const folder = gateFolder(t);
  await writeLog(folder, Date.now());
  const fine = await doctor(folder, "--config", "gate.yaml");
  assert.equal(fine.code, 0, JSON.stringify(fine.remarks.filter((one) => one.state === "FAIL")));
  assert.match(fine.of("gate", "log")?.message ?? "", /^gate\.example\/log, 1 entries, newest /);
  assert.match(fine.of("gate", "prod")?.message ?? "", /^adopted on /);
  const text = `version: 1
repositories: {shop: {url: ./shop.git}}
targets: {stage: {repository: shop, branch: main, channels: [{directory: channel}]}}
log: {store: "sqlite:data/log.db", origin: gate.example/log, key: {file: log.key}, anchor: gone/checkpoint}
release: {key: {file: release.key}}
`;
  write(folder, { "gate.yaml": text });
  chmodSync(join(folder, "release.key"), 0o644);
  const wrong = await doctor(folder, "--config", "gate.yaml");
  const failed = wrong.remarks.filter((one) => one.state === "FAIL").map((one) => [one.what, one.code]);
  assert.deepEqual(failed, [
    ["release.key", "secret-readable-by-others"],
    ["stage", "target-not-adopted"],
    ["anchor", null],
  ]);
  assert.ok(wrong.remarks.every((one) => (one.state === "ok") === (one.fix === null)));
});

test("doctor notices that the log's newest entry lies ahead of this clock", async (t) => {
  const folder = gateFolder(t);
  const ahead = Date.now() + 3_600_000;
  await writeLog(folder, ahead);
  const { code, of } = await doctor(folder, "--config", "gate.yaml");
  assert.deepEqual([code, of("gate", "log")?.state], [1, "FAIL"]);
  assert.ok(of("gate", "log")?.message.includes(formatTime(ahead)));
});

test("doctor takes an agent's head as the agent would: missing, fresh, stale", async (t) => {
  const folder = gateFolder(t);
  const args = ["--agent", "agent.yaml"];
  const missing = await doctor(folder, ...args);
  assert.deepEqual(
    [missing.code, missing.of("agent", "head")?.code, existsSync(join(folder, "channel"))],
    [1, "head-missing", false],
  );
  const note = await writeLog(folder, Date.now());
  writeHead(folder, note, Date.now());
  const fresh = await doctor(folder, ...args);
  assert.deepEqual(
    [fresh.code, fresh.of("agent", "head")?.state, fresh.of("agent", "state folder")?.state],
    [0, "ok", "warn"],
  );
  writeHead(folder, note, Date.now() - 3_600_000);
  const stale = await doctor(folder, ...args);
  assert.deepEqual([stale.code, stale.of("agent", "head")?.code], [1, "head-stale"]);
});

test("doctor in words has a line for each thing, under its group, and a fix below each failure", async (t) => {
  const folder = gateFolder(t);
  chmodSync(join(folder, "agent.key"), 0o640);
  const run = await runSluice(["doctor", "--agent", "agent.yaml"], { cwd: folder });
  assert.equal(run.code, 1);
  assert.match(run.stdout, /^machine\nok {4}node {2,}\d/);
  assert.match(
    run.stdout,
    /\n\nagent\n[\s\S]*^FAIL {2}agent\.key {2,}secret-readable-by-others: .*\n {6}fix {2}chmod 600 /m,
  );
  assert.equal((run.stdout + run.stderr).includes("PRIVATE"), false);
});

test("a service that runs is known, one that is silent or gone is said, and what it could not fetch too", async (t) => {
  const folder = gateFolder(t);
  const data = join(folder, "data");
  const now = Date.now();
  await writeLog(folder, now);
  assert.deepEqual(serviceRemarks("gate", data, "gate.yaml", now), [], "none has run");
  writeStatus(data, { startedAt: now - 1000, at: now, room: "enough", failures: ["shop"] });
  const { of } = await doctor(folder, "--config", "gate.yaml");
  assert.equal(of("gate", "service")?.state, "ok");
  assert.match(of("gate", "service")?.message ?? "", new RegExp(`^runs since .*, process ${process.pid}, version`));
  assert.equal(of("gate", "repository shop")?.state, "warn");
  const [silent] = serviceRemarks("gate", data, "gate.yaml", now + 10 * 60_000);
  assert.match(silent?.message ?? "", /has signed no head since/);
  const status = readFileSync(join(data, "service.json"), "utf8");
  const gone = spawnSync(process.execPath, ["--version"]).pid; // a process that has ended
  writeFileSync(join(data, "service.json"), status.replace(`"pid":${process.pid}`, `"pid":${gone}`));
  const [ended] = serviceRemarks("gate", data, "gate.yaml", now);
  assert.deepEqual([ended?.state, ended?.fix], ["warn", "sluice serve --config gate.yaml"]);
});
