/** The README's commands are run as they stand there; only paths that a reader chooses are prepared. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { repository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { makeWorld } from "../support/world.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const README = readFileSync(resolve(ROOT, "README.md"), "utf8");
const BLOCKS = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => (match[1] ?? "").trim().split("\n"));

/** The words of a documented line, without its remark; quoted words stay one. */
function words(line: string): readonly string[] {
  const command = line.replace(/\s+#.*$/, "");
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

function block(beginning: string): readonly (readonly string[])[] {
  const found = BLOCKS.find((lines) => lines[0]?.startsWith(beginning));
  assert.ok(found, `README has no block that begins with ${beginning}`);
  return found.map(words);
}

describe("the README", () => {
  it("begins with the two commands that the project's own scripts answer", () => {
    const scripts = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8")).scripts;
    assert.deepEqual(block("npm ci"), [
      ["npm", "ci", "&&", "npm", "run", "demo"],
      ["npm", "ci", "&&", "npm", "test"],
    ]);
    assert.ok(scripts.demo && scripts.test);
  });

  it("links only to files that exist", () => {
    const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? "");
    assert.ok(links.length >= 8);
    assert.deepEqual(
      links.filter((link) => !existsSync(resolve(ROOT, link))),
      [],
    );
  });

  it("gives a newcomer commands that work in their repository", async (t) => {
    const world = await makeWorld(t, { adopt: false });
    for (const [program, ...args] of block("sluice init")) {
      assert.equal(program, "sluice");
      if (args[0] === "init") {
        const plain = await repository(t);
        plain.commit({
          files: { "clusters/prod/web.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n" },
        });
        const { code, stdout, stderr } = await runSluice(args, { cwd: plain.path });
        assert.equal(code, 0, stdout + stderr);
        assert.ok(existsSync(resolve(plain.path, "sluice.yaml")));
      } else {
        const head = world.propose();
        const { code, stdout } = await runSluice([...args, "--head", head], { cwd: world.path("shop") });
        assert.match(stdout, /\(preview\) {2}prod/);
        assert.ok(code === 0 || code === 1 || code === 4, stdout);
      }
    }
  });

  it("gives an operator commands that lead from keys to a release", async (t) => {
    const world = await makeWorld(t, { adopt: false });
    const head = world.propose();
    for (const [program, ...args] of block("sluice keygen")) {
      assert.equal(program, "sluice");
      const inShop = args[0] === "check";
      const argv = inShop
        ? [...args.map((word) => (word === "gate.yaml" ? "../gate.yaml" : word)), "--head", head]
        : args;
      const made = args[0] === "keygen" ? argv.map((word) => (word.endsWith(".key") ? `new-${word}` : word)) : argv;
      const { code, stdout, stderr } = await runSluice(made, { cwd: world.path(inShop ? "shop" : ".") });
      assert.ok(code === 0 || (inShop && code === 4), `${argv.join(" ")}: ${stdout}${stderr}`);
    }
  });
});
