/** A database that was cut short or scribbled on, and one with no room beside it: said for what it is by whoever reads. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { asSluiceError } from "../../src/lib/errors.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { fill, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

const ROOT = join(import.meta.dirname, "../..");
const CANNOT_MOUNT = spawnSync("unshare", ["-m", "true"]).status === 0 ? false : "needs root, to mount";

async function closedLog(context: TestContext): Promise<{ path: string; whole: Buffer }> {
  const path = logPath(context);
  const log = await openTestLog(path);
  await fill(log, 120);
  await log.close();
  return { path, whole: readFileSync(path) };
}

/** What a verification, a reader and a writer say of the log. */
async function said(path: string): Promise<readonly string[]> {
  const verification = await verifyLog(path, { keys: [KEY.vkey] });
  const opened = [openTestReader, openTestLog].map(async (open) => {
    try {
      const log = await open(path);
      await log.find({ limit: 1000 }).finally(() => log.close());
      return "read";
    } catch (thrown) {
      return asSluiceError(thrown).code;
    }
  });
  return [verification.kind === "broken" ? verification.code : "intact", ...(await Promise.all(opened))];
}

describe("a log's folder", () => {
  it("is refused at once where no folder can be made", {
    skip: existsSync("/proc/self") ? false : "needs /proc",
  }, () => {
    // in a process of its own: a loop that never ends could not be ended from within
    const open = `import("${ROOT}/test/support/log.ts").then(({ openTestLog }) => openTestLog("/proc/none/deeper/log.db"))`;
    const script = `${open}.then(() => console.log("opened"), ({ code, message }) => console.log(code, message))`;
    const { stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 300_000 });
    assert.equal(stdout, "log-failed The folder /proc/none cannot be made: ENOENT.\n");
  });
});

describe("a damaged database", () => {
  it("is called damaged wherever it was cut", async (context) => {
    const { path, whole } = await closedLog(context);
    for (const bytes of [2, 100, 4096, 8192, 40960, 50000, 98304]) {
      writeFileSync(path, whole.subarray(0, bytes));
      assert.deepEqual(await said(path), ["log-corrupt", "log-corrupt", "log-corrupt"], `${bytes} bytes`);
    }
  });

  it("is called damaged when its first page is scribbled on, and when nothing is left of it", async (context) => {
    const { path, whole } = await closedLog(context);
    for (const start of [0, 16, 40, 100]) {
      const scribbled = Buffer.from(whole);
      scribbled.fill(0x55, start, start + 20);
      writeFileSync(path, scribbled);
      assert.deepEqual(await said(path), ["log-corrupt", "log-corrupt", "log-corrupt"], `at ${start}`);
    }
    writeFileSync(path, "");
    assert.deepEqual((await said(path)).slice(0, 2), ["log-corrupt", "log-corrupt"]);
  });

  it("is not said of a full volume: reading asks for space, and writes nothing", {
    skip: CANNOT_MOUNT,
  }, async (context) => {
    const { path } = await closedLog(context);
    const folder = tempFolder(context);
    const asked = `
      const { verifyLog } = await import("${ROOT}/src/log/verify.ts");
      const { openTestReader, KEY } = await import("${ROOT}/test/support/log.ts");
      for (const ask of [() => verifyLog("${folder}/log.db", { keys: [KEY.vkey] }), () => openTestReader("${folder}/log.db")])
        await ask().then(() => console.log("no refusal"), ({ code, message }) => console.log(code, message));`;
    const script = [
      `mount -t tmpfs -o mode=700,size=2m none "${folder}"`,
      `cp "${path}" "${folder}/log.db"`,
      `dd if=/dev/zero of="${folder}/fill" bs=4096 2>/dev/null || true`,
      `"${process.execPath}" --input-type=module -e "$ASKED"`,
    ].join("\n");
    const environment = { PATH: process.env["PATH"] ?? "", ASKED: asked };
    const { stdout, stderr } = spawnSync("unshare", ["-m", "bash", "-ec", script], {
      encoding: "utf8",
      env: environment,
    });
    const full = "log-full There is no space left beside the log; reading it needs a little.\n";
    assert.equal(stdout, `${full}${full}`, stderr);
  });
});
