import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

let script = "";

before(async () => {
  const run = await runSluice(["completion", "bash"]);
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  script = run.stdout;
});

/** What real bash offers for the last word of each line, as readline calls the function that the script registers. */
function offeredAll(lines: readonly (readonly string[])[], folder = "/"): readonly (readonly string[])[] {
  const ask = lines.map((words) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _sluice; printf '%s\\n' "\${COMPREPLY[@]}" ,`;
  });
  const registered = "[[ $(complete -p sluice) == 'complete -F _sluice sluice' ]] || exit 9";
  const input = [script, registered, ...ask].join("\n");
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C" }; // a locale that is not installed makes bash complain
  const run = spawnSync("bash", ["--norc", "--noprofile"], { cwd: folder, env, input, encoding: "utf8" });
  assert.deepEqual([run.status, run.stderr], [0, ""]);
  const answers = run.stdout.split(",\n").slice(0, -1);
  assert.equal(answers.length, lines.length);
  return answers.map((answer) => answer.split("\n").filter((line) => line !== ""));
}

function offered(words: readonly string[], folder?: string): readonly string[] {
  return offeredAll([words], folder)[0] ?? [];
}

describe("completion in bash", () => {
  test("offers every command, and of a command with two words the second", () => {
    const first = [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0] ?? ""))].sort();
    assert.deepEqual(offered(["sluice", ""]), [...first, "--help", "--version"]);
    assert.deepEqual(offered(["sluice", "che"]), ["check"]);
    const trust = COMMANDS.filter(({ name }) => name.startsWith("trust ")).map(({ name }) => name.slice(6));
    assert.deepEqual(offered(["sluice", "trust", ""]), trust.sort());
    assert.deepEqual(offered(["sluice", "trust", "no"]), []);
  });

  test("offers each command's own options", async () => {
    const answers = offeredAll(COMMANDS.map(({ name }) => ["sluice", ...name.split(" "), "--"]));
    for (const [index, { name, load }] of COMMANDS.entries()) {
      const options = Object.keys((await load()).options).map((option) => `--${option}`);
      assert.deepEqual(answers[index], [...options, "--help"], name);
    }
  });

  test("offers the values of an option, also after an equals sign, and nothing where only a person knows", () => {
    assert.deepEqual(offered(["sluice", "verify", "--format", ""]), ["text", "json", "ndjson"]);
    assert.deepEqual(offered(["sluice", "verify", "--format", "=", "nd"]), ["ndjson"]);
    assert.deepEqual(offered(["sluice", "verify", "--format", "="]), ["text", "json", "ndjson"]);
    assert.deepEqual(offered(["sluice", "check", "--head", ""]), []);
    assert.deepEqual(offered(["sluice", "check", "--target", "--"]), []);
  });

  test("offers the words that an argument can be", () => {
    assert.deepEqual(offered(["sluice", "keygen", "r"]), ["release"]);
    assert.deepEqual(offered(["sluice", "completion", ""]), ["bash", "zsh", "fish"]);
    assert.deepEqual(offered(["sluice", "explain", "unsigned-c"]), ["unsigned-commit"]);
    assert.deepEqual(offered(["sluice", "demo", ""]), ["--json", "--keep", "--help"]);
  });

  test("offers files and folders where one is asked for, and runs nothing that their names say", (t) => {
    const folder = tempFolder(t);
    mkdirSync(join(folder, "web"));
    for (const name of ["web.yaml", "we $(touch ran).yaml", "other"]) writeFileSync(join(folder, name), "");
    assert.deepEqual([...offered(["sluice", "policy", "eval", "we"], folder)].sort(), [
      "we $(touch ran).yaml",
      "web",
      "web.yaml",
    ]);
    assert.deepEqual(offered(["sluice", "check", "--repo", "w"], folder), ["web"]);
    assert.deepEqual(offered(["sluice", "check", "--config", "o"], folder), ["other"]);
    assert.deepEqual(offered(["sluice", "policy", "eval", "r"], folder), []);
  });
});

describe("the scripts for other shells", () => {
  for (const shell of ["zsh", "fish"]) {
    test(`name every command and option: ${shell}`, async () => {
      const run = await runSluice(["completion", shell]);
      assert.deepEqual([run.code, run.stderr], [0, ""]);
      for (const { name, load } of COMMANDS) {
        const line = shell === "zsh" ? new RegExp(`^    '?${name}'?\\) (.*)$`, "m").exec(run.stdout)?.[1] : run.stdout;
        for (const option of Object.keys((await load()).options)) {
          const named = shell === "zsh" ? `'*--${option}` : `-n '__sluice_in ${name}' -l ${option} `;
          assert.ok(line?.includes(named), `${name} --${option}`);
        }
      }
    });

    const isInstalled = spawnSync(shell, ["--version"]).status === 0;
    test(`are read by the shell itself: ${shell}`, { skip: isInstalled ? false : "not installed" }, async () => {
      const { stdout } = await runSluice(["completion", shell]);
      const run = spawnSync(shell, ["-n"], { input: stdout, encoding: "utf8" });
      assert.deepEqual([run.status, run.stderr], [0, ""]);
    });
  }
});

test("a shell that is not known is refused with the nearest name", async () => {
  const run = await runSluice(["completion", "fis"]);
  assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [2, "", "usage"]);
  assert.match(run.stderr, /fix {2}sluice completion fish/);
});
