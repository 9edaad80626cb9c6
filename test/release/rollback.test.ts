import assert from "node:assert/strict";
import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../src/lib/bytes.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { holdDraft } from "../../src/release/holds.ts";
import { openObjectStore } from "../../src/release/object-store.ts";
import { findRelease, readAbandoned, releasedResources, rollbackDraft } from "../../src/release/rollback.ts";
import { tempFolder } from "../support/temp.ts";
import { COMMIT, openWorld, resource, resources, TREE } from "./world.ts";

const WHO = { by: "sam", reason: "errors after 2" };

test("a rollback is a new release with the earlier objects, byte for byte", async (t) => {
  const world = await openWorld(t);
  const given = [...resources(2), resource("Deployment", "web", { spec: { replicas: 2 } })];
  const first = await world.release(given);
  await world.release([...resources(4, "b"), ...given.slice(2)]);
  const found = await findRelease(world.log, "prod", 1);
  assert.deepEqual(found, first);
  const again = await releasedResources(found, world.objects);
  assert.deepEqual(again.map((one) => one.canonical).sort(), given.map((one) => one.canonical).sort());
  const third = (await world.release(again, { rollbackOf: 1, permit: { prune: 40, empty: false } })).release;
  assert.deepEqual([third.sequence, third.rollbackOf, third.objects], [3, 1, first.release.objects]);
});

test("a sequence that was never released, or was released for another target, is unknown", async (t) => {
  const world = await openWorld(t);
  await world.release(resources(1));
  await assert.rejects(findRelease(world.log, "prod", 2), { code: "release-unknown" });
  await assert.rejects(findRelease(world.log, "staging", 1), { code: "release-unknown" });
});

test("objects that the gate lost, or that are not what they were, are not released again", async (t) => {
  const world = await openWorld(t);
  const signed = await world.release(resources(1));
  const objects = await openObjectStore(tempFolder(t));
  await assert.rejects(releasedResources(signed, objects), { code: "object-lost" });
  const named = {
    ...signed,
    release: { ...signed.release, objects: [{ file: "_%4b__n", sha256: resources(1)[0]?.sha256 ?? "" }] },
  };
  await assert.rejects(releasedResources(named, world.objects), { code: "object-lost" });
  for (const text of ["not json", "[]", '{"kind": "K"}', '{"apiVersion":"v1","kind":"K","metadata":{}}']) {
    await objects.put(utf8(text));
    const release = { ...signed.release, objects: [{ file: "_%4b__n", sha256: sha256Hex(text) }] };
    await assert.rejects(releasedResources({ ...signed, release }, objects), { code: "object-lost" });
  }
});

test("the abandoned tip stays abandoned until a person resumes the target", async (t) => {
  const world = await openWorld(t);
  await world.release(resources(1));
  assert.equal(await readAbandoned(world.log, "prod"), null);
  await world.log.append(rollbackDraft({ target: "prod", to: 1, abandoned: COMMIT, ...WHO }, null));
  await world.release(resources(1), { rollbackOf: 1 });
  assert.equal(await readAbandoned(world.log, "prod"), COMMIT);
  assert.equal(await readAbandoned(world.log, "staging"), null);
  await world.log.append(holdDraft("resume", { scope: "prod", ...WHO }, null));
  assert.equal(await readAbandoned(world.log, "prod"), null);
  assert.throws(() => rollbackDraft({ target: "prod", to: 1, abandoned: COMMIT, by: "", reason: "x" }, null), {
    code: "hold-unnamed",
  });
});

test("a rollback that released nothing leaves no tip behind, nor takes back what one before it left", async (t) => {
  const world = await openWorld(t);
  const wish = { target: "prod", to: 1, ...WHO };
  await world.release(resources(1));
  await world.log.append(rollbackDraft({ ...wish, abandoned: COMMIT }, null));
  assert.equal(await readAbandoned(world.log, "prod"), null, "before it is released");
  await world.release(resources(1));
  assert.equal(await readAbandoned(world.log, "prod"), null, "what is released next is no rollback");
  await world.log.append(rollbackDraft({ ...wish, abandoned: COMMIT }, null));
  await world.release(resources(1), { rollbackOf: 1 });
  await world.log.append(rollbackDraft({ ...wish, abandoned: TREE }, null));
  assert.equal(await readAbandoned(world.log, "prod"), COMMIT);
});

test("the gate's objects are kept privately under their digest, and a damaged one is written anew", async (t) => {
  const folder = join(tempFolder(t), "objects");
  const store = await openObjectStore(folder);
  const sha256 = sha256Hex("object");
  await store.put(utf8("object"));
  await store.put(utf8("object"));
  assert.deepEqual(await store.get(sha256), utf8("object"));
  const file = join(folder, sha256.slice(0, 2), sha256);
  assert.deepEqual([statSync(folder).mode & 0o777, statSync(file).mode & 0o777], [0o700, 0o600]);
  chmodSync(file, 0o600);
  writeFileSync(file, "damaged");
  await assert.rejects(store.get(sha256), { code: "object-lost" });
  await store.put(utf8("object"));
  assert.deepEqual(await store.get(sha256), utf8("object"));
  rmSync(file);
  await assert.rejects(store.get(sha256), { code: "object-lost" });
  await assert.rejects(store.get("../../etc/passwd"), { code: "object-lost" });
  assert.deepEqual(readdirSync(folder), [sha256.slice(0, 2)]);
});
