/** Go's own packages on a log that two replicas wrote into PostgreSQL. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type draft, KEY, openLogOf } from "../support/log.ts";
import { POSTGRES_MISSING, startPostgres } from "../support/postgres.ts";
import { buildReferee, exhibitAt, GO_MISSING, REFEREE_SIZES } from "../support/referee.ts";

const SIZES = [...REFEREE_SIZES, 65_535, 65_536, 65_537];

describe("Go's own sumdb packages, on a log in PostgreSQL", { skip: POSTGRES_MISSING || GO_MISSING }, () => {
  it("accept what two replicas wrote, at sizes around the powers of 256, and refuse a changed byte", async (t) => {
    const referee = buildReferee(t);
    const server = await startPostgres(t);
    const store = await server.createStore();
    const [log, other] = [await openLogOf(store), await openLogOf(store)];
    t.after(() => Promise.all([log.close(), other.close()]));
    const alternating = Object.assign(Object.create(log), {
      appendAll: async (drafts: ReturnType<typeof draft>[]) => {
        const half = Math.floor(drafts.length / 2);
        return [...(await other.appendAll(drafts.slice(0, half))), ...(await log.appendAll(drafts.slice(half)))];
      },
      checkpoint: () => log.checkpoint(),
      inclusionProof: (index: number, size: number) => log.inclusionProof(index, size),
      consistencyProof: (from: number, to: number) => log.consistencyProof(from, to),
      resource: (path: string) => log.resource(path),
    });
    const folders = await exhibitAt(alternating, SIZES, t);
    const accepted = spawnSync(referee, [KEY.vkey, ...folders], { encoding: "utf8" });
    assert.equal(accepted.status, 0, accepted.stderr);
    assert.equal(accepted.stdout.trim().split("\n").length, SIZES.length);
    const last = folders.at(-1) as string;
    for (const file of ["checkpoint", "tile/0/255", "tile/1/000", "tile/2/000.p/1", "tile/entries/002"]) {
      const whole = readFileSync(join(last, file));
      const changed = Buffer.from(whole);
      changed[20] = whole[20] === 65 ? 66 : 65;
      writeFileSync(join(last, file), changed);
      assert.equal(spawnSync(referee, [KEY.vkey, last]).status, 1, `${file} was changed and accepted`);
      writeFileSync(join(last, file), whole);
    }
    assert.equal(spawnSync(referee, [KEY.vkey, last]).status, 0);
  });
});
