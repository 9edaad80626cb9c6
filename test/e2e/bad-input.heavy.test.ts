/**
 * Bad input (issue 3): each has its own code and exit code and says what to do, and nothing is lost by it. Absence and
 * policies that loop, eat memory or answer garbage are in invariants/01, the log's full disk in 03, keys in 06, secrets
 * in 09, links and hostile names in 10; malleated signatures are in signature/attacks.test.ts, the order of sync and the
 * power cut in log/durability.heavy.test.ts.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { deployment, type Files, policy } from "../support/shop.ts";
import { type SluiceRun, sluiceCommand } from "../support/sluice.ts";
import { makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WEB = "clusters/prod/web.yaml";
const web = (replicas: number): Files => ({ [WEB]: deployment("web", { replicas }) });
const base = await makeWorld({ after }, { target: { approvals: { count: 0 } } });
/** One world for all that only asks: what one test proposes does not touch the next. */
const shared = base.copy({ after });

/** A refusal before anything was judged: nothing on standard output, and a line that says what to do. */
function assertSaid({ code, stdout, stderr }: SluiceRun, expected: string, exitCode: number): void {
  assert.deepEqual([/^\S+/.exec(stderr)?.[0], code, stdout], [expected, exitCode, ""], stderr);
  assert.match(stderr, /^\S+ {2}\S.*\n\s+fix {2}\S/s);
}

// What is asked

test("a folder that is not a repository", async () => {
  assertSaid(await shared.sluice(["check"], { cwd: shared.path("keys") }), "not-a-repository", 2);
});

test("a revision that does not exist", async () => {
  assertSaid(await shared.preview("fature"), "unknown-revision", 2);
  assertSaid(await shared.check("fature"), "unknown-revision", 2);
});

test("a head that is not a commit", async () => {
  assertSaid(await shared.preview(shared.treeOf("origin/main")), "not-a-commit", 2);
});

test("a range without a commit", async () => {
  assertSaid(await shared.preview("origin/main"), "empty-range", 2);
  assertSaid(await shared.check("origin/main"), "empty-range", 2);
});

test("a range whose base is the head, or holds it", async () => {
  const head = shared.propose({ files: web(7) });
  const same = await shared.preview(head, ["--base", head]);
  assertSaid(same, "empty-range", 2);
  assert.match(same.stderr, /The base and the head are one commit, [0-9a-f]{7};/);
  const before = await shared.preview(`${head}~1`, ["--base", head]);
  assertSaid(before, "empty-range", 2);
  assert.match(before.stderr, /The base [0-9a-f]{7} holds the head [0-9a-f]{7} already;/);
});

test("the reason for a resource of a target that gate.yaml does not name", async () => {
  const why = (target: string) =>
    shared.sluice(["log", "why", "Deployment/apps/web", "--target", target, "--config", "../gate.yaml"]);
  const slip = await why("prd");
  assertSaid(slip, "target-unknown", 2);
  assert.match(slip.stderr, /fix {2}--target prod$/m);
  const stranger = await why("nope");
  assertSaid(stranger, "target-unknown", 2);
  assert.match(stranger.stderr, /gate\.yaml has no target "nope"; it has prod\./);
  const early = await why("prod");
  assertSaid(early, "resource-not-live", 1);
  assert.match(
    early.stderr,
    /prod has no release yet\.\n +fix {2}see what was decided: sluice log list --target prod /,
  );
});

test("a commit that was never pushed", async (t) => {
  const world = base.copy(t);
  world.repo.branch("local", "origin/main");
  assertSaid(
    await world.check(world.repo.commit({ files: web(3), signWith: world.key("ada") })),
    "head-not-fetchable",
    2,
  );
});

test("a shallow clone", async (t) => {
  const world = base.copy(t);
  world.propose({ files: web(3), branch: "main-2" });
  world.repo.git([
    "clone",
    "--quiet",
    "--depth",
    "1",
    "--branch",
    "main-2",
    `file://${world.forge}`,
    world.path("shallow"),
  ]);
  assertSaid(await world.sluice(["check"], { cwd: world.path("shallow") }), "shallow-clone", 2);
});

