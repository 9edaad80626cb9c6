/** Where the numbers come from: without it a table of times says nothing. */
import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, platform, release } from "node:os";
import { DatabaseSync } from "node:sqlite";

export interface Machine {
  /** Day of the run, in UTC. */
  readonly date: string;
  readonly cores: number;
  readonly cpu: string;
  readonly system: string;
  readonly node: string;
  readonly git: string;
  /** null where there is none. */
  readonly gpg: string | null;
  readonly sqlite: string;
  /** Of the last minute, when the run began: above the number of cores, others took part of the machine. */
  readonly load: number;
}

export function describeMachine(now: Date): Machine {
  return {
    date: now.toISOString().slice(0, 10),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    system: `${platform()} ${release().split("-")[0]}`,
    node: process.version,
    git: versionOf("git") ?? "none",
    gpg: versionOf("gpg"),
    sqlite: sqliteVersion(),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

export function machineLine({ date, cores, cpu, system, node, git, gpg, sqlite, load }: Machine): string {
  const versions = `Node ${node.slice(1)}, git ${git}, gpg ${gpg ?? "none"}, SQLite ${sqlite}`;
  return `${date}, ${cores} cores of ${cpu}, ${system}, ${versions}, load average ${load} at the start`;
}

function versionOf(command: string): string | null {
  const { stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(stdout ?? "")?.[0] ?? null;
}

function sqliteVersion(): string {
  const db = new DatabaseSync(":memory:");
  const version = String(db.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  db.close();
  return version;
}
