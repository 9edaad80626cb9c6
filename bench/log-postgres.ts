/**
 * The same through a log in PostgreSQL (the one that the tests run, its settings its own), by one replica and by two, each
 * a process; beside them what this machine can do at best: an fsync, and bare inserts of a kilobyte by PostgreSQL itself.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import type { Client } from "pg";
import { databaseOf, POSTGRES_MISSING, type PostgresServer, startPostgres } from "../test/support/postgres.ts";
import { benchSync, CLIENTS, counted, type Latencies } from "./log.ts";
import type { ReplicaOrder } from "./log-postgres-replica.ts";
import { type BenchOptions, type Beside, type Measurement, measurementOf, type Row } from "./measure.ts";

const AREA = "log-postgres";
const REPLICAS = 2;
const ROW_BYTES = 1024;
const REPLICA = join(import.meta.dirname, "log-postgres-replica.ts");

export async function benchLogPostgres(options: BenchOptions): Promise<readonly Row[]> {
  const { scope, seconds, progress } = options;
  if (POSTGRES_MISSING !== false) {
    progress(`${AREA}: not run (${POSTGRES_MISSING})`);
    return [];
  }
  const server = await startPostgres(scope);
  const sync = benchSync(scope, seconds / 2);
  const rows: Row[] = [];
  for (const [replicas, clients] of [
    ...CLIENTS.map((each) => [1, each] as const),
    [REPLICAS, 16] as const,
    [REPLICAS, 256] as const,
  ]) {
    const what = `decisions, ${counted(clients, "client")}${replicas === 1 ? "" : `, ${replicas} replicas`}`;
    progress(`${AREA}: ${what}`);
    const store = await server.createStore();
    const measured = await throughReplicas(store, replicas, clients, seconds);
    const bare = await benchBare(server, store, clients, seconds / 2);
    rows.push({ area: AREA, what, measured, beside: [bare, sync] });
  }
  return rows;
}

/** All begin together, when all have opened the log; the clients are shared out among them. */
async function throughReplicas(
  store: string,
  replicas: number,
  clients: number,
  seconds: number,
): Promise<Measurement> {
  const children = Array.from({ length: replicas }, () => fork(REPLICA, [store], { stdio: "inherit" }));
  try {
    await Promise.all(children.map(said));
    const order: ReplicaOrder = { clients: clients / replicas, seconds };
    const answers = await Promise.all(
      children.map((child) => {
        child.send(order);
        return said(child) as Promise<Latencies>;
      }),
    );
    const elapsed = Math.max(...answers.map((answer) => answer.elapsed));
    return measurementOf(
      answers.flatMap(({ latencies }) => latencies),
      elapsed,
    );
  } finally {
    for (const child of children) if (child.connected) child.disconnect();
  }
}

async function said(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(() => Promise.reject(new Error("a replica ended")));
  const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown];
  ended.catch(() => undefined);
  return message;
}

/** As many rows a transaction as clients could fill, in a table with nothing but a key. */
async function benchBare(server: PostgresServer, store: string, batch: number, seconds: number): Promise<Beside> {
  const client: Client = await server.connect(databaseOf(store));
  await client.query("CREATE TABLE public.bare (n bigserial PRIMARY KEY, bytes bytea NOT NULL)");
  const row = randomBytes(ROW_BYTES).toString("hex");
  const text = `INSERT INTO public.bare (bytes) VALUES ${Array.from({ length: batch }, () => `('\\x${row}')`)}`;
  const latencies: number[] = [];
  const start = performance.now();
  while (latencies.length < 2 || performance.now() < start + seconds * 1000) {
    const before = performance.now();
    await client.query(text);
    latencies.push(performance.now() - before);
  }
  const measured = measurementOf(latencies, performance.now() - start, batch);
  await client.end();
  return { kind: "limit", what: `PostgreSQL, ${counted(batch, "row")} of 1 KB a transaction`, measured };
}
