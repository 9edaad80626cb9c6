/** `sluice log backup` as the operator runs it. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { makeWorld } from "../support/world.ts";

test("log backup copies the gate's log, says what it verified, and refuses to write over it", async (t) => {
  const world = await makeWorld(t);
  const size = await world.verifiedSize();
  const args = ["log", "backup", "--to", "../backup.db", "--config", "../gate.yaml"];
  const made = await world.sluice(args);
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stdout,
    new RegExp(`^BACKED UP {2}.*backup\\.db\\n {8}gate\\.example/log: ${size} entries, verified`),
  );
  assert.equal(statSync(world.path("backup.db")).mode & 0o777, 0o600);
  const key = /--key (\S+)/.exec(made.stdout)?.[1] ?? "";
  const seen = await world.sluice(["log", "verify", "../backup.db", "--key", key]);
  assert.deepEqual([seen.code, /^INTACT/.test(seen.stdout)], [0, true]);
  const again = await world.sluice(args);
  assert.deepEqual([again.code, again.error], [2, "backup-exists"]);
  const nowhere = await world.sluice(["log", "backup", "--config", "../gate.yaml"]);
  assert.deepEqual([nowhere.code, nowhere.error], [2, "usage"]);
});
