/** What every store of the log promises; run over each member of STORES. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { decodeBase64 } from "../../src/lib/bytes.ts";
import { asSluiceError } from "../../src/lib/errors.ts";
import { parseTime } from "../../src/lib/time.ts";
import { openCheckpoint, parseCheckpoint, signCheckpoint } from "../../src/log/checkpoint.ts";
import type { Checkpoint, DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft, EntryQuery } from "../../src/log/entry.ts";
import { prepareEntry, sequenceLeaf } from "../../src/log/leaf.ts";
import { leafHashes } from "../../src/log/leaf-hashes.ts";
import { leafHash, nodeHash, verifyConsistency, verifyInclusion } from "../../src/log/merkle.ts";
import { noteSigner, noteVerifier } from "../../src/log/note.ts";
import { proveInclusion, readProof, verifyProof, writeProof } from "../../src/log/proof.ts";
import type { LogVerification } from "../../src/log/verification.ts";
import { draft, fill, KEY, ORIGIN } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

export interface TestStore {
  readonly name: string;
  /** Whether a log may have several writers at once. */
  readonly writers: "one" | "several";
  /** A place for a log, gone when the test ends. */
  place(context: TestContext): string | Promise<string>;
  openWriter(place: string, change?: { clock?: () => number; anchor?: string }): Promise<DecisionLog>;
  openReader(place: string): Promise<DecisionLog>;
  /** A copy of a log that nobody has open: an older one, as soon as the log goes on. */
  copy(context: TestContext, place: string): Promise<string>;
  /** Puts rows into the tables of an empty log that nobody has open; columns by name, bytes as bytes. */
  insert(place: string, rows: readonly StoredTestRow[]): Promise<void>;
  verify(place: string): Promise<LogVerification>;
}

export interface StoredTestRow {
  readonly table: "entries" | "disclosures" | "hashes" | "head";
  readonly columns: Readonly<Record<string, string | number | Uint8Array | null>>;
}

const KEYS = [noteVerifier(KEY.vkey)];
const hash = (text: string) => decodeBase64(text) as Uint8Array;

