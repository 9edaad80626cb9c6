/** The published table, made and asked: what rows.ts says of Sluice and of the tools that are run is what they say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { signedRaw } from "../../support/signing.ts";
import { judge, openBench } from "./bench.ts";
import { MAKERS } from "./cases.ts";
import { ROWS } from "./rows.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const cleanups: (() => void)[] = [];
after(() => {
  for (const cleanup of cleanups) cleanup();
});
const bench = await openBench({ after: (cleanup) => void cleanups.unshift(cleanup) });

test("the table has the 34 attacks, each with a case, and each maker has its row", () => {
  assert.deepEqual(
    ROWS.map((row) => row.number),
    Array.from({ length: 34 }, (_, index) => index + 1),
  );
  for (const row of ROWS) assert.ok(row.cases.length + (row.elsewhere ?? []).length > 0, `${row.number}`);
  const ids = ROWS.flatMap((row) => row.cases.map((one) => one.id)).sort();
  assert.deepEqual(ids, Object.keys(MAKERS).sort());
});

test("beside each attack stands what at least one other tool says, run or by reading", () => {
  const without = ROWS.filter(({ cases, byReading = [] }) => {
    return byReading.length === 0 && cases.every(({ ran = {} }) => Object.keys(ran).length === 0);
  });
  assert.deepEqual(
    without.map((row) => row.number),
    [],
  );
});

for (const { number, title, cases, elsewhere = [] } of ROWS) {
  describe(`attack ${number}: ${title}`, () => {
    for (const { id, name, verdict, ran = {} } of cases) {
      test(`${name}: ${verdict}`, async () => {
        const found = await MAKERS[id]?.(bench);
        assert.equal(found?.verdict, verdict);
        for (const [tool, opinion] of Object.entries(ran)) {
          const theirs: boolean | undefined = found?.ran?.[tool as keyof typeof ran];
          assert.equal(theirs, opinion === "accepts", `${tool} ${theirs === true ? "accepts" : "rejects"}`);
        }
      });
    }
    for (const { name, file, text } of elsewhere) {
      test(`${name}: held by ${file}`, () => {
        assert.ok(readFileSync(`${ROOT}/${file}`, "utf8").includes(text), text);
      });
    }
  });
}

test("the commits that the attacks start from verify, here and with git", async () => {
  for (const signature of [bench.pgp, bench.ssh]) {
    assert.deepEqual(await judge(bench, signedRaw(signature)), { verdict: "verified", ran: { git: true } });
  }
});
