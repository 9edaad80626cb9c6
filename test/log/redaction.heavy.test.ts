/** `sluice log redact` over a real gate: what it still needs is kept, and what was taken from it all the same stops it. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { logShowSchema, logVerificationSchema } from "../../src/gate/json/schemas/log.ts";
import { redactionSchema } from "../../src/gate/json/schemas/redaction.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";

const redact = (world: World, ...args: readonly string[]) =>
  world.log(["redact", "--reason", "case 12", "--as", "ops", ...args]);

function filesWith(world: World, text: string): readonly string[] {
  return world.files("data").filter((name) => /log\.db/.test(name) && readFileSync(world.path(name)).includes(text));
}

test("a person who left is erased from what is old; releases, proofs and later landings go on", async (t) => {
  const world = await makeWorld(t);
  const land = (replicas: number) => world.land({ "clusters/prod/web.yaml": deployment("web", { replicas }) });
  assert.equal((await land(3)).code, 0);
  const needed = await redact(world, "--person", "lin");
  assert.deepEqual([needed.code, needed.error], [1, "redaction-needed"]);
  world.push({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) }, by: "max" });
  await world.release();
  world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 5 }) }, by: "max" });
  const { report: list } = await world.log<{
    entries: { index: number; kind: string; subject: { commit?: string } }[];
  }>(["list", "--sort", "oldest"]);
  const size = await world.verifiedSize();
  const proposed = list.entries.find(({ kind, subject }) => kind === "decision" && subject.commit === undefined);
  assert.ok(proposed !== undefined);
  const dry = await redact(world, "--entry", `${proposed.index}`, "--dry-run");
  assert.deepEqual([dry.code, redactionSchema.parse(dry.report).index], [0, null]);
  assert.equal(await world.verifiedSize(), size, "a dry run logs nothing");
  const done = await redact(world, "--entry", `${proposed.index}`, "--value", "approvals", "--value", "verifications");
  const report = redactionSchema.parse(done.report);
  assert.deepEqual(
    [done.code, report.index, report.erased],
    [0, size, [{ index: proposed.index, names: ["approvals", "verifications"] }]],
  );
  const shown = logShowSchema.parse((await world.log(["show", `${proposed.index}`])).report);
  assert.deepEqual(
    [shown.disclosed["approvals"], shown.redactions?.map(({ index, by, reason }) => [index, by, reason])],
    [null, [[size, "ops", "case 12"]]],
  );
  const told = await world.sluice(["log", "show", `${proposed.index}`, "--config", "../gate.yaml"]);
  assert.match(told.stdout, new RegExp(`^approvals: withheld by redaction ${size} of .* \\(ops: case 12\\)`, "m"));
  const verified = logVerificationSchema.parse((await world.log(["verify"])).report);
  assert.deepEqual([verified.disclosures?.redacted, verified.redactions], [2, [size]]);
  const text = await world.sluice(["log", "verify", "--config", "../gate.yaml"]);
  assert.match(text.stdout, new RegExp(`2 values are withheld by redactions: log ${size}\\n$`));
  const bundle = await world.log(["export", "--output", "../bundle", "--as", "erin"]);
  assert.equal(bundle.code, 0, bundle.stderr);
  assert.equal((await world.log(["verify", "../bundle"])).code, 0);
  assert.match(world.read("bundle/rows.ndjson"), /"approvals":null/);
  assert.equal((await world.release()).code, 4, "the gate goes on: what landed waits for an approval");
});

test("what the gate needs and does not have any more is never guessed", async (t) => {
  const template = await makeWorld(t);
  const landed = await template.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) });
  assert.equal(landed.code, 0, landed.stderr);
  const why = ["why", "Deployment/apps/web", "--target", "prod"];
  const cases: readonly (readonly [
    string,
    readonly string[],
    (world: World) => Promise<{ error: string | null }>,
    string,
  ])[] = [
    ["the baseline", ["--value", "baseline"], (world) => world.release(), "entry-redacted"],
    ["the decision", ["--kind", "decision", "--value", "evidence"], (world) => world.release(), "entry-redacted"],
    [
      "its digests",
      ["--kind", "decision", "--value", "digests"],
      (world) => world.signHead(),
      "release-evidence-withheld",
    ],
    ["its approvals", ["--kind", "decision", "--value", "approvals"], (world) => world.log(why), "entry-redacted"],
    ["the release", ["--kind", "release", "--value", "release"], (world) => world.signHead(), "release-record-lost"],
    [
      "what comes back",
      ["--kind", "decision", "--value", "findings"],
      (world) => world.rollback(1),
      "release-record-lost",
    ],
  ];
  for (const [what, args, act, code] of cases) {
    const world = template.copy(t);
    const refused = await redact(world, ...args);
    assert.deepEqual([refused.code, refused.error], [1, "redaction-needed"], what);
    const forced = await redact(world, ...args, "--even-needed");
    assert.equal(forced.code, 0, `${what}: ${forced.stderr}`);
    if (what === "its digests") rmSync(world.path("channel"), { recursive: true }); // it has to be filled again
    world.push({ files: { "README.md": `${what}\n` } });
    assert.equal((await act(world)).error, code, what);
  }
});

test("a text from standard input is gone, with what a redaction would say of it", async (t) => {
  const world = await makeWorld(t);
  await world.sluice([
    "hold",
    "prod",
    "--reason",
    "password is Hunter-2222",
    "--as",
    "sam",
    "--config",
    "../gate.yaml",
  ]);
  await world.resume();
  assert.notDeepEqual(filesWith(world, "Hunter-2222"), []);
  const args = ["log", "redact", "--text", "-", "--config", "../gate.yaml", "--as", "ops"];
  const repeats = await world.sluice([...args, "--reason", "hunter-2222 leaked"], { input: "Hunter-2222\n" });
  assert.deepEqual([repeats.code, repeats.error], [2, "redaction-repeats"]);
  const done = await world.sluice([...args, "--reason", "SEC-12"], { input: "Hunter-2222\n" });
  assert.match(done.stdout, /^ERASED {2}1 values beside 1 entries: log \d+, by ops\n/, done.stderr);
  assert.deepEqual(filesWith(world, "Hunter-2222"), []);
  for (const wrong of [
    ["--text", "ab"],
    [],
    ["--person", "ada", "--text", "abc"],
    ["--entry", "0", "--kind", "hold"],
  ]) {
    const { code, error } = await redact(world, ...wrong);
    assert.deepEqual([code, error], [2, "usage"], wrong.join(" "));
  }
});
