/** `service.json` beside the log: that a service runs, for `doctor` on the same machine. Nothing is decided by it. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Instant } from "../lib/time.ts";
import { VERSION } from "../lib/version.ts";

const FILE = "service.json";
const MODE = 0o600;

const statusSchema = z.strictObject({
  pid: z.int().min(1),
  version: z.string().max(100),
  startedAt: z.number(),
  /** When it was written: once a minute, while all is well. */
  at: z.number(),
  room: z.enum(["enough", "little", "too-little", "unknown"]),
  /** Repositories that could not be fetched the last time. */
  failures: z.array(z.string().max(100)).max(10_000),
});

export type Status = z.infer<typeof statusSchema>;

export interface StatusFacts {
  readonly startedAt: Instant;
  readonly at: Instant;
  readonly room: Status["room"];
  readonly failures: readonly string[];
}

export function writeStatus(folder: string, facts: StatusFacts): void {
  const path = join(folder, FILE);
  const next = `${path}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify({ pid: process.pid, version: VERSION, ...facts })}\n`, { mode: MODE });
  renameSync(next, path);
}

export function removeStatus(folder: string): void {
  rmSync(join(folder, FILE), { force: true });
}

/** null where no service has left word, or none that can be read. */
export function readStatus(folder: string): Status | null {
  try {
    const found = statusSchema.safeParse(JSON.parse(readFileSync(join(folder, FILE), "utf8")));
    return found.success ? found.data : null;
  } catch {
    return null;
  }
}

export function isAlive({ pid }: Status): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM"; // it is there, and somebody else's
  }
}
