/** Storage that fails below a log: a file system that turned read-only, a page that rotted, an older copy put in its place. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { SluiceError } from "../../src/lib/errors.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { fill, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";
import { deployment } from "../support/shop.ts";
import { tempFolder } from "../support/temp.ts";
import { makeWorld } from "../support/world.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WRITER = join(ROOT, "test/support/log-writer.ts");
const PAGE_BYTES = 4096;
const CANNOT_MOUNT = spawnSync("unshare", ["-m", "true"]).status === 0 ? false : "needs root, to mount";

describe("a log on storage that fails", () => {
  it("refuses to open on a read-only file system, and goes on when it can be written again", {
    skip: CANNOT_MOUNT,
  }, (context) => {
    const folder = join(tempFolder(context), "log");
    mkdirSync(folder, { mode: 0o700 });
    const writer = `"${process.execPath}" "${WRITER}" "${ROOT}" "${folder}/log.db" 1 5 2>&1 || true`;
    const mounts = ["mount -t tmpfs -o mode=700 none", "mount -o remount,ro", "mount -o remount,rw"];
    const script = mounts.map((mount) => `${mount} "${folder}"; ${writer}; echo "--"`).join("\n");
    const { stdout, stderr } = spawnSync("unshare", ["-m", "bash", "-ec", script], { encoding: "utf8" });
    const [first = "", second = "", third = ""] = stdout.split("--\n");
    const acks = (text: string) => [...text.matchAll(/^ack (\d+) /gm)].map(([, index]) => Number(index));
    assert.deepEqual(acks(first), [0, 1, 2, 3, 4], stdout + stderr);
    assert.deepEqual(acks(second), [], second);
    assert.match(second, /code: 'log-failed'/);
    assert.deepEqual(acks(third), [5, 6, 7, 8, 9], third);
  });

  it("names a page that rotted when it is read and when it is verified, and gives nothing in its place", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 500);
    await log.close();
    const whole = readFileSync(path);
    const pages = Math.floor(whole.length / PAGE_BYTES);
    let found = 0;
    for (let page = 3; page < pages; page += Math.ceil(pages / 12)) {
      const rotten = Buffer.from(whole);
      rotten.fill(0x55, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      writeFileSync(path, rotten);
      const verification = await verifyLog(path, { keys: [KEY.vkey] });
      const read = await readAll(path);
      if (verification.kind === "broken") found++;
      else assert.equal(read, 500, `page ${page} is of an index, or free`);
      if (typeof read === "string") assert.equal(read, "log-corrupt");
    }
    assert.ok(found > 5, `${found} of the pages hold entries`);
    writeFileSync(path, whole);
    assert.equal((await verifyLog(path, { keys: [KEY.vkey] })).kind, "intact");
  });
});

/** How many entries can be read, or what refuses them. */
async function readAll(path: string): Promise<number | string> {
  try {
    const log = await openTestReader(path);
    try {
      return (await log.find({ limit: 1000 })).length;
    } finally {
      await log.close();
    }
  } catch (thrown) {
    return thrown instanceof SluiceError ? thrown.code : String(thrown);
  }
}

describe("an older copy of a log in its place", () => {
  it("is told by the agents' reports alone: nothing is signed, until the newest copy is back", async (context) => {
    const world = await makeWorld(context);
    world.configure("gate.yaml", ({ log }) => {
      const { anchor: _, ...rest } = log as Record<string, unknown>;
      return { log: rest };
    });
    await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) });
    copyFileSync(world.path("data/log.db"), world.path("older.db"));
    await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) });
    assert.equal((await world.agent()).code, 0);
    copyFileSync(world.path("data/log.db"), world.path("newest.db"));
    const place = (copy: string) => {
      for (const suffix of ["-wal", "-shm", ".index"]) rmSync(world.path(`data/log.db${suffix}`), { force: true });
      copyFileSync(world.path(copy), world.path("data/log.db"));
    };
    place("older.db");
    const head = world.read("channel/head.json");
    for (const answer of [await world.signHead(), await world.release()])
      assert.deepEqual([answer.code, answer.error], [1, "log-rolled-back"]);
    assert.equal(world.read("channel/head.json"), head);
    const doctor = await world.sluice(["doctor", "--config", "../gate.yaml"]);
    assert.match(doctor.stdout, /anchor +none; agents' reports tell a log that was rolled back/);
    place("newest.db");
    assert.equal((await world.signHead()).code, 0);
  });
});
