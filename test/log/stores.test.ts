import assert from "node:assert/strict";
import { copyFileSync, existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { openLog, openLogReader, STORES } from "../../src/log/stores.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { logStoreContract, type TestStore } from "../contract/log-store.ts";
import { KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../support/log.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const SQLITE: TestStore = {
  name: "sqlite",
  writers: "one",
  place: logPath,
  openWriter: openTestLog,
  openReader: openTestReader,
  copy: async (context, place) => {
    assert.ok(!existsSync(`${place}-wal`), "the log is closed");
    const copy = logPath(context);
    copyFileSync(place, copy);
    return copy;
  },
  insert: async (place, rows) => {
    const db = new DatabaseSync(place);
    db.exec("BEGIN");
    for (const { table, columns } of rows) {
      const [names, values] = [Object.keys(columns), Object.values(columns)];
      if (table === "head") db.prepare(`UPDATE head SET ${names.map((name) => `${name} = ?`)}`).run(...values);
      else db.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => "?")})`).run(...values);
    }
    db.exec("COMMIT");
    db.close();
  },
  verify: (place) => verifyLog(place, { keys: [KEY.vkey] }),
};

logStoreContract(SQLITE);

describe("the list of stores", () => {
  it("has one member for each file in its folder, and each keeps the contract", () => {
    const files = readdirSync(join(ROOT, "src/log/stores")).filter((name) => name.endsWith(".ts"));
    const schemes = STORES.map(({ scheme }) => scheme);
    assert.deepEqual(schemes.map((scheme) => `${scheme}.ts`).sort(), files.sort());
    const tests = globSync("test/log/*.test.ts", { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), "utf8"));
    for (const scheme of schemes)
      assert.ok(
        tests.some((text) => text.includes(`logStoreContract(${scheme.toUpperCase()})`)),
        scheme,
      );
  });

  it("refuses a store that it does not know, and an address with a password in it", async () => {
    const options = { origin: ORIGIN, key: KEY.skey, clock: () => 0, random: () => new Uint8Array(0) };
    const wrong = [
      "mysql:x",
      "data/log.db",
      "sqlite:",
      "",
      "postgres:",
      "postgres:x",
      "postgres://db",
      "postgres://ada@db",
      "postgres://ada:hunter2@db/log",
      "postgres://ada@/log",
      "postgres://ada@db/log?sslmode=disable",
      "postgresql://ada@db/log",
    ];
    for (const store of wrong) {
      await assert.rejects(openLog({ ...options, store }), { code: "log-store-unknown" }, store);
      await assert.rejects(openLogReader({ store }), { code: "log-store-unknown" }, store);
    }
    await assert.rejects(openLogReader({ store: "postgres://ada:hunter2@db/log" }), (refused: Error) => {
      assert.doesNotMatch(`${refused.message} ${(refused as { fix?: string }).fix}`, /hunter2/);
      return true;
    });
  });
});
