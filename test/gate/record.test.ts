import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
import { makeGateWorld, propose } from "./gate-world.ts";

test("a decision that the log does not take is never said", async (t) => {
  const world = await makeGateWorld(t);
  const head = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } });
  const change = (sql: string): void => {
    const db = new DatabaseSync(world.path("data/log.db"));
    db.exec(sql);
    db.close();
  };
  change(
    "CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.kind = 'decision' BEGIN SELECT RAISE(ABORT, 'no'); END",
  );
  await assert.rejects(propose(world, head), { code: "log-failed" });
  change("DROP TRIGGER refuse");
  assert.equal((await propose(world, head)).verdict, "allow");
});
