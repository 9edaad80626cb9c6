import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";
import { Disk, readTrace, STRACE_MISSING, TRACE_ARGUMENTS, type TraceEvent } from "../support/power-cut.ts";
import { tempFolder } from "../support/temp.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WRITER = join(ROOT, "test/support/log-writer.ts");
const KILLS = Number(process.argv.find((each) => each.startsWith("--kills="))?.slice("--kills=".length) ?? 20);

interface Ack {
  readonly index: number;
  readonly leafHash: string;
}

function acksIn(lines: readonly string[]): readonly Ack[] {
  return lines.flatMap((line) => {
    const match = /^ack (\d+) (\S+)$/.exec(line);
    return match === null ? [] : [{ index: Number(match[1]), leafHash: match[2] as string }];
  });
}

async function assertHolds(path: string, acks: readonly Ack[], what: string): Promise<void> {
  const log = await openTestLog(path);
  for (const { index, leafHash } of acks)
    assert.equal((await log.read(index)).leafHash, leafHash, `${what}: entry ${index}`);
  await log.close();
  const result = await verifyLog(path, { keys: [KEY.vkey] });
  assert.equal(result.kind, "intact", `${what}: ${JSON.stringify(result)}`);
}

/** The sources of the log with one text replaced, to show that a test notices what it is there for. */
function patchedRoot(context: TestContext, file: string, changes: readonly [from: string, to: string][]): string {
  const root = tempFolder(context);
  for (const folder of ["src/lib", "src/log"]) cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  let text = readFileSync(join(root, file), "utf8");
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `${file} no longer contains ${from}`);
    text = text.replace(from, to);
  }
  writeFileSync(join(root, file), text);
  return root;
}

const DATABASE = "src/log/stores/sqlite/database.ts";
const synchronousOff = (context: TestContext) =>
  patchedRoot(context, DATABASE, [
    ["PRAGMA synchronous = FULL", "PRAGMA synchronous = OFF"],
    ["const FULL = 2;", "const FULL = 0;"],
  ]);

function traced(context: TestContext, root: string, clients: number, count: number): readonly TraceEvent[] {
  const path = logPath(context);
  const trace = join(tempFolder(context), "trace");
  const writer = [process.execPath, WRITER, root, path, String(clients), String(count)];
  execFileSync("strace", ["-o", trace, ...TRACE_ARGUMENTS, ...writer], { stdio: ["ignore", "ignore", "inherit"] });
  return readTrace(trace, dirname(path));
}

/** How many answers had no completed sync of the write-ahead log since their question. */
function answersWithoutSync(events: readonly TraceEvent[]): { readonly answers: number; readonly unsynced: number } {
  let [answers, unsynced, isSynced] = [0, 0, false];
  for (const event of events) {
    if (event.call === "sync" && event.path.endsWith("-wal")) isSynced = true;
    if (event.call !== "say") continue;
    if (event.line.startsWith("ask ")) isSynced = false;
    if (!event.line.startsWith("ack ")) continue;
    answers++;
    if (!isSynced) unsynced++;
  }
  return { answers, unsynced };
}

/** Cuts the power right after each answer; counts how often an acknowledged entry is gone afterwards. */
async function lossesByPowerCut(context: TestContext, events: readonly TraceEvent[], every: number): Promise<number> {
  const disk = new Disk();
  const acks: Ack[] = [];
  let [losses, coin] = [0, 7];
  const toss = () => {
    coin = (coin * 1103515245 + 12345) % 2 ** 31;
    return coin < 2 ** 30;
  };
  for (const event of events) {
    disk.apply(event);
    const ack = event.call === "say" ? acksIn([event.line])[0] : undefined;
    if (ack === undefined) continue;
    acks.push(ack);
    if (acks.length % every !== 0) continue;
    for (const survives of [() => false, toss]) {
      const folder = join(tempFolder(context), "log");
      disk.restore(folder, survives);
      await assertHolds(join(folder, "log.db"), acks, `power cut after answer ${acks.length}`).catch(() => losses++);
    }
  }
  assert.ok(acks.length >= every, "nothing was acknowledged, so nothing was shown");
  return losses;
}