export function logStoreContract(store: TestStore): void {
  const begin = async (context: TestContext) => {
    const place = await store.place(context);
    const log = await store.openWriter(place);
    context.after(() => log.close());
    return { place, log };
  };

  describe(`a log in ${store.name}`, () => {
    it("begins empty under a signed checkpoint", async (context) => {
      const { log } = await begin(context);
      const { size, note } = await log.checkpoint();
      assert.equal(size, 0);
      assert.equal(openCheckpoint(note, ORIGIN, KEYS).size, 0);
      await assert.rejects(log.read(0), { code: "entry-unknown" });
      assert.equal(await log.latest("prod", ["decision"]), null);
    });

    it("answers with a receipt that the signed checkpoint proves", async (context) => {
      const { log } = await begin(context);
      for (let index = 0; index < 5; index++) {
        const receipt = await log.append(draft());
        assert.equal(receipt.index, index);
        const { size, root, note } = await log.checkpoint();
        assert.equal(openCheckpoint(note, ORIGIN, KEYS).size, index + 1);
        const proof = await log.inclusionProof(index, size);
        assert.ok(verifyInclusion(hash(receipt.leafHash), index, size, proof, root));
      }
    });

    it("gives back each entry with its values, and links those of one target", async (context) => {
      const { log } = await begin(context);
      const first = await log.append(draft({ disclosed: { note: "ünïcode", list: [1, null] } }));
      await log.append(draft({ target: "staging" }));
      await log.append(draft({ target: null, kind: "read", verdict: null }));
      const last = await log.append(draft({ verdict: "deny", reasons: ["unsigned-commit"] }));
      const entry = await log.read(last.index);
      assert.equal(entry.leaf.previous, first.leafHash);
      assert.equal(entry.leaf.id, last.id);
      assert.equal((await log.read(1)).leaf.previous, null);
      assert.equal((await log.read(2)).leaf.previous, null);
      assert.deepEqual((await log.read(0)).disclosed["note"]?.value, "ünïcode");
      assert.deepEqual((await log.read(0)).disclosed["list"]?.value, [1, null]);
    });

    it("goes on where it stopped after it was opened again", async (context) => {
      const place = await store.place(context);
      const before = await store.openWriter(place);
      const receipt = await before.append(draft());
      const old = await before.checkpoint();
      await before.close();
      const log = await store.openWriter(place);
      context.after(() => log.close());
      const next = await log.append(draft());
      assert.equal(next.index, 1);
      assert.equal((await log.read(1)).leaf.previous, receipt.leafHash);
      const { size, root } = await log.checkpoint();
      assert.ok(verifyConsistency(old.size, size, await log.consistencyProof(old.size, size), old.root, root));
    });

    it("keeps concurrent appends whole, each at its own index", async (context) => {
      const { log } = await begin(context);
      const receipts = await Promise.all(Array.from({ length: 300 }, () => log.append(draft())));
      assert.deepEqual(
        receipts.map(({ index }) => index).sort((a, b) => a - b),
        Array.from({ length: 300 }, (_, at) => at),
      );
      assert.equal(new Set(receipts.map(({ id }) => id)).size, 300);
      for (const { index, leafHash } of receipts.slice(0, 20)) assert.equal((await log.read(index)).leafHash, leafHash);
    });

    it("records several entries in order, all or none", async (context) => {
      const { log } = await begin(context);
      const receipts = await log.appendAll([draft({ kind: "receipt" }), draft(), draft({ kind: "release" })]);
      assert.deepEqual(
        receipts.map(({ index }) => index),
        [0, 1, 2],
      );
      assert.deepEqual(await log.appendAll([]), []);
      const poison = draft({ reasons: Array.from({ length: 7000 }, (_, at) => `reason-${at}`) });
      await assert.rejects(log.appendAll([draft(), poison, draft()]), { code: "entry-too-large" });
      assert.equal((await log.checkpoint()).size, 3);
    });

    it("records what follows an entry directly behind it, and otherwise nothing of it", async (context) => {
      const { log } = await begin(context);
      const first = await log.append(draft({ follows: null }));
      await log.append(draft({ target: "staging" }));
      const behind = draft({ follows: first.leafHash });
      const answers = await Promise.allSettled(Array.from({ length: 4 }, () => log.appendAll([behind, draft()])));
      const outcomes = answers.map((one) => (one.status === "rejected" ? asSluiceError(one.reason).code : "recorded"));
      assert.deepEqual(outcomes.sort(), ["log-moved", "log-moved", "log-moved", "recorded"]);
      await assert.rejects(log.append(draft({ follows: null })), { code: "log-moved" });
      await assert.rejects(log.append(draft({ target: "other", follows: first.leafHash })), { code: "log-moved" });
      assert.equal((await log.checkpoint()).size, 4);
    });

    it("refuses a poison entry alone; those beside it are recorded", async (context) => {
      const { log } = await begin(context);
      const poison = draft({ reasons: Array.from({ length: 7000 }, (_, at) => `reason-${at}`) });
      const malformed = draft({ subject: { commit: "main" } });
      const answers = await Promise.allSettled(
        [draft(), poison, draft(), malformed, draft()].map((each) => log.append(each)),
      );
      const codes = answers.map((answer) => (answer.status === "rejected" ? answer.reason.code : answer.value.index));
      assert.deepEqual(codes, [0, "entry-too-large", 1, "entry-malformed", 2]);
    });

    it("keeps times from going backwards when the clock does", async (context) => {
      const place = await store.place(context);
      const times = ["2026-11-20T10:00:02Z", "2026-11-20T10:00:01Z", "2026-11-20T10:00:03Z"].map(
        (text) => parseTime(text) ?? 0,
      );
      const log = await store.openWriter(place, { clock: () => times.shift() as number });
      context.after(() => log.close());
      const seconds = [];
      for (let at = 0; at < 3; at++) seconds.push((await log.append(draft())).time.slice(17, 19));
      assert.deepEqual(seconds, ["02", "02", "03"]);
    });

    it("lets readers in while it writes", async (context) => {
      const { place, log } = await begin(context);
      const reader = await store.openReader(place);
      context.after(() => reader.close());
      for (let round = 1; round <= 5; round++) {
        const writing = Promise.all(Array.from({ length: 20 }, () => log.append(draft())));
        const seen = await reader.checkpoint();
        if (seen.size > 0) await reader.read(seen.size - 1);
        await writing;
        assert.equal((await reader.checkpoint()).size, round * 20);
      }
      await assert.rejects(reader.append(draft()), { code: "log-read-only" });
      await assert.rejects(reader.appendAll([draft()]), { code: "log-read-only" });
    });

    if (store.writers === "one")
      it("refuses a second writer", async (context) => {
        const { place } = await begin(context);
        await assert.rejects(store.openWriter(place), { code: "log-busy" });
      });
    else
      it("is one log to two writers that append at once", async (context) => {
        const { place, log } = await begin(context);
        const other = await store.openWriter(place);
        context.after(() => other.close());
        const receipts = await Promise.all(
          Array.from({ length: 300 }, async (_, at) => {
            await new Promise((resolve) => setImmediate(resolve));
            return (at % 2 === 0 ? log : other).append(draft({ target: at % 3 === 0 ? "staging" : "prod" }));
          }),
        );
        for (let round = 0; round < 20; round++)
          receipts.push(...(await Promise.all([log, other].map((one) => one.append(draft())))));
        assert.deepEqual(
          receipts.map(({ index }) => index).sort((a, b) => a - b),
          receipts.map((_, at) => at),
        );
        for (const { index, leafHash } of receipts.slice(-50))
          for (const one of [log, other]) assert.equal((await one.read(index)).leafHash, leafHash);
        assert.equal((await store.verify(place)).kind, "intact");
      });

    it("lets the next writer in once the first has closed", async (context) => {
      const { place, log } = await begin(context);
      const last = log.append(draft());
      await log.close();
      assert.equal((await last).index, 0);
      await assert.rejects(log.append(draft()), { code: "log-closed" });
      const next = await store.openWriter(place);
      context.after(() => next.close());
      assert.equal((await next.append(draft())).index, 1);
    });

    it("refuses an older copy of itself, and one that went its own way", async (context) => {
      const place = await store.place(context);
      const anchor = join(tempFolder(context), "checkpoint");
      const append = async (to: string, count: number, change = {}) => {
        const log = await store.openWriter(to, change);
        await fill(log, count).finally(() => log.close());
      };
      await append(place, 3, { anchor });
      const older = await store.copy(context, place);
      await append(place, 2, { anchor });
      await assert.rejects(store.openWriter(older, { anchor }), { code: "log-rolled-back" });
      await append(older, 4);
      await assert.rejects(store.openWriter(older, { anchor }), { code: "log-forked" });
      await append(place, 1, { anchor });
      rmSync(anchor);
      await assert.rejects(store.openWriter(place, { anchor }), { code: "log-anchor-missing" });
    });

    it("holds at sizes around the powers of 256", async (context) => {
      const { place, log } = await begin(context);
      let before = await log.checkpoint();
      for (const size of [1, 2, 255, 256, 257, 511, 512, 513]) {
        await fill(log, size - before.size);
        const now = await log.checkpoint();
        assert.equal(now.size, size);
        for (const index of new Set([0, Math.floor(size / 2), size - 1])) {
          const { leafHash } = await log.read(index);
          const proof = await log.inclusionProof(index, size);
          assert.ok(verifyInclusion(hash(leafHash), index, size, proof, now.root), `${index} of ${size}`);
        }
        const proof = await log.consistencyProof(before.size, size);
        assert.ok(verifyConsistency(before.size, size, proof, before.root, now.root), `${before.size} to ${size}`);
        const hashes = Buffer.from(await leafHashes(log, now));
        assert.equal(hashes.subarray(-32).toString("base64"), (await log.read(size - 1)).leafHash);
        before = now;
      }
      assert.equal((await store.verify(place)).kind, "intact");
    });

    it("counts on beyond 2^31 entries", async (context) => {
      const place = await store.place(context);
      await (await store.openWriter(place)).close();
      const start = 2 ** 31;
      const { note } = await plant(store, place, start);
      const log = await store.openWriter(place);
      context.after(() => log.close());
      assert.equal((await log.checkpoint()).note, note);
      const receipts = await log.appendAll([draft(), draft(), draft()]);
      assert.deepEqual(
        receipts.map(({ index }) => index),
        [start, start + 1, start + 2],
      );
      const { size, root } = await log.checkpoint();
      for (const { index, leafHash } of receipts) {
        assert.equal((await log.read(index)).leafHash, leafHash);
        const proof = await log.inclusionProof(index, size);
        assert.ok(verifyInclusion(hash(leafHash), index, size, proof, root));
      }
      const planted = parseCheckpoint(note)?.root as Uint8Array;
      assert.ok(verifyConsistency(start, size, await log.consistencyProof(start, size), planted, root));
      assert.deepEqual(
        (await log.find({ target: "prod", limit: 4 })).map(({ index }) => index),
        [start + 2, start + 1, start, start - 1],
      );
    });

    it("serves the tiles of every size it has published, and nothing else", async (context) => {
      const { log } = await begin(context);
      await fill(log, 300);
      const widths: Record<string, number> = {
        "tile/0/000": 256,
        "tile/0/000.p/7": 7,
        "tile/0/001.p/44": 44,
        "tile/1/000.p/1": 1,
      };
      for (const [path, width] of Object.entries(widths))
        assert.equal((await log.resource(path))?.byteLength, width * 32, path);
      for (const path of [
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/entries/001.p/45",
        "head",
        "../log.db",
        "",
      ])
        assert.equal(await log.resource(path), null, path);
      const note = Buffer.from((await log.resource("checkpoint")) ?? []).toString();
      assert.equal(openCheckpoint(note, ORIGIN, KEYS).size, 300);
      assert.ok(((await log.resource("tile/entries/001.p/44"))?.byteLength ?? 0) > 44 * 500);
    });

    it("proves an entry in a file that verifies offline, and only that entry", async (context) => {
      const { log } = await begin(context);
      await fill(log, 20);
      const text = writeProof(await proveInclusion(log, 7));
      assert.equal(readProof(text)?.index, 7);
      const { bytes } = await log.read(7);
      assert.equal(verifyProof(text, bytes, ORIGIN, KEYS).index, 7);
      const other = await log.read(8);
      assert.throws(() => verifyProof(text, other.bytes, ORIGIN, KEYS), { code: "proof-wrong" });
      assert.throws(() => verifyProof(text.replace("index 7", "index 6"), bytes, ORIGIN, KEYS), {
        code: "proof-wrong",
      });
      assert.throws(() => verifyProof(text.replace("index 7", "index 07"), bytes, ORIGIN, KEYS), {
        code: "proof-malformed",
      });
      assert.throws(() => verifyProof(text.replace("@v1", "@v2"), bytes, ORIGIN, KEYS), { code: "proof-malformed" });
      assert.throws(() => verifyProof(text.replace("\n20\n", "\n21\n"), bytes, ORIGIN, KEYS), {
        code: "note-bad-signature",
      });
      assert.throws(() => verifyProof(text, bytes, "other.example/log", KEYS), { code: "log-origin-mismatch" });
      assert.throws(() => verifyProof(text, bytes, ORIGIN, []), { code: "note-unknown-key" });
      await assert.rejects(log.inclusionProof(20, 20), { code: "entry-unknown" });
      await assert.rejects(log.inclusionProof(0, 21), { code: "entry-unknown" });
      await assert.rejects(log.consistencyProof(3, 2), { code: "entry-unknown" });
    });

    it("finds what a plain filter over all entries finds, before and after its index has caught up", async (context) => {
      const place = await store.place(context);
      let now = parseTime("2026-11-20T10:00:00Z") ?? 0;
      let log = await store.openWriter(place, { clock: () => now++ });
      const drafts = variety(240);
      for (const each of drafts) void log.append(each);
      await log.append(draft({ target: "last", terms: [] }));
      const all = [...drafts, draft({ target: "last", terms: [] })];
      const queries: EntryQuery[] = [
        {},
        { target: "prod" },
        { target: "prod", kinds: ["decision", "release"] },
        { kinds: ["hold"] },
        { kinds: [] },
        { target: "prod", kinds: [] },
        { verdict: "deny", order: "oldest" },
        { target: "staging", verdict: "allow", order: "oldest", limit: 7 },
        { terms: [{ kind: "person", value: "p1" }] },
        {
          terms: [
            { kind: "person", value: "p1" },
            { kind: "resource", value: "r2" },
          ],
        },
        { terms: [{ kind: "person", value: "p1" }], target: "prod", limit: 3 },
        { terms: [{ kind: "person", value: "nobody" }] },
        { after: 100, limit: 5 },
        { after: 100, limit: 5, order: "oldest" },
        { target: "prod", after: 100, limit: 5, order: "oldest" },
        { from: parseTime("2026-11-20T10:00:00.050Z") ?? 0, to: parseTime("2026-11-20T10:00:00.060Z") ?? 0 },
        { to: 0 },
      ];
      for (const round of ["before", "after"]) {
        for (const query of queries) {
          const expected = filtered(all, query);
          const found = (await log.find(query)).map(({ index }) => index);
          assert.deepEqual(found, expected.slice(0, query.limit ?? 1000), `${round} ${JSON.stringify(query)}`);
          assert.equal(await log.count(query), expected.length, `${round} count ${JSON.stringify(query)}`);
        }
        await log.close(); // closing brings the index up to date
        log = await store.openWriter(place);
      }
      context.after(() => log.close());
      assert.equal((await log.latest("prod", ["hold"]))?.index, filtered(all, { target: "prod", kinds: ["hold"] })[0]);
    });
  });
}

