/** `sluice log list --sample`: what an auditor types, twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeWorld } from "../support/world.ts";

interface Entries {
  readonly count: number;
  readonly entries: readonly { readonly index: number }[];
  readonly sample: { readonly below: number } | null;
}

test("log list draws a sample that can be drawn again, and refuses one without a seed", async (t) => {
  const world = await makeWorld(t);
  for (let round = 0; round < 4; round++) await world.hold().then(() => world.resume());
  const size = await world.verifiedSize();
  const draw = (args: readonly string[]) => world.log<Entries>(["list", "--sample", "3", "--seed", "2026-Q4", ...args]);
  const { report } = await draw([]);
  assert.deepEqual([report.entries.length, report.count, report.sample?.below], [3, size, size]);
  await world.hold();
  const again = await draw(["--after", `${size}`]);
  assert.deepEqual(again.report, report);
  const resumes = await draw(["--kind", "resume"]);
  assert.equal(resumes.report.count, 4);
  const told = await world.sluice(["log", "list", "--sample", "3", "--seed", "x", "--config", "../gate.yaml"]);
  const ending = `\n3 of ${size + 1} drawn with seed "x"; the same again, also later: add --after ${size + 1}\n`;
  assert.ok(told.stdout.endsWith(ending), told.stdout);
  const refused: readonly (readonly string[])[] = [
    ["--sample", "3"],
    ["--seed", "x"],
    ["--sample", "0", "--seed", "x"],
    ["--sample", "3", "--seed", "x", "--limit", "5"],
  ];
  for (const args of refused) {
    const { code, error } = await world.log(["list", ...args]);
    assert.deepEqual([code, error], [2, "usage"], args.join(" "));
  }
});
