/** A backup of a log in PostgreSQL is a log in SQLite, and goes back into an empty database whole or not at all. */
import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { backupLog, restoreLog } from "../../src/log/backup.ts";
import { verifyLog, verifyStore } from "../../src/log/verify.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { draft, fill, KEY, logPath, openLogOf, openReaderOf, openTestReader } from "../support/log.ts";
import { databaseOf, POSTGRES_MISSING, POSTGRES_PORT, withPostgres } from "../support/postgres.ts";
import { tempFolder } from "../support/temp.ts";

const KEYS = { keys: [KEY.vkey] };

describe(
  "a backup of a log in PostgreSQL",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    /** A log of so many entries of two targets and of none, its backup, and what an anchor would remember of it. */
    async function backedUp(context: TestContext, size: number) {
      const store = await server().createStore();
      const log = await openLogOf(store);
      await fill(log, size - 2);
      await log.appendAll([draft({ target: "staging", verdict: "deny" }), draft({ target: null, kind: "read" })]);
      const { note } = await log.checkpoint();
      await log.close();
      const file = join(tempFolder(context), "copy.db");
      const { verification } = await backupLog({ store }, file, KEYS);
      assert.equal(verification.checkpoint.note, note);
      return { store, file, note };
    }

    async function entriesIn(store: string): Promise<number> {
      const client = await server().connect(databaseOf(store));
      const { rows } = await client.query(
        "SELECT CASE WHEN to_regclass('sluice.entries') IS NULL THEN 0 ELSE (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM sluice.entries', false, true, '')))[1]::text::int END AS n",
      );
      await client.end();
      return rows[0].n;
    }

    it("is taken while replicas write, holds one moment of it, and is a log that every reader opens", async (context) => {
      const store = await server().createStore();
      const logs = [await openLogOf(store), await openLogOf(store)] as const;
      context.after(() => Promise.all(logs.map((log) => log.close())));
      await fill(logs[0], 1200);
      const file = join(tempFolder(context), "copy.db");
      let isDone = false;
      const appending = logs.map(async (log) => {
        while (!isDone) await log.append(draft({ target: "staging" }));
      });
      const { verification, bytes } = await backupLog({ store }, file, KEYS).finally(() => {
        isDone = true;
      });
      await Promise.all(appending);
      const { size } = verification.checkpoint;
      assert.ok(size >= 1200 && size <= (await logs[0].checkpoint()).size, `${size}`);
      assert.deepEqual(verification.disclosures, { matching: size * 6, redacted: 0 });
      assert.deepEqual([bytes, statSync(file).mode & 0o777], [statSync(file).size, 0o600]);
      assert.deepEqual(readdirSync(dirname(file)), ["copy.db"], "one file, nothing beside it");
      const reader = await openTestReader(file);
      context.after(() => reader.close());
      assert.deepEqual([await reader.count({ text: "kustomization" }), await reader.count({})], [size, size]);
      assert.equal((await verifyLog(file, KEYS)).kind, "intact");
    });

    it("goes back into an empty database, which then goes on as that log", async (context) => {
      const { file, note } = await backedUp(context, 700);
      const anchor = join(tempFolder(context), "anchor");
      writeFileSync(anchor, note);
      const store = await server().createStore();
      const replica = await openLogOf(store); // began before, on the empty database
      context.after(() => replica.close());
      const restored = await restoreLog(file, { store }, { ...KEYS, known: [note] });
      assert.equal(restored.checkpoint.note, note);
      const log = await openLogOf(store, { anchor });
      context.after(() => log.close());
      assert.equal((await log.append(draft({ target: "staging" }))).index, 700);
      assert.equal((await replica.append(draft())).index, 701);
      assert.equal((await verifyStore({ store }, KEYS)).kind, "intact");
      assert.deepEqual(
        (await log.find({ target: "staging" })).map(({ index }) => index),
        [700, 698],
      );
    });

    it("goes back into a file as well: from one store to the other", async (context) => {
      const { file } = await backedUp(context, 300);
      const path = logPath(context);
      await restoreLog(file, { store: `sqlite:${path}` }, KEYS);
      await assert.rejects(restoreLog(file, { store: `sqlite:${path}` }, KEYS), { code: "backup-exists" });
      const log = await openLogOf(`sqlite:${path}`);
      assert.equal((await log.append(draft())).index, 300);
      await log.close();
      const store = await server().createStore();
      await restoreLog(path, { store }, KEYS);
      const reader = await openReaderOf(store);
      assert.equal((await reader.checkpoint()).size, 301);
      await reader.close();
    });

    it("is refused where it is older than what was published, damaged, or where a log is; nothing is put there", async (context) => {
      const { store, file } = await backedUp(context, 20);
      const log = await openLogOf(store);
      await log.append(draft());
      const { note } = await log.checkpoint();
      await log.close();
      const empty = await server().createStore();
      await assert.rejects(restoreLog(file, { store: empty }, { ...KEYS, known: [note] }), { code: "log-rolled-back" });
      await assert.rejects(restoreLog(file, { store }, KEYS), { code: "backup-exists" });
      const db = new DatabaseSync(file);
      db.exec("UPDATE disclosures SET json = replace(json, 'ada', 'eve') WHERE idx = 3");
      db.close();
      await assert.rejects(restoreLog(file, { store: empty }, KEYS), { code: "log-tampered" });
      await assert.rejects(restoreLog(`${file}.none`, { store: empty }, KEYS), { code: "log-missing" });
      assert.equal(await entriesIn(empty), 0);
      assert.equal((await verifyStore({ store }, KEYS)).kind, "intact");
    });

    it("that is older is found out by a replica's anchor, when nothing was held against it", async (context) => {
      const { store, file } = await backedUp(context, 20);
      const anchor = join(tempFolder(context), "anchor");
      writeFileSync(anchor, "");
      const log = await openLogOf(store, { anchor });
      await log.append(draft());
      await log.close();
      const restored = await server().createStore();
      await restoreLog(file, { store: restored }, KEYS);
      await assert.rejects(openLogOf(restored, { anchor }), { code: "log-rolled-back" });
    });

    it("is put back whole or not at all, at whichever message the connection is cut", async (context) => {
      const { file } = await backedUp(context, 520); // two steps
      const store = await server().createStore();
      const proxy = await startCuttingProxy(context, join(server().folder, `.s.PGSQL.${POSTGRES_PORT}`));
      const cut = { store: `postgres://postgres@127.0.0.1:${proxy.port}/${databaseOf(store)}` };
      let refusals = 0;
      for (let message = 1, isCut = true; isCut; message += 4) {
        assert.equal(await entriesIn(store), 0);
        proxy.cutBefore("client", message);
        const outcome = await restoreLog(file, cut, KEYS).catch((refused: Error) => refused);
        isCut = proxy.disarm();
        if (!(outcome instanceof Error)) break;
        refusals++;
        if ((await entriesIn(store)) > 0) break; // cut after it was done, while it was verified
      }
      assert.ok(refusals > 3, `${refusals}`);
      assert.equal((await verifyStore({ store }, KEYS)).kind, "intact");
    });

    it("of a log that was changed in its tables is not made", async (context) => {
      const { store } = await backedUp(context, 20);
      const client = await server().connect(databaseOf(store));
      await client.query("UPDATE sluice.entries SET verdict = 'deny' WHERE idx = 4");
      await client.end();
      const folder = tempFolder(context);
      await assert.rejects(backupLog({ store }, join(folder, "copy.db"), KEYS), { code: "log-tampered" });
      assert.deepEqual(readdirSync(folder), []);
    });
  }),
);
