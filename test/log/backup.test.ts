/** A backup is a whole, verified copy of one moment, or nothing. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { backupLog } from "../../src/log/backup.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, fill, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

const KEYS = { keys: [KEY.vkey] };

async function closedLog(context: TestContext, size: number): Promise<string> {
  const path = logPath(context);
  const log = await openTestLog(path);
  await fill(log, size);
  await log.close();
  return path;
}

describe("a backup of a log", () => {
  it("is taken while the log is written, holds one moment of it, and goes on as a log", async (context) => {
    const path = logPath(context);
    const file = join(tempFolder(context), "copy.db");
    const log = await openTestLog(path);
    context.after(() => log.close());
    await fill(log, 1000);
    const appends: Promise<unknown>[] = [];
    const timer = setInterval(() => appends.push(log.append(draft())), 1);
    const { verification, bytes } = await backupLog({ store: `sqlite:${path}` }, file, KEYS).finally(() =>
      clearInterval(timer),
    );
    await Promise.all(appends);
    const { size } = verification.checkpoint;
    assert.ok(size >= 1000 && size <= 1000 + appends.length, `${size}`);
    assert.deepEqual(verification.disclosures, { matching: size * 6, redacted: 0 });
    assert.equal(bytes, statSync(file).size);
    assert.deepEqual(readdirSync(dirname(file)), ["copy.db"], "one file, nothing beside it");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const restored = logPath(context);
    writeFileSync(restored, readFileSync(file), { mode: 0o600 });
    const again = await openTestLog(restored);
    assert.equal((await again.append(draft())).index, size);
    assert.equal(await again.count({ terms: [{ kind: "person", value: "ada" }] }), size + 1);
    await again.close();
  });

  it("never takes the place of anything, not even through a link", async (context) => {
    const path = await closedLog(context, 3);
    const folder = tempFolder(context);
    writeFileSync(join(folder, "kept"), "kept");
    symlinkSync("nowhere", join(folder, "link"));
    for (const name of ["kept", "link"])
      await assert.rejects(backupLog({ store: `sqlite:${path}` }, join(folder, name), KEYS), { code: "backup-exists" });
    assert.equal(readFileSync(join(folder, "kept"), "utf8"), "kept");
    assert.deepEqual(readdirSync(folder).sort(), ["kept", "link"]);
    await assert.rejects(backupLog({ store: `sqlite:${path}` }, join(folder, "none", "x.db"), KEYS), { code: "usage" });
  });

  it("is refused and leaves nothing when the log is not there, was changed, or is shorter than what was published", async (context) => {
    const path = await closedLog(context, 3);
    const longer = await closedLog(context, 4);
    const reader = await openTestReader(longer);
    const { note } = await reader.checkpoint();
    await reader.close();
    const folder = tempFolder(context);
    const file = join(folder, "copy.db");
    const refused = (options: object) => backupLog({ store: `sqlite:${path}` }, file, { ...KEYS, ...options });
    await assert.rejects(refused({ known: [note] }), { code: "log-rolled-back" });
    const db = new DatabaseSync(path);
    db.exec("UPDATE disclosures SET json = replace(json, 'ada', 'eve') WHERE idx = 1");
    db.close();
    await assert.rejects(refused({}), { code: "log-tampered" });
    await assert.rejects(backupLog({ store: `sqlite:${path}.none` }, file, KEYS), { code: "log-missing" });
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(existsSync(`${path}.none`), false);
  });

  it("can be verified where nothing can be written", async (context) => {
    const path = await closedLog(context, 300);
    const file = join(tempFolder(context), "copy.db");
    await backupLog({ store: `sqlite:${path}` }, file, KEYS);
    assert.equal((await verifyLog(file, KEYS)).kind, "intact");
    assert.deepEqual(readdirSync(dirname(file)), ["copy.db"]);
  });
});
