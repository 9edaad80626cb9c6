/** Reaching PostgreSQL: the address, TLS, the settings that durability rests on, and what its failures are called. */
import {
  Client,
  type ClientBase,
  type ClientConfig,
  type Connection,
  Pool,
  type QueryResult,
  type QueryResultRow,
} from "pg";
import { type ErrorDetails, SluiceError } from "../../../lib/errors.ts";
import { SCHEMA_NAME } from "./schema.ts";

export interface PostgresAddress {
  readonly user: string;
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

export interface PostgresPlace {
  /** What follows `postgres:`. */
  readonly path: string;
  readonly password: string | null;
  /** Certificates in PEM that the server's is verified against; null for the system's. */
  readonly ca: string | null;
}

const DEFAULT_PORT = 5432;
const CONNECT_DEADLINE_MS = 5000;
/** Longer than any of PostgreSQL's own deadlines below. */
const ANSWER_DEADLINE_MS = 30_000;
/** How long a batch waits for those of other replicas. */
const LOCK_DEADLINE_MS = 10_000;
/** How long a replica that has vanished with the head's lock in its hand keeps it. */
const IDLE_LOCK_DEADLINE_MS = 10_000;
const STATEMENT_DEADLINE_MS = 25_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const FAREWELL_DEADLINE_MS = 2000;
const READERS = 4;
const IDLE_READER_MS = 10_000;

const ADDRESS =
  /^\/\/(?<user>[^:@/?#]+)@(?<host>[A-Za-z0-9._-]*|\[[0-9a-f:.]+\])(?::(?<port>\d{1,5}))?\/(?<database>[^:@/?#]+)(?:\?host=(?<socket>\/[^?#&]*))?$/;

/** The form is that of a PostgreSQL URI, without a password. @throws `log-store-unknown` */
function parseAddress(path: string): PostgresAddress {
  const { user, host = "", port, database, socket } = ADDRESS.exec(path)?.groups ?? {};
  if (user === undefined || database === undefined || (host === "") === (socket === undefined))
    throw new SluiceError(
      "log-store-unknown",
      "The log's store is not of the form postgres://USER@HOST:PORT/DATABASE.",
      {
        fix: "write it without a password: postgres://sluice@db.example/sluice, or postgres://sluice@/sluice?host=/run/postgresql",
      },
    );
  return {
    user: decodeURIComponent(user),
    host: socket ?? host.replace(/^\[|\]$/g, ""),
    port: Number(port ?? DEFAULT_PORT),
    database: decodeURIComponent(database),
  };
}

/** Whether nothing but this machine carries what is sent. */
function staysHere({ host }: PostgresAddress): boolean {
  return host.startsWith("/") || ["127.0.0.1", "::1", "localhost"].includes(host);
}

/** Every setting is said, so that nothing of the environment or a password file counts. */
function settings({ path, password, ca }: PostgresPlace): ClientConfig {
  const address = parseAddress(path);
  const verified = { rejectUnauthorized: true, minVersion: "TLSv1.2", ...(ca === null ? {} : { ca }) } as const;
  return {
    ...address,
    password: async () => {
      if (password !== null) return password;
      throw new SluiceError("log-failed", "PostgreSQL asks for a password, and none is configured for the log.", {
        fix: "log: {password: {file: PATH}} in gate.yaml, a file with mode 0600",
      });
    },
    // a server on this machine is spoken to in the clear, unless certificates are named
    ssl: staysHere(address) && (ca === null || address.host.startsWith("/")) ? false : verified,
    application_name: "sluice",
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
    query_timeout: ANSWER_DEADLINE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    client_encoding: "UTF8",
    options: [
      `search_path=${SCHEMA_NAME}`,
      `lock_timeout=${LOCK_DEADLINE_MS}`,
      `statement_timeout=${STATEMENT_DEADLINE_MS}`,
      `idle_in_transaction_session_timeout=${IDLE_LOCK_DEADLINE_MS}`,
      "default_transaction_isolation=read\\ committed",
    ]
      .map((setting) => `-c ${setting}`)
      .join(" "),
  };
}

/** @throws `log-failed` and the rest of storageFailure() */
export async function connect(place: PostgresPlace): Promise<Client> {
  const client = new Client(settings(place));
  client.on("error", () => {}); // the next query says so
  try {
    await client.connect();
    return client;
  } catch (cause) {
    drop(client);
    throw storageFailure(cause);
  }
}

/** With a farewell, for which nobody waits long. */
export async function hangUp(client: Client): Promise<void> {
  const deadline = setTimeout(() => drop(client), FAREWELL_DEADLINE_MS);
  await client.end().catch(() => {});
  clearTimeout(deadline);
}

/** At once, whatever it is doing; a farewell might wait for a server that does not answer. */
export function drop(client: Client): void {
  client.connection.stream.destroy();
}

export type PostgresPool = Pool;

/** For readers: some connections, made again when they break, and given up when nobody has asked for ten seconds. */
export function openPool(place: PostgresPlace): Pool {
  const pool = new Pool({ ...settings(place), max: READERS, idleTimeoutMillis: IDLE_READER_MS });
  pool.on("error", () => {}); // of connections that nobody uses; of the others, the next query says so
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Either of them; a pool takes whatever connection is free. */
export type Asked = Pick<Client, "query"> | Pick<Pool, "query">;

export async function rows<R extends QueryResultRow>(
  asked: Asked,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  try {
    const query = asked.query.bind(asked) as (text: string, values: unknown[]) => Promise<QueryResult<R>>;
    return (await query(text, [...values])).rows;
  } catch (cause) {
    throw storageFailure(cause);
  }
}

/** The results of several statements without parameters, sent together. */
export async function results(client: ClientBase, text: string): Promise<readonly QueryResult[]> {
  const answer: unknown = await client.query(text);
  return Array.isArray(answer) ? answer : [answer as QueryResult];
}

/** The part of pg's connection that its types leave out. */
type CopyConnection = Connection & { sendCopyFromChunk(chunk: Uint8Array): void; endCopyFrom(): void };

/**
 * Sends statements together with all that their `COPY ... FROM STDIN` read, without waiting in between: one round trip.
 * After a failed statement PostgreSQL passes over the rest, data too (protocol 3.0, "COPY Operations"). Resolves with the
 * tag of the last statement; rejects with the first error or the end of the connection.
 */
export function sendWithCopies(
  client: Client,
  text: string,
  copies: readonly (readonly Uint8Array[])[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    let tag = "";
    const query = {
      callback: (cause: unknown) => {
        if (cause === null || cause === undefined) resolve(tag);
        else reject(cause);
      },
      submit(connection: Connection) {
        const wire = connection as CopyConnection;
        wire.stream.cork();
        wire.query(text);
        for (const chunks of copies) {
          for (const chunk of chunks) wire.sendCopyFromChunk(chunk);
          wire.endCopyFrom();
        }
        wire.stream.uncork();
      },
      handleCommandComplete: (message: { readonly text: string }) => {
        tag = message.text;
      },
      // pg puts a callback in the place of ours that also ends its own deadline
      handleReadyForQuery: () => query.callback(null),
      handleError: (cause: unknown) => query.callback(cause),
      handleCopyInResponse: () => {},
      handleRowDescription: () => {},
      handleDataRow: () => {},
    };
    client.query(query);
  });
}

/** What a failure of PostgreSQL or of the way to it is called. */
export function storageFailure(cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const state = sqlState(cause);
  const details: ErrorDetails = { retryable: true, cause };
  if (state === "53100")
    return new SluiceError("log-full", "There is no space left to record a decision; nothing was recorded.", details);
  if (state === "55P03")
    return new SluiceError("log-busy", "Other replicas have kept the log busy for too long.", details);
  if (state === "3D000") return new SluiceError("log-missing", "PostgreSQL has no such database.", { cause });
  const because = REASONS.find(({ of }) => of.test(state))?.because ?? reasonOf(cause);
  return new SluiceError("log-failed", `The log in PostgreSQL could not be used: ${because}.`, details);
}

const REASONS: readonly { readonly of: RegExp; readonly because: string }[] = [
  { of: /^28/, because: "it refuses the user or the password" },
  { of: /^42501$/, because: "the user may not do what a log needs" },
  { of: /^25006$/, because: "it takes no writes (a standby)" },
  { of: /^53/, because: "it has no resources left" },
  { of: /^57P/, because: "it is starting or stopping" },
  { of: /^57014$/, because: "a statement took too long" },
  { of: /^(?!00)[0-9A-Z]{5}$/, because: "it reports an error" },
];

/** Node's words for TLS and network failures are codes; nothing of a message is passed on, which may name values. */
function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return "the connection broke";
  if (/CERT|TLS|SSL|SELF_SIGNED|ISSUER|SIGNATURE/.test(code)) return `its certificate is not accepted (${code})`;
  return `it cannot be reached (${code})`;
}

/** Whether it is the way to PostgreSQL that failed, and another connection may work. */
export function isBrokenConnection(cause: unknown): boolean {
  return !(cause instanceof SluiceError) && /^$|^57P|^25P03$|^08/.test(sqlState(cause));
}

/** Five characters (PostgreSQL, appendix A), or nothing. */
function sqlState(cause: unknown): string {
  const { code, severity } = (cause ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === "string" && severity !== undefined ? code : "";
}

/** A commit of which PostgreSQL says that it is durable, and which is not. */
export function requireDurable(setting: Readonly<Record<(typeof DURABILITY)[number], unknown>>): void {
  const off = DURABILITY.filter((name) => setting[name] === "off");
  if (off.length === 0) return;
  throw new SluiceError(
    "log-not-durable",
    `PostgreSQL runs with ${off.join(", ")} off, so no answer would be durable.`,
    {
      fix: `${off.map((name) => `ALTER SYSTEM SET ${name} = on;`).join(" ")} SELECT pg_reload_conf();`,
    },
  );
}

export const DURABILITY = ["synchronous_commit", "fsync", "full_page_writes"] as const;

/** As columns of a SELECT. */
export const DURABILITY_COLUMNS = DURABILITY.map((name) => `current_setting('${name}') AS ${name}`).join(", ");