test("a base and a head without a common history", async (t) => {
  const world = base.copy(t);
  const orphan = world.repo.commitTree(world.treeOf("HEAD"), [], { signWith: world.key("ada") });
  world.repo.git(["push", "--quiet", "origin", `${orphan}:refs/heads/orphan`]);
  const { code, report } = await world.check(orphan);
  assert.deepEqual([code, reasonCodes(report)], [1, ["unrelated-histories"]]);
});

test("a change that conflicts with the branch", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  world.push({ files: web(4) });
  const { code, report } = await world.check(head);
  assert.deepEqual([code, reasonCodes(report)], [1, ["merge-conflict"]]);
  assert.match(onlyTarget(report).reasons[0]?.fix ?? "", /^git rebase [0-9a-f]{7}/);
});

test("options and formats that do not exist, and parts that do not exist yet", async () => {
  assertSaid(await shared.sluice(["check", "--haed", "x"]), "usage", 2);
  assertSaid(await shared.sluice(["check", "--format", "yaml"]), "usage", 2);
  assertSaid(await shared.sluice(["check", "--gate", "ftp://gate.example"]), "gate-untrusted", 3);
  assertSaid(await shared.sluice(["serve"]), "usage", 2);
  assertSaid(await shared.sluice(["simulate"]), "usage", 2);
  assertSaid(await shared.sluice(["drift"]), "not-supported", 2);
});

// What a change holds

const manifest = (lines: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: apps}\n${lines}\n`;
const BOMB = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(", ")}]`).join(
  "\n",
);
const AMBIGUOUS = ["0644", "yes", "1_000", "12:30:45", "0x1F", "0o17", ".inf", "9007199254740993", "2026-11-21"];

/** [what, text of a new manifest, code] */
const MANIFESTS: readonly (readonly [string, string | Uint8Array, string])[] = [
  ["a tab for indentation", manifest("data:\n\ta: b"), "yaml-malformed"],
  ["bytes that are not UTF-8", new Uint8Array([0x61, 0xff, 0xfe]), "yaml-malformed"],
  ["a key twice", manifest("data: {a: b, a: c}"), "yaml-duplicate-key"],
  ["a merge key", manifest("data: {<<: {a: b}}"), "yaml-ambiguous"],
  ["a key that changes the map itself", manifest("data: {__proto__: {a: b}}"), "yaml-key"],
  ["a tag", manifest("data: {a: !!binary aGVsbG8=}"), "yaml-tag"],
  ["an alias bomb", `${manifest("l0: &l0 [a]")}${BOMB}\n`, "yaml-alias-bomb"],
  ["50,000 levels", `${"[".repeat(50_000)}${"]".repeat(50_000)}`, "yaml-too-deep"],
  ["a document without kind", "apiVersion: v1\nmetadata: {name: x}\n", "not-an-object"],
  ["JSON with a comma too many", '{"apiVersion": "v1",}', "json-malformed"],
];

test("manifests that cannot be read, each refused in its place under its own code", async (t) => {
  const world = base.copy(t);
  const pathOf = (code: string, n: number): string =>
    `clusters/prod/n${n}.${code.startsWith("json") ? "json" : "yaml"}`;
  const files = Object.fromEntries(MANIFESTS.map(([, text, code], n) => [pathOf(code, n), text]));
  const { code: exit, report } = await world.preview(world.propose({ files }));
  assert.equal(exit, 1);
  const { reasons } = onlyTarget(report);
  for (const [n, [what, , code]] of MANIFESTS.entries()) {
    const said = reasons.filter(({ message }) => new RegExp(`^${pathOf(code, n)}(?::[0-9]+:[0-9]+)?  `).test(message));
    assert.deepEqual([...new Set(said.map((one) => one.code))], [code], what);
    assert.ok(said.every(({ fix }) => fix !== null && fix !== ""));
  }
});

test("every scalar that two readers of YAML read differently", async (t) => {
  const world = base.copy(t);
  const files = AMBIGUOUS.map((scalar, n) => [`clusters/prod/n${n}.yaml`, manifest(`spec: {value: ${scalar}}`)]);
  const { code, report } = await world.preview(world.propose({ files: Object.fromEntries(files) as Files }));
  assert.equal(code, 1);
  const refused = onlyTarget(report).reasons.filter((reason) => reason.code === "yaml-ambiguous");
  const places = refused.map((reason) => reason.message.split(":")[0]);
  assert.deepEqual([...places].sort(), files.map(([path]) => path).sort(), "each in its own file");
});

