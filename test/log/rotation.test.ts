/** A log's key is replaced by another: for a while both sign, so that whoever knows either goes on. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { writeAuditBundle } from "../../src/log/audit/write.ts";
import { openCheckpoint } from "../../src/log/checkpoint.ts";
import { generateNoteKey, noteSigner, noteVerifier } from "../../src/log/note.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { fill, KEY, logPath, ORIGIN, openTestLog } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

const NEXT = generateNoteKey(ORIGIN, new Uint8Array(32).fill(8));
const OTHER = generateNoteKey("other.example/log", new Uint8Array(32).fill(9));
const BOTH = `${NEXT.skey}\n${KEY.skey}\n`;

async function grown(context: TestContext, path: string, key: string, count: number, anchor?: string): Promise<string> {
  const log = await openTestLog(path, { key, anchor: anchor ?? null });
  context.after(() => log.close());
  await fill(log, count);
  const { note } = await log.checkpoint();
  await log.close();
  return note;
}

const keysThatAccept = (note: string) =>
  [KEY, NEXT].filter(({ vkey }) => {
    try {
      return openCheckpoint(note, ORIGIN, [noteVerifier(vkey)]).note === note;
    } catch {
      return false;
    }
  });
const verdict = async (path: string, vkey: string, known: readonly string[] = []) =>
  (await verifyLog(path, { keys: [vkey], known })).kind;

describe("a log's key that is replaced", () => {
  it("signs beside the new one from the first opening on, also where nothing is appended", async (context) => {
    const path = logPath(context);
    const anchor = join(tempFolder(context), "anchor");
    const before = await grown(context, path, KEY.skey, 3, anchor);
    assert.deepEqual(keysThatAccept(before), [KEY]);
    const overlap = await grown(context, path, BOTH, 0, anchor);
    assert.deepEqual(keysThatAccept(overlap), [KEY, NEXT]);
    assert.equal(readFileSync(anchor, "utf8"), overlap);
    assert.equal(overlap.split("\n\n")[0], before.split("\n\n")[0], "the same tree");
    const more = await grown(context, path, BOTH, 2, anchor);
    assert.deepEqual(keysThatAccept(more), [KEY, NEXT]);
    for (const { vkey } of [KEY, NEXT]) assert.equal(await verdict(path, vkey, [more]), "intact");
    const after = await grown(context, path, NEXT.skey, 1, anchor);
    assert.deepEqual(keysThatAccept(after), [NEXT]);
    assert.deepEqual(
      [await verdict(path, NEXT.vkey, [overlap, more]), await verdict(path, KEY.vkey)],
      ["intact", "broken"],
    );
  });

  it("is not replaced without the overlap: the log is refused, and stays what it was", async (context) => {
    const path = logPath(context);
    await grown(context, path, KEY.skey, 3);
    await assert.rejects(openTestLog(path, { key: NEXT.skey }), { code: "log-origin-mismatch" });
    assert.equal(await verdict(path, KEY.vkey), "intact");
  });

  it("gives a bundle that either key verifies, and none that did not sign it", async (context) => {
    const path = logPath(context);
    await grown(context, path, KEY.skey, 300);
    const log = await openTestLog(path, { key: BOTH });
    context.after(() => log.close());
    const folder = join(tempFolder(context), "bundle");
    await writeAuditBundle(log, noteSigner(BOTH), folder, { from: null, to: null, by: "erin" });
    assert.equal(readFileSync(join(folder, "key"), "utf8"), `${NEXT.vkey}\n${KEY.vkey}\n`);
    for (const { vkey } of [KEY, NEXT]) assert.equal(await verdict(folder, vkey), "intact");
    const stranger = generateNoteKey(ORIGIN, new Uint8Array(32).fill(10));
    assert.equal(await verdict(folder, stranger.vkey), "broken");
  });

  it("is refused as one of several that are the same, or of other names, or too many", () => {
    const several = (...keys: readonly { skey: string }[]) => keys.map(({ skey }) => skey).join("\n");
    const many = Array.from({ length: 5 }, (_, at) => generateNoteKey(ORIGIN, new Uint8Array(32).fill(at)));
    for (const keys of [several(KEY, KEY), several(KEY, OTHER), several(...many)])
      assert.throws(() => noteSigner(keys), { code: "note-key-invalid" });
  });
});