/**
 * Makes an empty log one of `size` entries (a power of two, of at least a tile), of which it has the last tile and the
 * hashes above; those of level 3 and of the leaves below are made up where nobody can know better.
 */
async function plant(store: TestStore, place: string, size: number): Promise<Checkpoint> {
  const time = parseTime("2026-11-20T10:00:00.000Z") as number;
  const prepared = prepareEntry(draft({ target: "prod" }), time, (bytes) => new Uint8Array(bytes).fill(7));
  const { bytes } = sequenceLeaf(prepared, time, null);
  const leaf = leafHash(bytes);
  const rows: StoredTestRow[] = [];
  for (let idx = size - 256; idx < size; idx++) {
    const { target, kind, verdict, terms, disclosed } = prepared;
    rows.push({ table: "entries", columns: { idx, time, target, kind, verdict, hash: leaf, bytes } });
    rows.push({ table: "disclosures", columns: { idx, terms, json: disclosed } });
  }
  // the last subtree of each level is the one above the last tile: all its hashes are equal
  let subtree = Array.from({ length: 8 }).reduce<Uint8Array>((below) => nodeHash(below, below), leaf);
  let width = size / 256;
  for (let level = 1; width >= 1; level++) {
    const row = Math.min(width, 256);
    for (let n = width - row; n < width; n++) rows.push({ table: "hashes", columns: { level, n, hash: subtree } });
    const height = Math.log2(row);
    subtree = Array.from({ length: height }).reduce<Uint8Array>((below) => nodeHash(below, below), subtree);
    width = Math.floor(width / 256);
  }
  const head = signCheckpoint(ORIGIN, size, subtree, noteSigner(KEY.skey));
  const frontier = store.writers === "several" ? { frontier: subtree, time } : {};
  rows.push({ table: "head", columns: { size, note: head.note, ...frontier } });
  await store.insert(place, rows);
  return head;
}

