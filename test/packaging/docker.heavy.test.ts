import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Scope, tempFolder } from "../support/temp.ts";
import { type BuiltStage, buildStages, readDockerfile } from "./dockerfile.ts";
import { cleanClone, must, newestPath, ROOT } from "./npm.ts";

const STAGES = readDockerfile(join(ROOT, "Dockerfile"));

describe("the Dockerfile", () => {
  it("builds on the Node that package.json asks for, and ends as a user with a number who is not root", () => {
    const last = STAGES.at(-1);
    assert.match(last?.base ?? "", /^node:24-/);
    const users = last?.instructions.filter(({ word }) => word === "USER").map(({ text }) => text) ?? [];
    assert.equal(users.length, 1);
    assert.match(users[0] ?? "", /^[1-9]\d*:[1-9]\d*$/);
  });

  it("has steps that make a program which runs as that user on a file system that is read-only", (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root may become another user");
    const image = buildImage(t);
    assert.deepEqual(run(image, ["--version"]), {
      status: 0,
      stdout: must(ROOT, newestPath(), ["node", "bin/sluice.cjs", "--version"]),
      stderr: "",
    });
    const policies = run(image, ["policy", "test", join(image.root, "opt/sluice/policies")]);
    assert.equal(policies.status, 0, policies.stdout + policies.stderr);
  });
});

/** The last stage as a folder in which nobody may write, with the base image's Node. */
function buildImage(scope: Scope): BuiltStage {
  const folder = tempFolder(scope);
  chmodSync(folder, 0o755);
  const built = buildStages(STAGES, { context: cleanClone(scope), folder, path: newestPath() });
  const image = built.get(STAGES.at(-1)?.name ?? "");
  assert.ok(image !== undefined);
  assert.ok(
    image.left.some((step) => /\bgit\b/.test(step)),
    "git is installed",
  );
  mkdirSync(join(image.root, "usr/local/bin"), { recursive: true });
  copyFileSync(process.execPath, join(image.root, "usr/local/bin/node"));
  must(image.root, newestPath(), ["chmod", "-R", "a-w,a+rX", "."]);
  return image;
}

/** Runs the entry point as the image's user, in its folder, with its surroundings and no other. */
function run({ root, user, env, entrypoint, workdir }: BuiltStage, args: readonly string[]) {
  const [uid, gid] = (user ?? "").split(":").map(Number);
  const [program = "", ...before] = entrypoint.map((word) => (word.startsWith("/") ? join(root, word) : word));
  const path = `${join(root, "usr/local/bin")}:/usr/bin:/bin`;
  const { status, stdout, stderr, error } = spawnSync(program, [...before, ...args], {
    cwd: join(root, workdir),
    env: { ...env, PATH: path },
    encoding: "utf8",
    uid: uid ?? 0,
    gid: gid ?? 0,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