describe("an answer", { skip: STRACE_MISSING }, () => {
  it("comes after a completed sync of the write-ahead log, for every acknowledged entry", (context) => {
    const { answers, unsynced } = answersWithoutSync(traced(context, ROOT, 1, 10));
    assert.deepEqual({ answers, unsynced }, { answers: 10, unsynced: 0 });
  });

  it("would be seen to come without a sync if SQLite ran with synchronous=OFF", (context) => {
    const { answers, unsynced } = answersWithoutSync(traced(context, synchronousOff(context), 1, 10));
    assert.equal(answers, 10);
    assert.ok(unsynced >= 9, `${unsynced}`);
  });

  it("outlives a power cut: what was not synced is dropped, wholly or in part, and the entry is still there", async (context) => {
    assert.equal(await lossesByPowerCut(context, traced(context, ROOT, 3, 5), 3), 0);
  });

  it("would be seen to be lost by a power cut if SQLite ran with synchronous=OFF", async (context) => {
    assert.ok((await lossesByPowerCut(context, traced(context, synchronousOff(context), 1, 4), 4)) > 0);
  });
});

describe("a log whose process is killed", () => {
  it(`holds every acknowledged entry after ${KILLS} kills at any moment, and verifies`, async (context) => {
    const path = logPath(context);
    const [acks, newest]: [Ack[], Ack[]] = [[], []];
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startWriter(path, 4, 1_000_000);
      const lines: string[] = [];
      const output = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
      const ended = new Promise((resolve) => output.once("close", resolve));
      // However slow the disk is: some entries are acknowledged, and then it is killed at some moment or other.
      await new Promise<void>((resolve, reject) => {
        output.on("line", (line) => {
          lines.push(line);
          if (line.startsWith("ack ") && acksIn(lines).length > 1 + (kill % 7)) resolve();
        });
        output.on("close", () => reject(new Error("the writer ended before it was killed")));
      });
      await new Promise((resolve) => setTimeout(resolve, (kill * 37) % 60));
      child.kill("SIGKILL");
      await ended;
      acks.push(...acksIn(lines));
      newest.push(...acksIn(lines).slice(-20)); // those that a missing sync or a torn batch would take
    }
    assert.ok(acks.length > KILLS, `${acks.length} acknowledged`);
    assert.equal(new Set(acks.map(({ index }) => index)).size, acks.length, "no index was given twice");
    await assertHolds(path, newest, "after all kills");
    const reader = await openTestReader(path);
    context.after(() => reader.close());
    assert.ok((await reader.checkpoint()).size >= acks.length);
  });
});

describe("a full disk", () => {
  it("is refused with nothing half-written, and the next append works when space returns", async (context) => {
    const path = logPath(context);
    await (await openTestLog(path)).close();
    // a limit on file size that a shell sets and prlimit lifts: writes fail as on a full disk, while they last
    const child = startWriter(path, 1, 1_000_000, "trap '' XFSZ; ulimit -S -f 256;");
    const lines: string[] = [];
    const output = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
    let refusals = 0;
    for await (const line of output) {
      lines.push(line);
      if (line.startsWith("refused ") && ++refusals === 2)
        execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited"]);
      if (line.startsWith("ack ") && refusals >= 2) child.kill("SIGKILL");
    }
    assert.ok(lines.includes("refused log-failed") || lines.includes("refused log-full"), lines.slice(-5).join("\n"));
    const acks = acksIn(lines);
    assert.deepEqual(
      acks.map(({ index }) => index),
      acks.map((_, at) => at),
      "no refused entry took an index",
    );
    await assertHolds(path, acks.slice(-50), "after the disk was full");
  });

  it("is called log-full when SQLite says so", async (context) => {
    const path = logPath(context);
    const root = patchedRoot(context, DATABASE, [["PRAGMA trusted_schema = OFF", "PRAGMA max_page_count = 40"]]);
    const child = startWriter(path, 1, 1_000_000, "", root);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
      lines.push(line);
      if (line.startsWith("refused ")) child.kill("SIGKILL");
    }
    assert.ok(lines.includes("refused log-full"), lines.slice(-3).join("\n"));
    await assertHolds(path, acksIn(lines), "after it was full");
    const log = await openTestLog(path);
    context.after(() => log.close());
    assert.equal((await log.append(draft())).index, acksIn(lines).length);
  });
});

function startWriter(path: string, clients: number, count: number, before = "", root = ROOT): ChildProcess {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const command = `${before} exec "$0" "$@"`;
  const writer = [process.execPath, WRITER, root, path, String(clients), String(count)];
  return spawn("bash", ["-c", command, ...writer], { stdio: ["ignore", "pipe", "inherit"] });
}
