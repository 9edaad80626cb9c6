/** A log is verified in runs, by several threads where it is long: joined, they say what one look from end to end says. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { encodeBase64, utf8 } from "../../src/lib/bytes.ts";
import { countQuickly } from "../../src/log/disclosed-text.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { prepareEntry } from "../../src/log/leaf.ts";
import { databaseSource } from "../../src/log/source.ts";
import { verifyInThreads } from "../../src/log/stores/sqlite/verifiers.ts";
import { TILE_WIDTH } from "../../src/log/tile.ts";
import { Spine, verifyLog } from "../../src/log/verify.ts";
import { type RangeVerification, verifyRange } from "../../src/log/verify-range.ts";
import { draft, KEY, logPath, openTestLog } from "../support/log.ts";

const SIZE = 3 * TILE_WIDTH + 40;

async function filledLog(context: TestContext): Promise<string> {
  const path = logPath(context);
  const log = await openTestLog(path);
  const targets = ["prod", "staging", null];
  await log.appendAll(Array.from({ length: SIZE }, (_, at) => draft({ target: targets[at % 3] ?? null })));
  await log.close();
  return path;
}

function ranges(path: string, size: number): readonly RangeVerification[] {
  const source = databaseSource(path);
  const starts = Array.from({ length: Math.ceil(size / TILE_WIDTH) }, (_, at) => at * TILE_WIDTH);
  const found = starts.map((start) => verifyRange(source, start, Math.min(start + TILE_WIDTH, size), size));
  source.close();
  return found;
}

/** What joining them says: the index and the thing that differs, or null. */
function joined(path: string, all: readonly RangeVerification[]): readonly [number | null, string] | null {
  const source = databaseSource(path);
  const spine = new Spine(source, SIZE);
  try {
    for (const range of all) spine.join(range);
    return null;
  } catch (thrown) {
    const { index, differs } = (thrown as { result: { index: number | null; differs: string } }).result;
    return [index, differs];
  } finally {
    source.close();
  }
}

describe("a run of entries", () => {
  it("is the same from a thread, and they come in order", async (context) => {
    const path = await filledLog(context);
    const threaded: RangeVerification[] = [];
    for await (const range of verifyInThreads(path, SIZE, TILE_WIDTH)) threaded.push(range);
    const plain = (all: readonly RangeVerification[]) =>
      all.map(({ tiles, rest, ...range }) => ({
        ...range,
        tiles: tiles.map(encodeBase64),
        rest: rest.map(encodeBase64),
      }));
    assert.deepEqual(plain(threaded), plain(ranges(path, SIZE)));
    assert.equal(joined(path, threaded), null);
    const { kind } = await verifyLog(path, { keys: [KEY.vkey] });
    assert.equal(kind, "intact");
  });

  it("is joined with the links and times across its bounds", async (context) => {
    const path = await filledLog(context);
    const [first, second, ...others] = ranges(path, SIZE);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(joined(path, [first, second, ...others]), null);
    const [run, ...runs] = second.targets;
    assert.ok(run !== undefined);
    const unlinked = { ...second, targets: [{ ...run, previous: encodeBase64(new Uint8Array(32)) }, ...runs] };
    assert.deepEqual(joined(path, [first, unlinked]), [run.first, "chain"]);
    assert.deepEqual(joined(path, [second]), [run.first, "chain"], "nothing goes before it");
    const early = { ...second, firstTime: "2000-01-01T00:00:00.000Z" };
    assert.deepEqual(joined(path, [first, early]), [TILE_WIDTH, "time"]);
    const broken = {
      kind: "broken",
      code: "log-tampered",
      index: TILE_WIDTH + 9,
      differs: "entry",
      detail: "",
    } as const;
    assert.deepEqual(joined(path, [first, { ...second, broken }]), [TILE_WIDTH + 9, "entry"]);
    assert.deepEqual(joined(path, [first, { ...unlinked, broken }]), [run.first, "chain"], "the first one counts");
  });

  it("ends in a thread as it does here when an entry is gone, and no thread is left", async (context) => {
    const path = await filledLog(context);
    const db = new DatabaseSync(path);
    db.exec(`DELETE FROM entries WHERE idx = ${TILE_WIDTH + 5}`);
    db.close();
    const found: RangeVerification[] = [];
    for await (const range of verifyInThreads(path, SIZE, TILE_WIDTH)) {
      found.push(range);
      if (range.broken !== null) break;
    }
    assert.deepEqual(
      found.map(({ broken }) => broken?.index ?? null),
      [null, TILE_WIDTH + 5],
    );
    const none = logPath(context);
    await assert.rejects(async () => {
      for await (const _ of verifyInThreads(none, SIZE, TILE_WIDTH));
    });
  });
});

describe("the text of disclosed values", () => {
  const disclosed: EntryDraft["disclosed"] = {
    plain: "x",
    tricky: { a: { b: 1 }, salt: null, 'q"': '},"plain":{' },
    last: [{ a: {} }, null],
  };
  const prepared = prepareEntry(draft({ disclosed }), 0, (bytes) => new Uint8Array(bytes).fill(7));
  const { commitments } = JSON.parse(prepared.pieces.join('""')) as { commitments: Record<string, string> };
  const json = prepared.disclosed;

  it("is taken apart only where it is laid out as its writer does, and nothing is missing or added", () => {
    assert.deepEqual(countQuickly(utf8(json), commitments), { matching: 3, withheld: [] });
    const withheld = JSON.stringify({ ...JSON.parse(json), tricky: null });
    assert.deepEqual(countQuickly(utf8(withheld), commitments), { matching: 2, withheld: ["tricky"] });
    const { last: _, ...less } = commitments;
    const others = [
      "{}",
      "null",
      "",
      json.slice(0, -1),
      `${json} `,
      `${json.slice(0, -1)},}`,
      `${json.slice(0, -1)},"plain":null}`,
      `${json.slice(0, -1)},"more":null}`,
      json.replace('"x"', '"y"'),
      json.replace('"x"', '"x" '),
      json.replace('"plain":{', '"plain": {'),
      json.replace("BwcH", "BwcI"),
      json.replace("Bw==", "Bx=="),
      json.replace("Bw==", "Bwc="),
      json.replace("BwcH", "Bw H"),
      withheld.replace('"tricky":null', '"tricky":nul'),
      `${withheld.slice(0, -1)},"more":null}`,
      `${withheld.slice(0, -1)}}}`,
    ];
    for (const text of others) assert.equal(countQuickly(utf8(text), commitments), null, text);
    assert.equal(countQuickly(utf8(json), less), null);
    assert.equal(countQuickly(utf8(json), { ...commitments, more: commitments["last"] as string }), null);
  });
});
