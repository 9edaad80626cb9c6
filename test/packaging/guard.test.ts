import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { tempFolder } from "../support/temp.ts";
import { ROOT } from "./npm.ts";

const GUARDED = ["bin/sluice.cjs", "scripts/run.cjs"];
const SENTENCE = /^sluice needs Node 24 or newer, this is Node 18\.20\.4; [^.]+\.\n$/;

describe("an old Node", () => {
  for (const file of GUARDED) {
    it(`is turned away by ${file} with one sentence and exit code 2`, () => {
      const pretend = `Object.defineProperty(process.versions, "node", { value: "18.20.4" }); require(${JSON.stringify(join(ROOT, file))});`;
      const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", pretend], { encoding: "utf8" });
      assert.match(stderr, SENTENCE);
      assert.equal(stdout, "");
      assert.equal(status, 2);
    });
  }

  it("can read every file that stands before the guard", () => {
    for (const file of [...GUARDED, "bin/node-guard.cjs"]) {
      const code = readFileSync(join(ROOT, file), "utf8")
        .replace(/^\s*\/\/.*$/gm, "")
        .replace(/"(?:[^"\\]|\\.)*"/g, '""');
      assert.doesNotMatch(code, /=>|\b(?:const|let|class|async|await|import|export)\b|`|\?\.|\?\?|\.\.\./, file);
    }
  });

  it("meets the guard first in every npm script", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [name, command] of Object.entries(scripts)) {
      assert.match(command, /^node scripts\/run\.cjs (?:scripts|test|bench)\/[\w/.-]+\.ts( --heavy)?$/, name);
    }
  });
});

it("starts through a link, from a folder that is not its own", (t) => {
  const folder = tempFolder(t);
  symlinkSync(join(ROOT, "bin/sluice.cjs"), join(folder, "sluice"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "sluice"), "--version"], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  assert.match(stdout, /^sluice \d+\.\d+\.\d+\n$/);
  assert.equal(status, 0);
});
