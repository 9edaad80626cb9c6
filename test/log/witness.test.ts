import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { signCheckpoint } from "../../src/log/checkpoint.ts";
import { cosignaturesOf, cosignatureVerifier, cosigner, generateCosigningKey } from "../../src/log/cosignature.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import { noteSigner, noteVerifier } from "../../src/log/note.ts";
import { openWitnessStore } from "../../src/log/stores/sqlite/witness.ts";
import {
  addCheckpoint,
  MAXIMUM_REQUEST_BYTES,
  readAddCheckpoint,
  type Witness,
  writeAddCheckpoint,
} from "../../src/log/witness/add-checkpoint.ts";
import { openWitnesses, type WitnessFailure } from "../../src/log/witness/client.ts";
import { listenAsWitness } from "../../src/server/witness.ts";
import { fill, KEY, logPath, ORIGIN, openTestLog } from "../support/log.ts";
import { type Scope, tempFolder } from "../support/temp.ts";

const WITNESS = generateCosigningKey("one.example/w", new Uint8Array(32).fill(9));
const VERIFIER = cosignatureVerifier(WITNESS.vkey);
const SIGNER = noteSigner(KEY.skey);
const LOCALHOST = { address: "127.0.0.1", port: 0 };

function memory(scope: Scope): string {
  const folder = join(tempFolder(scope), "witness");
  mkdirSync(folder, { mode: 0o700 });
  return join(folder, "seen.db");
}

function makeWitness(scope: Scope, path = memory(scope)): Witness & { close(): void } {
  const store = openWitnessStore(path);
  let closed = false;
  const close = (): void => {
    if (!closed) store.close();
    closed = true;
  };
  scope.after(close);
  const logs = [{ origin: ORIGIN, keys: [noteVerifier(KEY.vkey)] }];
  return { cosigner: cosigner(WITNESS.skey), logs, store, clock: () => 1_795_262_400_000, close };
}

async function openFilled(scope: Scope, size: number): Promise<DecisionLog> {
  const log = await openTestLog(logPath(scope));
  scope.after(() => log.close());
  await fill(log, size);
  return log;
}

/** What an honest log sends. */
async function request(log: DecisionLog, oldSize: number): Promise<string> {
  const checkpoint = await log.checkpoint();
  return writeAddCheckpoint({ oldSize, proof: await log.consistencyProof(oldSize, checkpoint.size), checkpoint });
}

