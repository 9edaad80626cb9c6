/** The commands of docs/signatures.md, run as they stand. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repository } from "../support/repository.ts";
import { sluiceCommand } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

const PAGE = fileURLToPath(new URL("../../docs/signatures.md", import.meta.url));

test("the commands of the page about signatures do what it says", async (t) => {
  const folder = tempFolder(t);
  const repo = await repository(t, { path: join(folder, "repo") });
  const ada = makeSshKey(folder, "ada");
  repo.commit({ files: { a: "1" }, signWith: ada.file });
  repo.git(["-c", "gpg.format=ssh", "-c", `user.signingkey=${ada.file}`, "tag", "-s", "-m", "first", "v1"]);
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? "");
  assert.equal(blocks.length, 2);
  const sluice = `sluice() { "${process.execPath}" "${sluiceCommand()}" "$@"; }`;
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
  };
  const script = ["set -e", sluice, ...blocks].join("\n");
  const run = spawnSync("bash", ["-c", script], { cwd: repo.path, env, encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /wrote trust\/people\.yaml\nada {2}SHA256:/);
  assert.match(run.stdout, /1 tags: 1 verified, 0 rejected/);
  assert.match(run.stdout, /against certified\nsigned {2}ada 1 \(ssh\)\n$/);
});
