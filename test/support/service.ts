/** `sluice serve` as a process: what it says is read line by line, and waited for; nothing here waits for a duration. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { sluiceCommand } from "./sluice.ts";
import type { Scope } from "./temp.ts";
import type { World } from "./world.ts";

/** Only a test that hangs meets it. */
const DEADLINE_MS = 120_000;

export interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServiceProcess {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  /** What it said that is no line of JSON. */
  readonly other: string[] = [];
  readonly ended: Promise<Ended>;
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  constructor(scope: Scope, world: World) {
    world.configure("gate.yaml", (now) => ({ listen: now["listen"] ?? { port: 0 } }));
    const home = world.path("home");
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      XDG_CACHE_HOME: `${home}/cache`,
      XDG_CONFIG_HOME: `${home}/config`,
      TMPDIR: world.path("tmp"),
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
    };
    const args = [sluiceCommand(), "serve", "--config", world.path("gate.yaml")];
    const child = spawn(process.execPath, args, { cwd: world.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    const end = (): void => void child.kill("SIGKILL");
    process.once("exit", end);
    this.ended = once(child, "close").then(([code, signal]) => {
      this.#isOver = true;
      process.off("exit", end);
      this.#wake();
      return { code, signal } as Ended;
    });
    createInterface({ input: child.stderr }).on("line", (text) => {
      if (text.startsWith("{")) this.lines.push(JSON.parse(text) as Line);
      else this.other.push(text);
      this.#wake();
    });
    scope.after(() => void child.kill("SIGKILL"));
    // A test that fails ends, whatever becomes of what it started; who waits for it keeps this process alive.
    child.unref();
    for (const pipe of [child.stdout, child.stderr]) (pipe as unknown as Socket).unref();
  }

  /** The first line so called, from `since` on, that holds these fields. */
  async line(msg: string, fields: Readonly<Record<string, unknown>> = {}, since = 0): Promise<Line> {
    const isWanted = (line: Line): boolean =>
      line.msg === msg && Object.entries(fields).every(([name, value]) => line[name] === value);
    return this.until(() => this.lines.slice(since).find(isWanted), `${msg} ${JSON.stringify(fields)}`);
  }

  /** What `look` finds, asked again whenever the service has said something. */
  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(deadline);
        this.#listeners.delete(listener);
      };
      const listener = (): void => {
        const found = look();
        if (found !== undefined) {
          end();
          resolve(found);
        } else if (this.#isOver) {
          end();
          reject(new Error(`the service ended before it said: ${what}\n${this.transcript}`));
        }
      };
      const deadline = setTimeout(() => {
        end();
        reject(new Error(`the service never said: ${what}\n${this.transcript}`));
      }, DEADLINE_MS);
      this.#listeners.add(listener);
      listener();
    });
  }

  /** Where it listens, once it is ready. */
  async url(): Promise<string> {
    return String((await this.line("ready"))["url"]);
  }

  get transcript(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.other].join("\n");
  }

  /** The first signal: what began is finished. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.child.kill(signal);
    return this.#awaitEnd();
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#awaitEnd();
  }

  async #awaitEnd(): Promise<Ended> {
    await this.until(() => (this.#isOver ? true : undefined), "its end");
    return this.ended;
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Started, and ready to be asked. */
export async function startService(scope: Scope, world: World): Promise<ServiceProcess> {
  const service = new ServiceProcess(scope, world);
  await service.line("ready");
  return service;
}
