/** docs/postgresql.md: its commands, run as they stand there, by a gate whose log is in PostgreSQL. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ending, play, readPage } from "../support/page.ts";
import { POSTGRES_MISSING, type PostgresServer, withPostgres } from "../support/postgres.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const { blocks } = readPage("postgresql.md");

describe(
  "docs/postgresql.md",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    it("makes user and database, backs the log up, restores it, and refuses a backup that is older", async (t) => {
      await execute(server(), blocks("What it needs", "sql"));
      const storeOf = (database: string) => `postgres://sluice@/${database}?host=${server().folder}`;
      const log = { origin: "gate.example/log", key: { file: "log.key" }, anchor: "./anchor", data: "./data" };
      const world = await makeWorld(t, { gate: { log: { ...log, store: storeOf("sluice") } }, adopt: false });
      assert.equal((await world.adopt()).code, 0);
      await world.land({ [WEB]: deployment("web", { replicas: 3 }) });
      assert.equal((await world.agent()).code, 0);

      const [backup = "", restore = ""] = blocks("Backup and restore");
      assert.match(play(world, backup), /^BACKED UP/);
      const key = /gate\.example\/log\+[^"]*/.exec(world.read("agent.yaml"))?.[0] ?? "";
      assert.match(play(world, `sluice log verify backup/log.db --key '${key}'`), /^INTACT/);

      await execute(server(), blocks("Backup and restore", "sql"));
      useStore(world, storeOf("sluice2"));
      assert.match(play(world, restore), /^RESTORED[\s\S]*INTACT/);
      assert.equal((await world.agent()).code, 0);

      await world.land({ [WEB]: deployment("web", { replicas: 4 }) });
      await execute(server(), ["CREATE DATABASE sluice3 OWNER sluice ENCODING 'UTF8' TEMPLATE template0;"]);
      useStore(world, storeOf("sluice3"));
      assert.match(ending(1, world, "sluice log restore --from backup/log.db --config gate.yaml"), /log-rolled-back/);
      assert.match(ending(2, world, "sluice log verify --config gate.yaml"), /log-missing/);
    });
  }),
);

async function execute(server: PostgresServer, scripts: readonly string[]): Promise<void> {
  const client = await server.connect("postgres");
  const statements = scripts.flatMap((script) => script.split(";")).filter((one) => one.trim() !== "");
  assert.ok(statements.length > 0);
  for (const statement of statements) await client.query(statement);
  await client.end();
}

function useStore(world: World, store: string): void {
  const gate = JSON.parse(world.read("gate.yaml"));
  world.write("gate.yaml", JSON.stringify({ ...gate, log: { ...gate.log, store } }));
}