describe("a witness", () => {
  it("cosigns what continues what it saw, from nothing on, and remembers it over a restart", async (context) => {
    const path = memory(context);
    const log = await openFilled(context, 3);
    const first = makeWitness(context, path);
    const { status, body } = addCheckpoint(first, await request(log, 0));
    assert.equal(status, 200);
    const { note } = await log.checkpoint();
    assert.deepEqual(cosignaturesOf(note + body, [VERIFIER]), [{ name: "one.example/w", at: 1_795_262_400_000 }]);
    first.close();
    const second = makeWitness(context, path);
    await fill(log, 5);
    assert.equal(addCheckpoint(second, await request(log, 3)).status, 200);
    assert.equal(addCheckpoint(second, await request(log, 8)).status, 200, "the same once more");
    assert.equal(second.store.seen(ORIGIN)?.size, 8);
    assert.match(second.store.seen(ORIGIN)?.note ?? "", /\n— one\.example\/w /);
  });

  it("refuses each thing in its own way, and then remembers what it saw before", async (context) => {
    const witness = makeWitness(context);
    const log = await openFilled(context, 4);
    const other = await openFilled(context, 6);
    addCheckpoint(witness, await request(log, 0));
    const honest = await request(log, 4);
    const forged = signCheckpoint(ORIGIN, 4, new Uint8Array(32), SIGNER);
    const elsewhere = signCheckpoint("other.example/log", 4, new Uint8Array(32), SIGNER);
    const [line = ""] = honest.split("\n");
    const refused: [what: string, body: string, status: number, answer: RegExp][] = [
      ["an old size that it did not see", await request(log, 0), 409, /^4\n$/],
      ["an old size above the new one", honest.replace(line, "old 9"), 400, /larger/],
      ["a log that grew from another one", await request(other, 4), 422, /does not continue/],
      [
        "another root at the same size",
        writeAddCheckpoint({ oldSize: 4, proof: [], checkpoint: forged }),
        422,
        /not cont/,
      ],
      [
        "a log that it does not know",
        writeAddCheckpoint({ oldSize: 0, proof: [], checkpoint: elsewhere }),
        404,
        /known/,
      ],
      [
        "a signature that is wrong",
        honest.replace(/(.).=\n$/, (_, one) => `${one === "A" ? "Q" : "A"}A=\n`),
        403,
        /did not sign/,
      ],
      ["no request", "", 400, /request/],
      ["a checkpoint alone", (await log.checkpoint()).note, 400, /request/],
      ["an old size with a zero in front", honest.replace(line, "old 04"), 400, /request/],
      [
        "more than 63 hashes",
        honest.replace(line, `${line}\n${`${"A".repeat(43)}=\n`.repeat(64).trim()}`),
        400,
        /request/,
      ],
      ["a hash of another length", honest.replace(line, `${line}\nAAAA`), 400, /request/],
      ["an extension line", honest.replace(/\n\n— /, "\nmore\n\n— "), 400, /request/],
    ];
    for (const [what, body, status, answer] of refused) {
      const given = addCheckpoint(witness, body);
      assert.equal(given.status, status, what);
      assert.match(given.body, answer, what);
      assert.equal(witness.store.seen(ORIGIN)?.size, 4, what);
    }
    assert.equal(addCheckpoint(witness, honest).status, 200);
  });

  it("answers nothing when two ask at once and the other was first", async (context) => {
    const witness = makeWitness(context);
    const log = await openFilled(context, 2);
    const ask = await request(log, 0);
    const overtaken: Witness = { ...witness, store: { ...witness.store, replace: () => false } };
    assert.deepEqual([addCheckpoint(overtaken, ask).status, addCheckpoint(overtaken, ask).body], [409, "0\n"]);
  });

  it("never takes random bytes for a request, nor crashes on them", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => readAddCheckpoint(text) === null));
  });

  it("has a memory of its own: one process, private, and no log in its place", async (context) => {
    const path = memory(context);
    const witness = makeWitness(context, path);
    assert.throws(() => openWitnessStore(path), { code: "log-busy" });
    witness.close();
    chmodSync(path, 0o644);
    assert.throws(() => openWitnessStore(path), { code: "log-readable-by-others" });
    const log = logPath(context);
    await (await openTestLog(log)).close();
    assert.throws(() => openWitnessStore(log), { code: "log-version-unknown" });
  });
});

/** A witness on the loopback, and what a gate hears of it. */
async function served(context: TestContext, witness = makeWitness(context)) {
  const listener = await listenAsWitness(witness, LOCALHOST);
  context.after(() => listener.close());
  return { witness, listener };
}

function asking(log: DecisionLog, urls: readonly string[]) {
  const failures: WitnessFailure[] = [];
  const addresses = urls.map((url) => ({ url, verifier: VERIFIER, deadlineMs: 30_000 }));
  const logKey = noteVerifier(KEY.vkey);
  return {
    failures,
    witnesses: openWitnesses({ log, logKeys: [logKey], addresses, onFailure: (one) => failures.push(one) }),
  };
}

