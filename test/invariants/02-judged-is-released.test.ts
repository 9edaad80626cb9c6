/** Invariant 2: what was judged is what is released: the same bytes, never a second rendering. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { deployment } from "../support/shop.ts";
import { makeWorld, onlyTarget, type World } from "../support/world.ts";

interface Entry {
  readonly entry: { readonly kind: string; readonly leafHash: string };
  readonly disclosed: {
    readonly digests: { readonly manifests: string };
    readonly objects: readonly { sha256: string }[];
  };
}
interface ReleaseFile {
  readonly decision: { readonly index: number; readonly leafHash: string };
  readonly objects: readonly { readonly file: string; readonly sha256: string }[];
}

const WEB = "clusters/prod/web.yaml";
const base = await makeWorld({ after });
/** With one release. */
const released = base.copy({ after });
assert.equal((await released.land({ [WEB]: deployment("web", { replicas: 3 }) })).code, 0);

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const releaseOf = (world: World, sequence: number): ReleaseFile =>
  JSON.parse(world.read(`channel/releases/${sequence}/release.json`).split("\n")[0] ?? "") as ReleaseFile;
const objectOf = (world: World, sequence: number, file: string): Buffer =>
  readFileSync(world.path(`channel/releases/${sequence}/objects/${file}`));

test("the released bytes are those whose digest the logged decision allows", async () => {
  const { decision, objects } = releaseOf(released, 1);
  const { report } = await released.log<Entry>(["show", `${decision.index}`]);
  assert.equal(report.entry.kind, "decision");
  assert.equal(report.entry.leafHash, decision.leafHash);
  const digests = objects.map(({ file }): [string, string] => [file, sha256(objectOf(released, 1, file))]);
  assert.deepEqual(
    digests,
    objects.map(({ file, sha256 }) => [file, sha256]),
  );
  assert.equal(sha256(JSON.stringify(digests)), report.disclosed.digests.manifests);
  assert.deepEqual(
    report.disclosed.objects.map((one) => one.sha256).sort(),
    digests.map(([, digest]) => digest).sort(),
  );
});

test("the released bytes are the canonical form of the landed file, which is what policies saw", () => {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, one]) => [key, sorted(one)]),
    );
  };
  const landed = JSON.parse(released.repo.git(["show", `origin/main:${WEB}`])) as unknown;
  assert.equal(objectOf(released, 1, "apps_%44eployment_apps_web").toString(), JSON.stringify(sorted(landed)));
});

test("the preview, the gate's proposal and the landed decision name the same digest of the same objects", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  world.approve("lin", head);
  const preview = onlyTarget((await world.preview(head)).report).digests.manifests;
  const proposed = onlyTarget((await world.check(head)).report).digests.manifests;
  world.squash(head);
  const landed = (await world.release()).report.landed[0];
  assert.deepEqual([proposed, landed?.check.targets[0]?.digests.manifests], [preview, preview]);
  assert.equal(sha256(JSON.stringify(releaseOf(world, 1).objects.map((one) => [one.file, one.sha256]))), preview);
});

test("a lost channel is filled again with the same bytes when neither the forge nor the gate's copy of it is there", async (t) => {
  const world = released.copy(t);
  const before = releaseOf(world, 1).objects.map(({ file }) => [file, sha256(objectOf(world, 1, file))]);
  for (const gone of ["channel", "data/git", "shop.git"]) rmSync(world.path(gone), { recursive: true });
  assert.equal((await world.signHead()).code, 0);
  assert.deepEqual(
    releaseOf(world, 1).objects.map(({ file }) => [file, sha256(objectOf(world, 1, file))]),
    before,
  );
});

test("an object that was changed in the gate's keeping is never published", async (t) => {
  const world = released.copy(t);
  const [first] = releaseOf(world, 1).objects;
  assert.ok(first !== undefined);
  const kept = world.files("data/objects").find((path) => path.endsWith(first.sha256));
  writeFileSync(world.path(kept ?? ""), "{}");
  rmSync(world.path("channel"), { recursive: true });
  const answer = await world.signHead();
  assert.deepEqual([answer.code, answer.error], [3, "object-lost"]);
  assert.equal(existsSync(world.path(`channel/releases/1/objects/${first.file}`)), false);
  assert.equal(existsSync(world.path("channel/head.json")), false);
});

test("a rollback brings back the released bytes, also when their commit is no longer what it was", async (t) => {
  const world = released.copy(t);
  const first = releaseOf(world, 1).objects.map(({ file }) => [file, sha256(objectOf(world, 1, file))]);
  assert.equal((await world.land({ [WEB]: deployment("web", { replicas: 5 }) })).code, 0);
  assert.notDeepEqual(releaseOf(world, 2).objects, releaseOf(world, 1).objects);
  renameSync(world.path("channel/releases/1"), world.path("moved"));
  const answer = await world.rollback(1);
  assert.equal(answer.code, 0, answer.stderr);
  assert.deepEqual(
    releaseOf(world, 3).objects.map(({ file }) => [file, sha256(objectOf(world, 3, file))]),
    first,
  );
});

test("a restore without the gate's objects is filled from the channel, by the digests of the log and no others", async (t) => {
  const world = released.copy(t);
  const [first] = releaseOf(world, 1).objects;
  assert.ok(first !== undefined);
  rmSync(world.path("data/objects"), { recursive: true });
  assert.equal((await world.signHead()).code, 0);
  const kept = world.files("data/objects").filter((path) => path.endsWith(first.sha256));
  assert.equal(kept.length, 1);
  rmSync(world.path("data/objects"), { recursive: true });
  writeFileSync(world.path(`channel/releases/1/objects/${first.file}`), "{}");
  const answer = await world.signHead();
  assert.deepEqual([answer.code, answer.error], [3, "object-lost"]);
  await world.land({ "clusters/prod/more.yaml": deployment("more", { replicas: 1 }) });
  assert.equal((await world.signHead()).code, 0);
  assert.ok(releaseOf(world, 2).objects.length > 1);
});