test("two documents of one identity", async (t) => {
  const world = base.copy(t);
  const { code, report } = await world.preview(
    world.propose({ files: { "clusters/prod/again.yaml": deployment("web") } }),
  );
  assert.deepEqual([code, reasonCodes(report)], [1, ["duplicate-identity"]]);
  const { message } = onlyTarget(report).reasons[0] ?? assert.fail();
  assert.ok(message.includes("clusters/prod/again.yaml") && message.includes(WEB), "both places are named");
});

test("a file of 60 MB", async (t) => {
  const world = base.copy(t);
  const { code, report } = await world.preview(
    world.propose({ files: { "clusters/prod/big.yaml": Buffer.alloc(60_000_000, "a") } }),
  );
  assert.deepEqual([code, reasonCodes(report).length], [1, 1]);
  assert.match(reasonCodes(report)[0] ?? "", /^(?:object|yaml|render)-too-large$/);
});

test("a policy that does not compile, in the judge and in a change", async (t) => {
  const world = base.copy(t);
  const broken = {
    "policies/broken.rego": policy("broken", `deny contains {"message": input.resource.objct.kind} if true`),
  };
  const proposed = await world.preview(world.propose({ files: broken }));
  assert.ok(reasonCodes(proposed.report).includes("new-judge-unusable"));
  assert.match(JSON.stringify(onlyTarget(proposed.report).reasons), /broken\.rego:\d+/);
  world.push({ files: broken });
  const { code, report } = await world.preview(world.propose({ files: web(3) }));
  assert.deepEqual([code, reasonCodes(report)], [3, ["policy-does-not-compile"]]);
  assert.match(onlyTarget(report).reasons[0]?.message ?? "", /policies\/broken\.rego:\d+/);
});

// Who signed it

/** The same commit with other bytes, by a careless hand or a skilled one. */
function rewritten(world: World, commit: string, edit: (raw: string) => string): string {
  const raw = world.repo.git(["cat-file", "commit", commit]);
  const changed = world.repo.object("commit", `${edit(raw)}\n`);
  world.repo.git(["push", "--quiet", "--force", "origin", `${changed}:refs/heads/rewritten`]);
  return changed;
}

test("a commit that was edited after it was signed, and one signed again by a stranger", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3), message: "three" });
  const edited = await world.check(rewritten(world, head, (raw) => raw.replace(/three$/, "thirty")));
  assert.deepEqual([edited.code, reasonCodes(edited.report)], [1, ["bad-signature"]]);
  const stranger = await world.check(world.propose({ by: "mallory", author: "ada <ada@example.com>", files: web(3) }));
  assert.deepEqual([stranger.code, reasonCodes(stranger.report)], [1, ["unknown-signer"]]);
});

test("a commit whose signature was taken off after it was allowed", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  assert.equal((await world.check(head)).code, 0);
  const stripped = rewritten(world, head, (raw) => raw.replace(/\ngpgsig [^\n]*(?:\n [^\n]*)*/, ""));
  assert.equal(world.treeOf(stripped), world.treeOf(head));
  for (const { code, report } of [await world.check(stripped), await world.preview(stripped)]) {
    assert.deepEqual([code, reasonCodes(report)], [1, ["unsigned-commit"]]);
  }
});

test("a commit under another person's name", async (t) => {
  const world = base.copy(t);
  const { code, report } = await world.check(world.propose({ files: web(3), author: "lin <lin@example.com>" }));
  assert.deepEqual([code, reasonCodes(report)], [1, ["signer-mismatch"]]);
});

// What the operator wrote

test("configuration of a wrong type, and key files that others can read", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  const before = await world.verifiedSize();
  chmodSync(world.path("log.key"), 0o644);
  const readable = await world.check(head);
  assertSaid(readable, "secret-readable-by-others", 2);
  assert.match(readable.stderr, /chmod 600 .*log\.key/);
  chmodSync(world.path("log.key"), 0o600);
  const good = world.read("gate.yaml");
  for (const [text, place] of [
    [good.replace('"version": 1', '"version": "1"'), /gate\.yaml:\d+:\d+/],
    [good.replace('"release"', '"relase"'), /relase.*release/s],
    ["targets: [", /gate\.yaml:\d+:\d+/],
  ] as const) {
    world.write("gate.yaml", text);
    const answer = await world.check(head);
    assertSaid(answer, "gate-configuration-invalid", 2);
    assert.match(answer.stderr, place);
  }
  rmSync(world.path("gate.yaml"));
  assertSaid(await world.check(head), "configuration-missing", 2);
  world.write("gate.yaml", good);
  assert.equal(await world.verifiedSize(), before);
});

