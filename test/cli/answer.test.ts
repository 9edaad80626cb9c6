import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { configCheckSchema, keygenSchema, verificationSchema } from "../../src/cli/reports/schemas.ts";
import { repository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

/** They print one document, which is JSON already; the demo has its own --json, `test` Conftest's --output, two just run. */
const ONE_FORM = ["policy input", "config schema", "completion", "demo", "test", "serve", "witness"];

test("every command that answers takes --format and --output, more than once", async () => {
  const commands = await Promise.all(COMMANDS.map((entry) => entry.load()));
  const without = commands.filter(({ options }) => options["format"] === undefined).map(({ name }) => name);
  assert.deepEqual(without.sort(), [...ONE_FORM].sort());
  for (const { name, options } of commands) {
    if (ONE_FORM.includes(name)) continue;
    assert.equal(options["format"]?.multiple, true, name);
    // What these make is a file or a folder of its own.
    const isOwn = ["policy build", "log export"].includes(name);
    assert.equal(options["output"]?.multiple, isOwn ? undefined : true, name);
  }
});

test("one run answers in several formats; the outputs belong to the formats named last", async (t) => {
  const folder = tempFolder(t);
  const args = ["keygen", "log", "--name", "gate.example/log", "--out", "log.key", "--format", "text"];
  const run = await runSluice([...args, "--format", "json", "--output", "key.json"], { cwd: folder });
  const { verifierKey } = keygenSchema.parse(JSON.parse(readFileSync(join(folder, "key.json"), "utf8")));
  assert.deepEqual([run.code, run.stdout], [0, `${verifierKey}\n`]);
  const failing = [
    "config",
    "check",
    "--format",
    "json",
    "--output",
    "a.json",
    "--format",
    "text",
    "--output",
    "a.txt",
  ];
  const told = await runSluice(failing, { cwd: folder });
  const report = configCheckSchema.parse(JSON.parse(readFileSync(join(folder, "a.json"), "utf8")));
  assert.deepEqual([told.code, told.stdout, report.exitCode], [2, "", 2]);
  assert.match(readFileSync(join(folder, "a.txt"), "utf8"), /configuration-absent/);
});

test("verify keeps ndjson, one line a commit, beside the text", async (t) => {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  const repo = await repository(t, { path: join(folder, "repo") });
  repo.commit({ files: { a: "1" } });
  repo.commit({ files: { a: "2" } });
  repo.write({ allowed_signers: `ada@example.com ${ada.line}\n` });
  const args = ["verify", "--all", "HEAD", "--trust", "allowed_signers", "--format", "text", "--format", "ndjson"];
  const run = await runSluice([...args, "--output", "commits.ndjson"], { cwd: repo.path });
  const lines = repo.read("commits.ndjson").trimEnd().split("\n");
  assert.deepEqual([run.code, lines.length], [1, 2]);
  for (const line of lines) verificationSchema.parse(JSON.parse(line));
  assert.match(run.stdout, /^REJECTED/);
});

test("a format or a file that cannot be is refused before anything is done", async (t) => {
  const folder = tempFolder(t);
  const args = ["keygen", "log", "--name", "gate.example/log", "--out", "log.key"];
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [["--format", "xml"], "usage"],
    [["--format", "sarif"], "usage"],
    [["--format", "ndjson"], "usage"],
    [["--output", "a", "--output", "b"], "usage"],
    [["--output", join("absent", "key.json")], "usage"],
  ];
  for (const [more, code] of wrong) {
    const run = await runSluice([...args, ...more], { cwd: folder });
    assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [2, "", code], more.join(" "));
  }
  assert.equal(existsSync(join(folder, "log.key")), false);
  assert.deepEqual(readdirSync(folder), []);
});
