import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { writeAuditBundle } from "../../src/log/audit/write.ts";
import { cosigner, generateCosigningKey } from "../../src/log/cosignature.ts";
import { noteSigner } from "../../src/log/note.ts";
import { fill, KEY, logPath, openTestLog } from "../support/log.ts";
import { buildReferee, exhibitAt, GO_MISSING, REFEREE_SIZES } from "../support/referee.ts";
import { tempFolder } from "../support/temp.ts";

describe("Go's own sumdb packages", { skip: GO_MISSING }, () => {
  it("accept checkpoints, roots, tiles and proofs at sizes around the powers of 256, and refuse a changed byte", async (context) => {
    const referee = buildReferee(context);
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    const folders = await exhibitAt(log, REFEREE_SIZES, context);
    const accepted = spawnSync(referee, [KEY.vkey, ...folders], { encoding: "utf8" });
    assert.equal(accepted.status, 0, accepted.stderr);
    assert.equal(accepted.stdout.trim().split("\n").length, REFEREE_SIZES.length);
    assert.match(accepted.stdout, /size 1000: root, 14 inclusion and 7 consistency proofs/);

    const last = folders.at(-1) as string;
    for (const file of ["checkpoint", "tile/0/003.p/232", "tile/1/000.p/3", "tile/entries/002", "proofs.json"]) {
      const whole = readFileSync(join(last, file));
      const at = file === "proofs.json" ? whole.indexOf('"hashes":["') + 20 : 40;
      const changed = Buffer.from(whole);
      changed[at] = whole[at] === 65 ? 66 : 65;
      writeFileSync(join(last, file), changed);
      assert.equal(spawnSync(referee, [KEY.vkey, last]).status, 1, `${file} was changed and accepted`);
      writeFileSync(join(last, file), whole);
    }
    assert.equal(spawnSync(referee, [KEY.vkey, last]).status, 0);
  });

  it("accept an auditor's bundle of a period, and refuse it with a changed byte or without a row", async (context) => {
    const referee = buildReferee(context);
    let now = Date.parse("2026-10-01T00:00:00Z");
    const log = await openTestLog(logPath(context), { clock: () => now });
    await fill(log, 300);
    now += 1000;
    await fill(log, 400);
    const folder = join(tempFolder(context), "bundle");
    await writeAuditBundle(log, noteSigner(KEY.skey), folder, { from: now, to: null, by: "erin" });
    await log.close();
    const judge = () => spawnSync(referee, [KEY.vkey, "-bundle", folder], { encoding: "utf8" });
    assert.match(judge().stdout, /^bundle of entries 300 to 700 of 701: roots, consistency and rows/);
    for (const file of [
      "checkpoint",
      "checkpoint.start",
      "consistency",
      "tile/0/001",
      "tile/entries/001",
      "rows.ndjson",
    ]) {
      const whole = readFileSync(join(folder, file));
      const middle = Math.floor(whole.length / 2);
      const changed =
        file === "rows.ndjson"
          ? whole.subarray(whole.indexOf("\n") + 1)
          : Buffer.from(whole.map((byte, at) => (at === middle ? byte ^ 1 : byte)));
      writeFileSync(join(folder, file), changed);
      assert.equal(judge().status, 1, `${file} was changed and accepted`);
      writeFileSync(join(folder, file), whole);
    }
  });

  it("accept a checkpoint that two witnesses cosigned, and refuse it with a changed byte or without one of them", async (context) => {
    const referee = buildReferee(context);
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    await fill(log, 3);
    const { note } = await log.checkpoint();
    const keys = [4, 5].map((seed) => generateCosigningKey(`w${seed}.example/w`, new Uint8Array(32).fill(seed)));
    const lines = keys.map(({ skey }) => cosigner(skey).cosign(note.slice(0, note.indexOf("\n\n") + 1), Date.now()));
    const judge = (text: string): number | null => {
      const file = join(tempFolder(context), "checkpoint");
      writeFileSync(file, text);
      return spawnSync(referee, [KEY.vkey, "-witnessed", file, ...keys.map(({ vkey }) => vkey)]).status;
    };
    const whole = note + lines.join("");
    assert.equal(judge(whole), 0);
    assert.equal(judge(note + lines[0]), 1);
    const at = whole.lastIndexOf(" ") + 30;
    assert.equal(judge(`${whole.slice(0, at)}${whole[at] === "A" ? "B" : "A"}${whole.slice(at + 1)}`), 1);
  });
});