test("a gate that signs log and releases with one key", async (t) => {
  const world = base.copy(t);
  world.configure("gate.yaml", () => ({ release: { key: { file: "log.key" } } }));
  assertSaid(await world.release(), "gate-configuration-invalid", 2);
});

// What became of the log

test("a log that was edited is found by its first wrong entry, and nothing is released from it", async (t) => {
  const world = base.copy(t);
  world.push({ files: web(3) });
  assert.equal((await world.release()).code, 0);
  const published = world.files("channel").length;
  const database = new DatabaseSync(world.path("data/log.db"));
  const row = database.prepare("SELECT idx, bytes FROM entries WHERE kind = 'decision'").get();
  const edited = Buffer.from(row?.["bytes"] as Uint8Array)
    .toString()
    .replace('"verdict":"allow"', '"verdict":"error"');
  database.prepare("UPDATE entries SET bytes = ? WHERE idx = ?").run(Buffer.from(edited), row?.["idx"] ?? null);
  database.close();
  const { code, report } = await world.log<{ intact: boolean; index: number; code: string }>(["verify"]);
  assert.deepEqual([code, report.intact, report.code, report.index], [1, false, "log-tampered", row?.["idx"]]);
  world.push({ files: web(4) });
  const answer = await world.release();
  assert.deepEqual([answer.code, answer.stdout], [3, ""], answer.stderr);
  assert.match(answer.error ?? "", /^log-/);
  assert.equal(world.files("channel").length, published);
});

test("a log that was restored from a backup is refused by its anchor", async (t) => {
  const world = base.copy(t);
  cpSync(world.path("data"), world.path("backup"), { recursive: true });
  world.push({ files: web(3) });
  assert.equal((await world.release()).code, 0);
  const published = world.files("channel").length;
  rmSync(world.path("data"), { recursive: true });
  cpSync(world.path("backup"), world.path("data"), { recursive: true });
  chmodSync(world.path("data"), 0o700);
  for (const answer of [
    await world.release(),
    await world.check(world.propose({ files: web(4) })),
    await world.signHead(),
  ]) {
    assertSaid(answer, "log-rolled-back", 1);
  }
  assert.equal((await world.log(["verify"])).code, 1);
  assert.equal(world.files("channel").length, published, "nothing was published");
});

test("a log whose anchor is gone", async (t) => {
  const world = base.copy(t);
  rmSync(world.path("anchor"));
  assertSaid(await world.release(), "log-anchor-missing", 3);
});

test("a log that was truncated in the middle of a page", async (t) => {
  const world = base.copy(t);
  world.push({ files: web(3) });
  assert.equal((await world.release()).code, 0);
  const bytes = readFileSync(world.path("data/log.db"));
  writeFileSync(world.path("data/log.db"), bytes.subarray(0, bytes.length - 5000));
  const verified = await world.log(["verify"]);
  assert.ok(verified.code === 1 || verified.code === 3, `exit ${verified.code} ${verified.stderr}`);
  const answer = await world.release();
  assert.deepEqual([answer.code === 0, answer.stdout], [false, ""]);
  assert.match(answer.error ?? "", /^log-/);
});

