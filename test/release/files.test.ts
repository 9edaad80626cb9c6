import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../src/lib/bytes.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import type { AppliedRecord, VerifiedObject } from "../../src/release/applier.ts";
import { openFilesApplier } from "../../src/release/appliers/files.ts";
import { objectFile } from "../../src/release/object-file.ts";
import { tempFolder } from "../support/temp.ts";

function objectsOf(count: number, content: string): readonly VerifiedObject[] {
  return Array.from({ length: count }, (_, at) => {
    const file = objectFile({ group: "", kind: "ConfigMap", namespace: "", name: `n${at}` });
    return { file, sha256: sha256Hex(content), bytes: utf8(content) };
  });
}

function recordOf(sequence: number, objects: readonly VerifiedObject[]): AppliedRecord {
  const plain = objects.map(({ file, sha256 }) => ({ file, sha256 }));
  const manifestDigest = sha256Hex(`${sequence}`);
  return { v: 1, target: "prod", sequence, manifestDigest, minimumSequence: 1, objects: plain };
}

/** What a reader of the folder sees: the content of every object that it can open. */
function seen(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name !== ".sluice");
  return names.filter((name) => existsSync(join(folder, name))).map((name) => readFileSync(join(folder, name), "utf8"));
}

/** Applies `new` over `folder` in a process of its own that is killed while it writes object `at`. */
function applyAndDie(folder: string, at: number): NodeJS.Signals | null {
  const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).pathname);
  const script = `
    import { openFilesApplier } from ${from("../../src/release/appliers/files.ts")};
    const given = JSON.parse(process.argv[2]);
    const objects = given.record.objects.map((object, index) => ({
      ...object,
      get bytes() {
        if (index === ${at}) process.kill(process.pid, "SIGKILL");
        return Buffer.from("new");
      },
    }));
    await (await openFilesApplier(given.folder)).apply(given.record, objects);
  `;
  const given = JSON.stringify({ folder, record: recordOf(2, objectsOf(6, "new")) });
  return spawnSync(process.execPath, ["--input-type=module-typescript", "--eval", script, "--", "-", given]).signal;
}

test("killed between writing and switching, the old release stands whole; the next run completes the new one", async (t) => {
  for (const at of [0, 5]) {
    const folder = tempFolder(t);
    const applier = await openFilesApplier(folder);
    await applier.apply(recordOf(1, objectsOf(5, "old")), objectsOf(5, "old"));
    assert.equal(applyAndDie(folder, at), "SIGKILL");
    assert.equal(readdirSync(join(folder, ".sluice")).length, 3, "the new version is half there");
    assert.deepEqual(seen(folder), Array(5).fill("old"));
    assert.deepEqual((await applier.inspect()).drift, []);
    await applier.apply(recordOf(2, objectsOf(6, "new")), objectsOf(6, "new"));
    assert.deepEqual(seen(folder), Array(6).fill("new"));
    assert.equal(readdirSync(join(folder, ".sluice")).length, 2);
  }
});

test("stopped after the switch, before links were made and removed: applying again completes it", async (t) => {
  const folder = tempFolder(t);
  const applier = await openFilesApplier(folder);
  const [old, next] = [objectsOf(5, "old"), [...objectsOf(6, "new").slice(2)]];
  await applier.apply(recordOf(1, old), old);
  const links = tempFolder(t);
  cpSync(folder, links, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.includes(".sluice") });
  await applier.apply(recordOf(2, next), next);
  for (const name of readdirSync(folder)) if (name !== ".sluice") rmSync(join(folder, name));
  cpSync(links, folder, { recursive: true, verbatimSymlinks: true });
  assert.deepEqual(seen(folder), Array(3).fill("new"), "never a mix: what is still linked is new or gone");
  await applier.apply(recordOf(2, next), next);
  assert.deepEqual(seen(folder), Array(4).fill("new"));
  assert.equal(readdirSync(folder).length, 5, "the links of pruned objects are gone");
  assert.deepEqual((await applier.inspect()).drift, []);
});

test("applying what stands already writes nothing; what was damaged is staged anew beside it", async (t) => {
  const folder = tempFolder(t);
  const applier = await openFilesApplier(folder);
  const objects = objectsOf(2, "a");
  const current = (): string => readlinkSync(join(folder, ".sluice/current"));
  await applier.apply(recordOf(1, objects), objects);
  const version = current();
  await applier.apply(recordOf(1, objects), objects);
  assert.equal(current(), version);
  for (const expected of [`${version}-again`, version]) {
    rmSync(join(folder, ".sluice/current/objects", objects[0]?.file ?? ""));
    await applier.apply(recordOf(1, objects), objects);
    assert.equal(current(), expected);
    assert.deepEqual((await applier.inspect()).drift, []);
  }
});

test("a stray file beside the objects is not taken for a part of the release", async (t) => {
  const folder = tempFolder(t);
  const applier = await openFilesApplier(folder);
  const objects = objectsOf(2, "a");
  await applier.apply(recordOf(1, objects), objects);
  writeFileSync(join(folder, ".sluice/current/objects/stray"), "x");
  assert.deepEqual((await applier.inspect()).drift, [{ file: "stray", how: "added" }]);
  await applier.apply(recordOf(1, objects), objects);
  assert.deepEqual((await applier.inspect()).drift, []);
});

test("a current version that points elsewhere is refused", async (t) => {
  const folder = tempFolder(t);
  const applier = await openFilesApplier(folder);
  const objects = objectsOf(1, "a");
  await applier.apply(recordOf(1, objects), objects);
  rmSync(join(folder, ".sluice/current"));
  symlinkSync("../..", join(folder, ".sluice/current"));
  await assert.rejects(applier.inspect(), { code: "apply-blocked" });
  await assert.rejects(applier.apply(recordOf(2, objects), objects), { code: "apply-blocked" });
});

test("an empty release removes the last object and nothing else", async (t) => {
  const folder = tempFolder(t);
  const applier = await openFilesApplier(folder);
  await applier.apply(recordOf(1, objectsOf(2, "a")), objectsOf(2, "a"));
  await applier.apply(recordOf(2, []), []);
  assert.deepEqual(readdirSync(folder), [".sluice"]);
});