describe("a gate that asks witnesses", () => {
  it("puts their cosignatures under the newest checkpoint, and asks again only when the log has grown", async (context) => {
    const { listener } = await served(context);
    const log = await openFilled(context, 3);
    const { witnesses, failures } = asking(log, [listener.url]);
    await witnesses.checkContinues();
    for (const size of [3, 3, 7]) {
      if ((await log.checkpoint()).size < size) await fill(log, size - (await log.checkpoint()).size);
      const { checkpoint, by } = await witnesses.newest();
      assert.deepEqual([checkpoint.size, by], [size, ["one.example/w"]]);
      assert.equal(cosignaturesOf(checkpoint.note, [VERIFIER])?.length, 1);
    }
    const again = asking(log, [listener.url]);
    assert.deepEqual((await again.witnesses.newest()).by, ["one.example/w"], "what it saw is learnt from its answer");
    assert.deepEqual([...failures, ...again.failures], []);
  });

  it("goes on without one that is silent, wrong, too long or another's, and says so once", async (context) => {
    const answers: [what: string, status: number, body: string, code: string][] = [
      ["refuses", 403, "no\n", "witness-refused"],
      [
        "has another key",
        200,
        cosigner(generateCosigningKey("one.example/w", new Uint8Array(32)).skey).cosign("x\n", 1),
        "witness-refused",
      ],
      ["says nothing", 200, "", "witness-refused"],
      ["answers too much", 200, "x".repeat(MAXIMUM_REQUEST_BYTES * 2), "witness-silent"],
      ["sends elsewhere", 307, "", "witness-silent"],
      ["claims to have seen more", 409, "9\n", "witness-refused"],
      ["claims nonsense", 409, "many\n", "witness-refused"],
    ];
    const log = await openFilled(context, 2);
    for (const [what, status, body, code] of answers) {
      const server = createServer((_, response) => response.writeHead(status, { location: "/elsewhere" }).end(body));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      context.after(() => server.close().closeAllConnections());
      const { port } = server.address() as { port: number };
      const { witnesses, failures } = asking(log, [`http://127.0.0.1:${port}`]);
      await witnesses.checkContinues();
      const { checkpoint, by } = await witnesses.newest();
      await witnesses.newest();
      assert.deepEqual([checkpoint.note, by], [(await log.checkpoint()).note, []], what);
      assert.deepEqual(
        failures.map((failure) => failure.code),
        [code],
        what,
      );
      server.close().closeAllConnections();
      assert.equal((await witnesses.newest()).failures[0]?.code, "witness-silent", what);
    }
  });

  it("signs nothing more on a log of which a witness has seen more, or other", async (context) => {
    const { listener } = await served(context);
    const whole = await openFilled(context, 5);
    await asking(whole, [listener.url]).witnesses.newest();
    const restored = asking(await openFilled(context, 3), [listener.url]).witnesses;
    await assert.rejects(restored.checkContinues(), { code: "log-rolled-back" });
    await assert.rejects(restored.newest(), { code: "log-rolled-back" });
    const other = asking(await openFilled(context, 9), [listener.url]).witnesses;
    await assert.rejects(other.checkContinues(), { code: "log-forked" });
    await whole.append((await import("../support/log.ts")).draft());
    await asking(whole, [listener.url]).witnesses.checkContinues();
  });
});

describe("a witness over HTTP", () => {
  it("gives back what it saw, and nothing else", async (context) => {
    const { witness, listener } = await served(context);
    const log = await openFilled(context, 2);
    const hash = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(ORIGIN))).toString("hex");
    const get = (path: string, init: RequestInit = {}) => fetch(`${listener.url}${path}`, init);
    assert.equal((await get(`/${hash}/checkpoint`)).status, 404);
    const added = await get("/add-checkpoint", { method: "POST", body: await request(log, 0) });
    assert.deepEqual([added.status, added.headers.get("content-type")], [200, "text/plain; charset=utf-8"]);
    const seen = await get(`/${hash}/checkpoint`);
    assert.equal(await seen.text(), `${(await log.checkpoint()).note}${await added.text()}`);
    const stale = await get("/add-checkpoint", { method: "POST", body: await request(log, 1) });
    assert.deepEqual(
      [stale.status, stale.headers.get("content-type"), await stale.text()],
      [409, "text/x.tlog.size", "2\n"],
    );
    for (const [path, method, status] of [
      ["/", "GET", 404],
      ["/add-checkpoint", "GET", 405],
      [`/${hash}/checkpoint`, "POST", 405],
      ["/add-checkpoint?x", "POST", 404],
      [`/${"0".repeat(64)}/checkpoint`, "GET", 404],
    ] as const)
      assert.equal((await get(path, { method })).status, status, `${method} ${path}`);
    const large = await get("/add-checkpoint", { method: "POST", body: "x".repeat(MAXIMUM_REQUEST_BYTES + 1) });
    assert.equal(large.status, 413);
    assert.equal(witness.store.seen(ORIGIN)?.size, 2);
  });
});