/** The command line as a process that can be held or killed; tells standard output when it ends. */
function start(
  world: World,
  args: readonly string[],
): { child: ChildProcess; ended: Promise<{ code: number | null; stdout: string }> } {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: world.path("home"),
    XDG_CACHE_HOME: join(world.path("home"), "cache"),
    XDG_CONFIG_HOME: join(world.path("home"), "config"),
    TMPDIR: world.path("tmp"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const child = spawn(process.execPath, args, { cwd: world.repo.path, env, stdio: ["pipe", "pipe", "ignore"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<{ code: number | null; stdout: string }>((fulfil) => {
    child.once("close", (code) => fulfil({ code, stdout: Buffer.concat(chunks).toString() }));
  });
  return { child, ended };
}

/** The genesis, and what it puts in force. */
const ADOPTION_ENTRIES = 4;
const CHECK = [sluiceCommand(), "check", "--config", "../gate.yaml", "--format", "json", "--head"];

/** A process that writes the world's log until its standard input ends. */
const HOLDER = `
import { openLog } from ${JSON.stringify(join(ROOT, "src/log/stores.ts"))};
import { readFileSync } from "node:fs";
const options = { store: "sqlite:../data/log.db", origin: "gate.example/log", key: readFileSync("../log.key", "utf8").trim() };
const log = await openLog({ ...options, anchor: "../anchor", clock: Date.now, random: (n) => crypto.getRandomValues(new Uint8Array(n)) });
process.stdout.write("open");
for await (const _ of process.stdin);
await log.close();
`;

test("two writers on one log: the second is told so, readers are free, and it works once the first is gone", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  world.write("holder.mjs", HOLDER);
  const holder = start(world, [world.path("holder.mjs")]);
  await Promise.race([once(holder.child.stdout ?? assert.fail(), "data"), holder.ended]);
  assertSaid(await world.check(head), "log-busy", 3);
  assertSaid(await world.release(), "log-busy", 3);
  assert.equal((await world.log(["list"])).code, 0);
  assert.equal(await world.verifiedSize(), ADOPTION_ENTRIES);
  holder.child.stdin?.end();
  assert.equal((await holder.ended).code, 0);
  assert.equal((await world.check(head)).code, 0);
});

test("a gate killed again and again: every answer that was given is in the log, which verifies and goes on", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  const began = performance.now();
  const told = [onlyTarget(JSON.parse((await start(world, [...CHECK, head]).ended).stdout)).decision?.index];
  const whole = performance.now() - began;
  for (let round = 1; round <= 10; round++) {
    const { child, ended } = start(world, [...CHECK, head]);
    const timer = setTimeout(() => child.kill("SIGKILL"), whole * (0.5 + round * 0.06));
    const { code, stdout } = await ended;
    clearTimeout(timer);
    if (code === 0) told.push(onlyTarget(JSON.parse(stdout)).decision?.index);
  }
  const size = await world.verifiedSize();
  for (const index of told) assert.ok(index !== undefined && index < size);
  assert.equal(new Set(told).size, told.length, "each answer has an entry of its own");
  const next = await world.check(head);
  assert.deepEqual([next.code, onlyTarget(next.report).decision?.index], [0, size]);
});

test("a release for which the disk is too small is an error, and the next one completes it", async (t) => {
  const world = base.copy(t);
  world.push({ files: web(3) });
  const size = await world.verifiedSize();
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: world.path("home"),
    TMPDIR: world.path("tmp"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const command = [process.execPath, sluiceCommand(), "release", "prod", "--config", "../gate.yaml"];
  const full = spawnSync("bash", ["-c", 'ulimit -f 24; exec "$@"', "bash", ...command], {
    cwd: world.repo.path,
    env,
    encoding: "utf8",
  });
  assert.deepEqual([full.status, full.stdout], [3, ""], full.stderr);
  assert.match(full.stderr, /^log-(?:full|failed) {2}/);
  assert.ok((await world.verifiedSize()) >= size);
  assert.deepEqual(world.files("channel/releases"), [], "nothing half-written");
  assert.equal((await world.release()).code, 0);
  assert.equal((await world.agent()).code, 0);
});

test("a channel that cannot be written leaves the log whole, and the next head completes the release", async (t) => {
  const world = base.copy(t);
  world.push({ files: web(3) });
  rmSync(world.path("channel"), { recursive: true });
  writeFileSync(world.path("channel"), "a file in the way");
  const refused = await world.release();
  assert.deepEqual([refused.code === 0, refused.stdout], [false, ""]);
  assert.ok((await world.verifiedSize()) > ADOPTION_ENTRIES);
  rmSync(world.path("channel"));
  mkdirSync(world.path("channel"));
  assert.equal((await world.release()).code, 0);
  assert.equal((await world.agent()).code, 0);
  assert.match(world.read("www/apps_%44eployment_apps_web"), /"replicas":3/);
});

test("nothing that was refused in this file lost an entry or left a temporary file", async () => {
  assert.equal(await shared.verifiedSize(), ADOPTION_ENTRIES);
  assert.deepEqual(shared.files("tmp"), []);
});
