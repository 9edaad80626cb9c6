import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { timeOfUlid, ulid } from "../../src/lib/ulid.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import { noteVerifier } from "../../src/log/note.ts";
import { verifyProof } from "../../src/log/proof.ts";
import { holdDraft } from "../../src/release/holds.ts";
import { openLogView } from "../../src/server/log-view.ts";
import { draft, KEY, logPath, ORIGIN, openTestLog } from "../support/log.ts";
import type { Scope } from "../support/temp.ts";

const READ = { person: "e.kim", route: "GET /v1/decisions", asked: "/v1/decisions?target=prod", target: "prod" };

async function openFilled(scope: Scope): Promise<DecisionLog> {
  const log = await openTestLog(logPath(scope));
  for (const [target, verdict] of [
    ["prod", "deny"],
    ["staging", "allow"],
    ["prod", "allow"],
    ["lab", "deny"],
  ] as const)
    await log.append(draft({ target, verdict }));
  await log.append(holdDraft("hold", { scope: "all", reason: "migration", by: "sam" }, null));
  return log;
}

const NEWEST = { order: "newest", limit: 50 } as const;

describe("what a log answers by itself", () => {
  it("is everything, or the entries of some targets and none of the whole gate, newest first", async (t) => {
    const log = await openFilled(t);
    const view = openLogView(log);
    const found = async (
      targets: readonly string[] | null,
      target?: string,
      limit = 50,
    ): Promise<readonly number[]> => {
      const query = { ...NEWEST, limit, ...(target === undefined ? {} : { target }) };
      const { entries, count } = await view.entries(query, targets);
      return [count, ...entries.map(({ index }) => index)];
    };
    assert.deepEqual(await found(null), [5, 4, 3, 2, 1, 0]);
    assert.deepEqual(await found(["prod", "staging"]), [3, 2, 1, 0]);
    assert.deepEqual(await found(["prod", "staging", "prod"], undefined, 2), [3, 2, 1]);
    assert.deepEqual(await found(["prod", "staging"], "prod"), [2, 2, 0]);
    assert.deepEqual(await found(["staging"], "prod"), [0]);
    assert.deepEqual(await found([]), [0]);
    await log.close();
  });

  it("finds an entry by its index and by its id, and nothing by another's", async (t) => {
    const log = await openFilled(t);
    const view = openLogView(log);
    const entry = await view.entry({ index: 2 });
    assert.equal(entry?.index, 2);
    const id = entry?.leaf.id ?? "";
    assert.equal((await view.entry({ id }))?.index, 2);
    for (const other of [ulid(timeOfUlid(id), new Uint8Array(10)), ulid(0, new Uint8Array(10)), "x", ""])
      assert.equal(await view.entry({ id: other }), null, other);
    assert.equal(await view.entry({ index: 5 }), null);
    await log.close();
  });

  it("proves an entry to whoever knows the log's key", async (t) => {
    const log = await openFilled(t);
    const view = openLogView(log);
    const { bytes } = await log.read(3);
    verifyProof(await view.proof(3), bytes, ORIGIN, [noteVerifier(KEY.vkey)]);
    await assert.rejects(view.proof(5), { code: "entry-unknown" });
    await log.close();
  });

  it("shows holds and tiles", async (t) => {
    const log = await openFilled(t);
    const view = openLogView(log);
    assert.deepEqual(
      (await view.holds()).map(({ scope, by }) => [scope, by]),
      [["all", "sam"]],
    );
    assert.equal((await view.resource("tile/0/000.p/5"))?.byteLength, 160);
    assert.equal(await view.resource("tile/0/000.p/6"), null);
    assert.deepEqual(await view.releases({ targets: null, after: null, limit: 10 }), []);
    await log.close();
  });

  it("logs who read what, before anything else is known of it", async (t) => {
    const log = await openFilled(t);
    await openLogView(log).recordRead(READ);
    const entry = await log.read(5);
    assert.deepEqual([entry.leaf.kind, entry.leaf.target], ["read", "prod"]);
    assert.equal(entry.disclosed["by"]?.value, "e.kim");
    assert.equal(entry.disclosed["asked"]?.value, "/v1/decisions?target=prod");
    const { entries } = await openLogView(log).entries(
      { ...NEWEST, terms: [{ kind: "person", value: "e.kim" }] },
      null,
    );
    assert.deepEqual(
      entries.map(({ index }) => index),
      [5],
    );
    await assert.rejects(openLogView(log).recordRead({ ...READ, person: "" }), { code: "internal" });
    await log.close();
  });
});

describe("the time of a ULID", () => {
  it("is the one that it was made with", () => {
    for (const at of [0, 1, 1_763_683_200_123, 2 ** 48 - 1])
      assert.equal(timeOfUlid(ulid(at, new Uint8Array(10).fill(255))), at);
    assert.ok(Number.isNaN(timeOfUlid("x")));
  });
});
