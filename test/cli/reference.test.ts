import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { referenceFiles } from "../../scripts/write-reference.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("the generated reference is what scripts/write-reference.ts would write now", async () => {
  const files = await referenceFiles();
  const stale = [...files].filter(([path, text]) => read(path) !== text).map(([path]) => path);
  assert.deepEqual(stale, [], "run node scripts/write-reference.ts");
});

test("no schema is left over from a file or a report that is gone", async () => {
  const files = await referenceFiles();
  const folder = "docs/reference/schemas";
  const written = readdirSync(join(ROOT, folder)).filter((name) => !name.startsWith("policy-input."));
  assert.deepEqual(
    written.filter((name) => !files.has(`${folder}/${name}`)),
    [],
  );
});

test("the reference says of every key of a configuration file what it means", async () => {
  const page = (await referenceFiles()).get("docs/reference/configuration.md") ?? "";
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  assert.ok(rows.length > 60, `${rows.length} rows`);
  for (const row of rows) {
    const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    assert.equal(cells.length, 6, row);
    assert.notEqual(cells[4], "", row);
  }
});

function read(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch {
    return null;
  }
}
