import assert from "node:assert/strict";
import { cpSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Scope, tempFolder } from "../support/temp.ts";
import { cleanClone, must, newestPath, ROOT, run, systemPath } from "./npm.ts";

const TOOLCHAIN = join(ROOT, "toolchain/packages", `${process.platform}-${process.arch}`);
const SENTENCE = /^sluice needs Node 24 or newer, this is Node [\d.]+; [^.]+\.$/;

/** Standard error without npm's own remarks about its configuration. */
function ownWords(stderr: string): readonly string[] {
  return stderr.split("\n").filter((line) => line !== "" && !/^npm (?:warn|notice|error)/.test(line));
}

function systemNodeMajor(): number {
  return Number(must(ROOT, systemPath(), ["node", "-p", "process.versions.node"]).split(".")[0]);
}

describe("a fresh clone", () => {
  it("says in one sentence what is wrong when npm could not bring Node 24 along", (t) => {
    if (systemNodeMajor() >= 24) return t.skip("the system's own Node is new enough");
    const clone = cleanClone(t);
    must(clone, systemPath(), ["npm", "ci", "--ignore-scripts"]);
    for (const script of ["demo", "test", "build"]) {
      const { code, stderr } = run(clone, systemPath(), ["npm", "run", script]);
      const said = ownWords(stderr);
      assert.equal(said.length, 1, stderr);
      assert.match(said[0] ?? "", SENTENCE);
      assert.equal(code, 2);
    }
  });

  it("takes Node from its own packages and builds", (t) => {
    const clone = cleanClone(t);
    must(clone, systemPath(), ["npm", "ci"]);
    const first = run(clone, systemPath(), ["npm", "run", "build"]);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    assert.match(first.stderr, /toolchain: built, dist: built/);
    const second = run(clone, systemPath(), ["npm", "run", "build"]);
    assert.match(second.stderr, /toolchain: up to date, dist: up to date/);
    assert.equal(must(clone, newestPath(), ["node", "bin/sluice.cjs", "--version"]), version());
  });
});

describe("the published package", () => {
  it("holds what a run needs and nothing else", () => {
    const [packed] = JSON.parse(must(ROOT, newestPath(), ["npm", "pack", "--dry-run", "--json"])) as [
      { files: { path: string }[] },
    ];
    const paths = packed.files.map(({ path }) => path);
    const kinds = new Set(paths.map((path) => (path.includes("/") ? path.replace(/\/.*/, "/") : path)));
    assert.deepEqual([...kinds].sort(), [
      "LICENSE",
      "README.md",
      "bin/",
      "dist/",
      "docs/",
      "examples/",
      "package.json",
      "policies/",
    ]);
    for (const needed of ["dist/cli/start.js", "docs/licences.md"]) assert.ok(paths.includes(needed), needed);
    assert.deepEqual(
      paths.filter((path) => /\.(?:ts|key)$|^test\//.test(path)),
      [],
    );
  });

  it("is written in ASCII, so that a command reads each character as one byte", () => {
    const built = globSync("dist/cli/**/*.js", { cwd: ROOT });
    assert.ok(built.length > 10, `${built.length} files`);
    for (const file of built) assert.doesNotMatch(readFileSync(join(ROOT, file), "latin1"), /[\x80-\xff]/, file);
  });

  it("runs where it is installed, with the toolchain's package and without a clone", (t) => {
    const folder = install(t);
    assert.equal(must(folder, newestPath(), ["npx", "sluice", "--version"]), version());
    const demo = run(folder, newestPath(), ["npx", "sluice", "demo", "--json"], { HOME: tempFolder(t) });
    assert.equal(demo.code, 0, demo.stdout + demo.stderr);
    const steps = JSON.parse(demo.stdout) as { ok: boolean }[];
    assert.ok(steps.length >= 9 && steps.every(({ ok }) => ok));
  });

  it("turns an old Node away", (t) => {
    if (systemNodeMajor() >= 24) return t.skip("the system's own Node is new enough");
    const { code, stderr } = run(install(t), systemPath(), ["npx", "sluice", "--version"]);
    assert.match(ownWords(stderr).join("\n"), SENTENCE);
    assert.equal(code, 2);
  });
});

/** Packs Sluice and the toolchain of this platform, and installs both into an empty folder. */
function install(scope: Scope): string {
  const folder = tempFolder(scope);
  const toolchain = join(tempFolder(scope), "toolchain");
  cpSync(TOOLCHAIN, toolchain, { recursive: true });
  must(ROOT, newestPath(), ["npm", "pack", "--silent", "--pack-destination", folder]);
  must(toolchain, newestPath(), ["npm", "pack", "--silent", "--pack-destination", folder]);
  const tarballs = readdirSync(folder).map((name) => `./${name}`);
  assert.equal(tarballs.length, 2);
  must(folder, newestPath(), ["npm", "init", "--yes"]);
  must(folder, newestPath(), ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs]);
  return folder;
}

function version(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  return `sluice ${version}\n`;
}
