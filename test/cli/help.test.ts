import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS, PLANNED } from "../../src/cli/commands.ts";
import { errorText } from "../../src/cli/failure.ts";
import { commandHelp, overview } from "../../src/cli/help.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { generateNoteKey } from "../../src/log/note.ts";
import { repository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { makeSshKey } from "./ssh-key.ts";

const LOG = generateNoteKey("gate.example/log", new Uint8Array(32).fill(1));
const RELEASE = generateNoteKey("gate.example/release", new Uint8Array(32).fill(2));

test("every command's help says its forms, options, exit codes and an example, in 80 columns", async () => {
  for (const { name, summary, load } of COMMANDS) {
    const command = await load();
    const help = commandHelp(command);
    assert.deepEqual([command.name, command.summary], [name, summary]);
    assert.ok(command.usage.length > 0 && command.usage.every((form) => form.startsWith(name)), name);
    assert.match(
      help,
      /\nExit codes\n {2}0 {2}[\s\S]*\n {2}2 {2}[\s\S]*\n {2}3 {2}[\s\S]*\nExample\n {2}sluice /,
      name,
    );
    assert.deepEqual(
      help.split("\n").filter((line) => line.length > 80),
      [],
      name,
    );
    assert.ok(command.example.startsWith(`sluice ${name}`), name);
    assert.equal(/\bError:/.test(help), false, name);
  }
  assert.deepEqual(
    overview(COMMANDS)
      .split("\n")
      .filter((line) => line.length > 80),
    [],
  );
});

test("a command is either there or planned, never both", () => {
  const names = COMMANDS.map((one) => one.name);
  assert.deepEqual([...new Set(names)], names);
  assert.deepEqual(
    PLANNED.filter((name) => names.includes(name)),
    [],
  );
});

test("the examples of commands that need no gate work as they stand", async (t) => {
  const repo = await repository(t);
  const ada = makeSshKey(join(repo.path, ".git"), "ada");
  repo.commit({
    files: { "prod/web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n" },
    signWith: ada.file,
  });
  const gate = `version: 1
repositories: {shop: {url: .}}
targets: {prod: {repository: shop, branch: main, channels: [{directory: out}]}}
log: {store: "sqlite:data/log.db", origin: gate.example/log, key: {file: keys/log.key}}
release: {key: {file: keys/release.key}}
`;
  mkdirSync(join(repo.path, "keys"), { mode: 0o700 });
  writeFileSync(join(repo.path, "keys/log.key"), `${LOG.skey}\n`, { mode: 0o600 });
  writeFileSync(join(repo.path, "keys/release.key"), `${RELEASE.skey}\n`, { mode: 0o600 });
  writeFileSync(join(repo.path, "gate.yaml"), gate);
  assert.equal((await runSluice(["init"], { cwd: repo.path })).code, 0);
  for (const name of [
    "keygen",
    "verify",
    "config check",
    "config schema",
    "explain",
    "trust list",
    "trust check",
    "doctor",
  ]) {
    const command = await COMMANDS.find((one) => one.name === name)?.load();
    const words = (command?.example.split("\n")[0] ?? "")
      .replace(/ > \S+$/, "")
      .split(" ")
      .slice(1);
    const run = await runSluice(words, { cwd: repo.path });
    assert.deepEqual([run.code, run.stderr], [0, ""], `${name}: ${run.stdout}${run.stderr}`);
  }
});

test("a refusal ends with a fix, its own or the catalogue's, and shows strangers' text harmlessly", () => {
  const own = new SluiceError("usage", "The name \u001b[31mx\u202e is wrong.\nSecond line.", {
    fix: "say\u0007 it right",
  });
  const words =
    "usage  The name \\u{1b}[31mx\\u{202e} is wrong.\n       Second line.\n       fix  say\\u{7} it right\n";
  assert.equal(errorText(own), words);
  assert.match(
    errorText(new SluiceError("shallow-clone", "It is shallow.")),
    /\n {15}fix {2}Fetch the whole history: /,
  );
});

test("a wrong command line is answered with what to type, in a line of 80 columns", async (t) => {
  const folder = (await repository(t)).path;
  const cases: readonly (readonly [readonly string[], string, string])[] = [
    [["check", "extra"], 'sluice check takes no argument; "extra" is one too many.', "sluice check --help"],
    [["release"], "sluice release lacks an argument.", "sluice release TARGET --config gate.yaml"],
    [["check", "--hed", "x"], "sluice check has no option --hed.", "--head"],
    [["check", "--output"], "--output lacks its value.", "--output FILE"],
    [["init", "--dry-run=yes"], "--dry-run takes no value.", "--dry-run"],
  ];
  for (const [args, message, fix] of cases) {
    const { code, stdout, stderr } = await runSluice(args, { cwd: folder });
    assert.deepEqual([code, stdout, stderr], [2, "", `usage  ${message}\n       fix  ${fix}\n`], args.join(" "));
    assert.ok(
      stderr.split("\n").every((line) => line.length <= 80),
      stderr,
    );
  }
});