function variety(count: number): EntryDraft[] {
  const kinds = ["decision", "release", "hold"] as const;
  const verdicts = ["allow", "deny", null] as const;
  return Array.from({ length: count }, (_, at) =>
    draft({
      kind: kinds[at % 3] ?? "decision",
      target: at % 5 === 0 ? "staging" : "prod",
      verdict: verdicts[at % 7 === 0 ? 1 : at % 2] ?? null,
      terms: [
        { kind: "person", value: `p${at % 4}` },
        { kind: "resource", value: `r${at % 6}` },
      ],
    }),
  );
}

/** The oracle: indexes of the matching entries, in the query's order; entry i was logged i ms after 10:00:00. */
function filtered(all: readonly EntryDraft[], query: EntryQuery): number[] {
  const start = parseTime("2026-11-20T10:00:00Z") ?? 0;
  const indexes = all.flatMap((each, at) => {
    const hasTerms = (query.terms ?? []).every((term) =>
      each.terms.some(({ kind, value }) => kind === term.kind && value === term.value),
    );
    const isMatch =
      hasTerms &&
      (query.target === undefined || each.target === query.target) &&
      (query.kinds === undefined || query.kinds.includes(each.kind)) &&
      (query.verdict === undefined || each.verdict === query.verdict) &&
      (query.from === undefined || start + at >= query.from) &&
      (query.to === undefined || start + at < query.to) &&
      (query.after === undefined || (query.order === "oldest" ? at > query.after : at < query.after));
    return isMatch ? [at] : [];
  });
  return query.order === "oldest" ? indexes : indexes.reverse();
}
