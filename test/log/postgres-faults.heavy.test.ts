/** What happens to a log in PostgreSQL when something breaks: the connection, the server, a replica. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { SluiceError } from "../../src/lib/errors.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { Receipt } from "../../src/log/entry.ts";
import { migrate } from "../../src/log/stores/postgres/layout.ts";
import { MIGRATIONS } from "../../src/log/stores/postgres/schema.ts";
import { verifyStore } from "../../src/log/verify.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { draft, fill, KEY, openLogOf, openReaderOf } from "../support/log.ts";
import { databaseOf, POSTGRES_MISSING, POSTGRES_PORT, type PostgresServer, withPostgres } from "../support/postgres.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WRITER = join(ROOT, "test/support/log-writer.ts");
const KILLS = Number(process.argv.find((each) => each.startsWith("--kills="))?.slice("--kills=".length) ?? 100);
const REPLICAS = 4;

const intact = async (store: string) => (await verifyStore({ store }, { keys: [KEY.vkey] })).kind;

describe(
  "a log in PostgreSQL, when something breaks",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    it("loses and doubles nothing, at whichever message the connection is cut", async (t) => {
      const store = await server().createStore();
      const proxy = await startCuttingProxy(t, join(server().folder, `.s.PGSQL.${POSTGRES_PORT}`));
      const log = await openLogOf(`postgres://postgres@127.0.0.1:${proxy.port}/${databaseOf(store)}`);
      t.after(() => log.close());
      const reader = await openReaderOf(store);
      t.after(() => reader.close());
      await log.append(draft());
      const seen = { kept: 0, refused: 0 };
      for (const side of ["client", "server"] as const) {
        for (let message = 1, isCut = true; isCut; message++) {
          const { size } = await reader.checkpoint();
          proxy.cutBefore(side, message);
          const outcome: Receipt | SluiceError = await log.append(draft()).catch((refused) => refused);
          isCut = proxy.disarm();
          const now = (await reader.checkpoint()).size;
          const what = `${side} message ${message}`;
          if ("index" in outcome) {
            assert.deepEqual([outcome.index, now], [size, size + 1], what);
            assert.equal((await reader.read(size)).leafHash, outcome.leafHash, what);
            seen.kept += isCut ? 1 : 0;
          } else {
            assert.deepEqual([outcome.code, outcome.retryable, now], ["log-failed", true, size], what);
            seen.refused++;
          }
        }
      }
      assert.ok(seen.kept > 5 && seen.refused > 3, JSON.stringify(seen));
      assert.equal(await intact(store), "intact");
    });

    it("refuses while the server is gone, and goes on by itself when it is back", async (t) => {
      const store = await server().createStore();
      const [log, other] = [await openLogOf(store), await openLogOf(store)];
      t.after(() => Promise.all([log.close(), other.close()]));
      const acks: Receipt[] = [await log.append(draft()), await other.append(draft())];
      for (let round = 0; round < 2; round++) {
        const asked = [log, other].flatMap((one) => Array.from({ length: 50 }, () => one.append(draft())));
        const settled = Promise.allSettled(asked);
        await server().kill();
        await assert.rejects(appendedTo(log, acks), { code: "log-failed", retryable: true });
        await server().start();
        for (const answer of await settled) {
          if (answer.status === "fulfilled") acks.push(answer.value);
          else assert.match(answer.reason.code, /^log-(?:failed|busy)$/);
        }
        acks.push(await log.append(draft()), await other.append(draft()));
      }
      assert.equal(new Set(acks.map(({ index }) => index)).size, acks.length, "no index was given twice");
      for (const { index, leafHash } of acks) assert.equal((await other.read(index)).leafHash, leafHash);
      assert.equal(await intact(store), "intact");
    });

    /** Until it is refused: a server's process that is busy may answer once more after the server was killed. */
    async function appendedTo(log: DecisionLog, acks: Receipt[]): Promise<never> {
      for (;;) acks.push(await log.append(draft()));
    }

    it(`holds every acknowledged entry after ${KILLS} kills of replicas that write one log together`, async () => {
      const store = await server().createStore();
      const acks: { index: number; leafHash: string }[] = [];
      const killOften = async (replica: number) => {
        for (let kill = 0; kill < KILLS / REPLICAS; kill++) {
          const child = spawn(process.execPath, [WRITER, ROOT, store, "4", "1000000"], {
            stdio: ["ignore", "pipe", "inherit"],
          });
          const enough = 5 + ((kill * 37 + replica * 11) % 60);
          acks.push(...(await killAfter(child, enough)));
        }
      };
      await Promise.all(Array.from({ length: REPLICAS }, (_, replica) => killOften(replica)));
      assert.ok(acks.length >= KILLS * 5, `${acks.length} acknowledged`);
      assert.equal(new Set(acks.map(({ index }) => index)).size, acks.length, "no index was given twice");
      const client = await server().connect(databaseOf(store));
      const { rows } = await client.query("SELECT idx, encode(hash, 'base64') AS hash FROM sluice.entries");
      await client.end();
      const stored = new Map(rows.map(({ idx, hash }) => [Number(idx), hash]));
      for (const { index, leafHash } of acks) assert.equal(stored.get(index), leafHash, `entry ${index}`);
      assert.equal(await intact(store), "intact");
      const log = await openLogOf(store);
      assert.equal((await log.append(draft())).index, rows.length);
      await log.close();
    });

    it("is refused where a commit would not be durable, when it is opened and while it is open", async (t) => {
      const store = await server().createStore();
      const log = await openLogOf(store);
      t.after(() => log.close());
      await log.append(draft());
      const client = await server().connect("postgres");
      t.after(() => client.end());
      for (const setting of ["synchronous_commit", "fsync", "full_page_writes"]) {
        // others read the new settings in their own time: a new connection has them
        await client.query(`ALTER SYSTEM SET ${setting} = off`);
        await client.query("SELECT pg_reload_conf()");
        await settled(server(), setting, "off");
        await assert.rejects(openLogOf(store), (refused: SluiceError) => {
          assert.deepEqual([refused.code, refused.message.includes(`${setting} off`)], ["log-not-durable", true]);
          return true;
        });
        await assert.rejects(retried(log), { code: "log-not-durable" });
        await client.query(`ALTER SYSTEM RESET ${setting}`);
        await client.query("SELECT pg_reload_conf()");
        await settled(server(), setting, "on");
        assert.ok((await (await openLogOf(store)).close()) === undefined);
      }
      assert.equal(await intact(store), "intact");

      /** Until the log's own connection has read the new setting. */
      async function retried(one: typeof log): Promise<never> {
        for (;;) await one.append(draft());
      }
    });

    it("names an entry, a hash and a value that were changed", async () => {
      const damages: [what: string, sql: string, code: string][] = [
        ["leaf", "UPDATE sluice.entries SET bytes = 'x' WHERE idx = 3", "entry 3"],
        [
          "hash",
          "UPDATE sluice.hashes SET hash = decode(repeat('00', 32), 'hex') WHERE level = 1 AND n = 0",
          "hash 255",
        ],
        ["removed entry", "DELETE FROM sluice.entries WHERE idx = 5", "entry 5"],
        [
          "added entry",
          "INSERT INTO sluice.entries SELECT 300, time, target, kind, verdict, hash, bytes FROM sluice.entries WHERE idx = 299",
          "tree 300",
        ],
        ["value", "UPDATE sluice.disclosures SET json = replace(json, 'ada', 'eve') WHERE idx = 6", "disclosure 6"],
        ["column", "UPDATE sluice.entries SET target = 'other' WHERE idx = 7", "columns 7"],
      ];
      const store = await server().createStore();
      const log = await openLogOf(store);
      await fill(log, 300);
      await log.close();
      const client = await server().connect(databaseOf(store));
      const tables = ["entries", "disclosures", "hashes"];
      for (const table of tables) await client.query(`CREATE TABLE public.${table} AS TABLE sluice.${table}`);
      for (const [what, sql, expected] of damages) {
        await client.query(sql);
        const result = await verifyStore({ store }, { keys: [KEY.vkey] });
        assert.equal(result.kind === "broken" && `${result.differs} ${result.index}`, expected, what);
        for (const table of tables)
          await client.query(`TRUNCATE sluice.${table}; INSERT INTO sluice.${table} SELECT * FROM public.${table}`);
        assert.equal(await intact(store), "intact", what);
      }
      await client.end();
    });

    it("is not gone on from where the head is not what its note signs, or the last entry is missing", async () => {
      const whole = await server().createStore();
      const log = await openLogOf(whole);
      await fill(log, 5);
      await log.close();
      for (const sql of [
        "UPDATE sluice.head SET frontier = decode(repeat('00', 32 * 2), 'hex')",
        "UPDATE sluice.head SET size = 4",
        "DELETE FROM sluice.head",
        "DELETE FROM sluice.entries WHERE idx = 4",
      ]) {
        const store = await server().createStore(databaseOf(whole));
        const client = await server().connect(databaseOf(store));
        await client.query(sql);
        await client.end();
        await assert.rejects(openLogOf(store), { code: "log-corrupt" }, sql);
      }
    });

    it("is brought to the layout that this version knows, by one of those who start together", async () => {
      const store = await server().createStore();
      const client = await server().connect(databaseOf(store));
      await client.query("SET search_path = sluice");
      await migrate(client, MIGRATIONS.slice(0, 1));
      const logs = await Promise.all(Array.from({ length: 3 }, () => openLogOf(store)));
      const receipts = await Promise.all(logs.map((log) => log.append(draft())));
      assert.deepEqual(receipts.map(({ index }) => index).sort(), [0, 1, 2]);
      assert.equal(await logs[0]?.count({ terms: [{ kind: "person", value: "ada" }] }), 3);
      await Promise.all(logs.map((log) => log.close()));
      const { rows } = await client.query("SELECT version FROM sluice.layout ORDER BY version");
      assert.deepEqual(
        rows.map(({ version }) => version),
        MIGRATIONS.map((_, at) => at + 1),
      );
      await client.query("INSERT INTO sluice.layout VALUES ($1, now())", [MIGRATIONS.length + 1]);
      await client.end();
      await assert.rejects(openLogOf(store), { code: "log-version-unknown" });
      await assert.rejects(openReaderOf(store), { code: "log-version-unknown" });
    });

    it("is missed where there is none, and is not begun in an encoding that refuses texts", async () => {
      const store = await server().createStore();
      await assert.rejects(openReaderOf(store), { code: "log-missing" });
      await assert.rejects(openReaderOf(store.replace(databaseOf(store), "nowhere")), { code: "log-missing" });
      const client = await server().connect("postgres");
      await client.query("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'");
      await client.end();
      await assert.rejects(openLogOf(store.replace(databaseOf(store), "latin")), (refused: SluiceError) => {
        assert.deepEqual([refused.code, /LATIN1/.test(refused.message)], ["log-failed", true]);
        return true;
      });
    });

    it("keeps terms of any length and of any characters, and finds them", async (t) => {
      const store = await server().createStore();
      const log = await openLogOf(store);
      t.after(() => log.close());
      const values = ["a".repeat(4096), 'quote " and [ bracket', "nul \u0000 and ünïcode 😀", "%_\\", "short"];
      for (const value of values) await log.append(draft({ terms: [{ kind: "rule", value }] }));
      await log.append(draft({ terms: [{ kind: "person", value: '["rule","short"]' }] }));
      for (const round of ["read one by one", "in the index"]) {
        for (const [at, value] of values.entries())
          assert.deepEqual(
            (await log.find({ terms: [{ kind: "rule", value }] })).map(({ index }) => index),
            [at],
            round,
          );
        await (await openLogOf(store)).close(); // brings the index up to date
      }
      const reader = await openReaderOf(store);
      assert.deepEqual((await reader.read(2)).disclosed["persons"]?.value, ["ada", "lin"]);
      await reader.close();
    });
  }),
);

/** Until a new connection finds the setting so. */
async function settled(server: PostgresServer, setting: string, value: string): Promise<void> {
  for (;;) {
    const client = await server.connect("postgres");
    const { rows } = await client.query(`SHOW ${setting}`);
    await client.end();
    if (rows[0]?.[setting] === value) return;
  }
}

/** What it acknowledged until it was killed, which is when it has acknowledged `enough`. */
async function killAfter(child: ChildProcess, enough: number): Promise<{ index: number; leafHash: string }[]> {
  const acks: { index: number; leafHash: string }[] = [];
  for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
    const match = /^ack (\d+) (\S+)$/.exec(line);
    if (match !== null) acks.push({ index: Number(match[1]), leafHash: match[2] as string });
    if (acks.length >= enough) child.kill("SIGKILL");
  }
  return acks;
}
