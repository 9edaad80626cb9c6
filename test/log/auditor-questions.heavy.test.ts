/** docs/auditing.md: the auditor's questions, as they stand, over what a real gate decided. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
import { sluiceCommand } from "../support/sluice.ts";
import { makeWorld, type World } from "../support/world.ts";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../docs/auditing.md"), "utf8");
const QUESTIONS = PAGE.slice(PAGE.indexOf("## An auditor's questions"), PAGE.indexOf("## What was erased"));
const BLOCKS = [...QUESTIONS.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block as string);
const HAS_JQ = spawnSync("jq", ["--version"]).status === 0;

test("the auditor's questions are answered by the commands of the page", { skip: !HAS_JQ }, async (t) => {
  const world = await makeWorld(t);
  const first = await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) });
  assert.equal(first.code, 0, first.stderr);
  const second = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) } });
  for (const person of ["lin", "max"] as const) world.approve(person, second);
  assert.equal((await world.check(second)).report.verdict, "allow");
  const squashed = world.squash(second);
  assert.equal((await world.release()).code, 0);
  const denied = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) } });
  await world.release();
  assert.equal((await world.rollback(1)).code, 0);

  const [changes = [], alone = [], bypasses = [], approvals = [], activated = [], trusted = [], ...others] =
    answers(world);
  const [signed = [], sample = []] = others;
  const verdicts = changes.map((line) => line.split("\t").slice(2).join(" "));
  assert.deepEqual(verdicts.slice(1, 3), [`${squashed.slice(0, 7)} allow`, `${denied.slice(0, 7)} deny`]);
  assert.equal(changes.length, 4, "and the rollback, which is judged too");
  const [own, again] = [changes[0], changes[3]].map((line) => line?.split("\t").slice(0, 3).join("\t"));
  assert.deepEqual(alone, [own, again], "one approval: the first change, and its state brought back");
  assert.match(bypasses.join("\n"), /^ *\d+ .* rollback /);
  assert.deepEqual(
    approvals.map((line) => line.split("\t")).map(([, commit, person]) => `${commit} ${person}`),
    [
      `${own?.split("\t")[2]} lin`,
      `${squashed.slice(0, 7)} lin`,
      `${squashed.slice(0, 7)} max`,
      `${own?.split("\t")[2]} lin`,
    ],
  );
  assert.match(
    activated.join("\n"),
    /^[^\t]+Z\t3\t[0-9a-f]{8}\tnone\tgenesis\tops\t$/,
    "one set, by the operator's word",
  );
  assert.deepEqual(
    trusted.map((line) => line.split("\t").slice(1)),
    [["+forge:github", "+person:ada", "+person:jo", "+person:lin", "+person:max"]],
  );
  assert.ok(signed.includes(`${second}\tada`) && signed.some((line) => line.includes("decision")), signed.join("\n"));
  assert.match(sample.at(-1) ?? "", /^\d+ of \d+ drawn with seed "2026-Q4"/);
});

/** What each question's commands print, line by line; the first block only names the period. */
function answers(world: World): readonly (readonly string[])[] {
  const bin = join(world.folder, "sluice");
  writeFileSync(bin, `#!/bin/sh\nexec ${process.execPath} ${sluiceCommand()} "$@"\n`);
  chmodSync(bin, 0o755);
  const [names = "", ...questions] = BLOCKS.map((block) =>
    block.replaceAll("2026-10-01", "2000-01-01").replaceAll("2027-01-01", "2999-01-01"),
  );
  const env = {
    PATH: `${world.folder}:${process.env["PATH"]}`,
    HOME: world.path("home"),
    KEY: world.fingerprint("ada"),
  };
  return questions.map((question) => {
    const script = `set -e -o pipefail\n${names}${question}`;
    const ran = spawnSync("bash", ["-c", script], { cwd: world.folder, env, encoding: "utf8" });
    assert.deepEqual([ran.status, ran.stderr], [0, ""], question);
    return ran.stdout.split("\n").filter((line) => line !== "");
  });
}
