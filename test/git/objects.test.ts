import assert from "node:assert/strict";
import { readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blobId, commitId, treeId } from "../../src/git/object.ts";
import { openPreviewRepository } from "../../src/git/preview.ts";
import { preview, swapObject } from "../support/preview.ts";
import { repository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

test("lists every file in the order of path bytes, links and submodules with their mode", async (t) => {
  const repo = await repository(t);
  repo.commit({
    files: { "a/b/c.yaml": "1", "a.yaml": "2", "a/é.yaml": "3", a0: "4", "😀": "5", "\uffee": "6", run: "7" },
  });
  symlinkSync("/etc/passwd", join(repo.path, "link"));
  repo.git(["add", "."]);
  repo.git(["update-index", "--chmod=+x", "run"]);
  repo.git(["update-index", "--add", "--cacheinfo", `160000,${repo.head()},module`]);
  const tree = treeId(repo.git(["write-tree"]));
  const git = await preview(t, repo.path);
  const files = await git.files(tree);
  const listed = repo.git(["-c", "core.quotePath=false", "ls-tree", "-r", tree]).split("\n");
  assert.deepEqual(
    files.map((file) => `${file.mode} ${file.mode === "160000" ? "commit" : "blob"} ${file.id}\t${file.path}`),
    listed,
  );
  assert.equal(files.find((file) => file.path === "link")?.mode, "120000");
  assert.equal(files.find((file) => file.path === "run")?.mode, "100755");
  assert.equal(await git.files(tree), files);
});

test("refuses hostile trees by name wherever they lie", async (t) => {
  const repo = await repository(t);
  const blob = repo.object("blob", "x");
  const inner = (name: string) => repo.rawTree([{ mode: "100644", name, id: blob }]);
  const nested = repo.rawTree([{ mode: "40000", name: "ok", id: inner("..") }]);
  const double = repo.rawTree([
    { mode: "100644", name: "a", id: blob },
    { mode: "100644", name: "a", id: blob },
  ]);
  const long = Array.from({ length: 20 }).reduce<string>(
    (id) => repo.rawTree([{ mode: "40000", name: "d".repeat(250), id }]),
    inner("f"),
  );
  const git = await preview(t, repo.path);
  for (const tree of [inner(".git"), inner("a\\b"), nested, long])
    await assert.rejects(git.files(treeId(tree)), { code: "path-hostile" });
  await assert.rejects(git.files(treeId(double)), { code: "object-malformed" });
});

test("refuses trees that unfold to too many entries or too deep", async (t) => {
  const repo = await repository(t);
  const folders = (id: string, count: number) =>
    repo.rawTree(Array.from({ length: count }, (_, index) => ({ mode: "40000", name: `d${index}`, id })));
  let bomb = repo.object("tree", "");
  for (let level = 0; level < 8; level += 1) bomb = folders(bomb, 10);
  let deep = repo.object("tree", "");
  for (let level = 0; level < 102; level += 1) deep = folders(deep, 1);
  const git = await preview(t, repo.path);
  await assert.rejects(git.files(treeId(bomb)), { code: "too-many-files" });
  await assert.rejects(git.files(treeId(deep)), { code: "too-many-files" });
});

test("blobs come in the order asked, many and repeated ones too", async (t) => {
  const repo = await repository(t);
  const files = Object.fromEntries(
    Array.from({ length: 1_200 }, (_, index) => [`f${index}`, `content ${index}\n`.repeat(index % 40)]),
  );
  const head = repo.commit({ files });
  const git = await preview(t, repo.path);
  const listed = await git.files((await git.commit(head)).tree);
  const wanted = [...listed.toReversed(), ...listed.slice(0, 10)];
  const bodies = await git.blobs(wanted.map((file) => file.id));
  for (const [index, file] of wanted.entries())
    assert.equal(Buffer.from(bodies[index] ?? []).toString(), files[file.path]);
  const both = await Promise.all([
    git.blobs(wanted.slice(0, 50).map((file) => file.id)),
    git.blob(blobId(listed[7]?.id ?? "")),
  ]);
  assert.equal(both[0].length, 50);
  assert.equal(Buffer.from(both[1]).toString(), files[listed[7]?.path ?? ""]);
});

test("refuses a file over 32 MiB and a commit over 1 MiB without reading them", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { big: Buffer.alloc(32 * 1024 * 1024 + 1), small: "x" } });
  const large = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [], { message: "m" });
  const huge = repo.object("commit", `${repo.git(["cat-file", "commit", large])}\n${"x".repeat(1024 * 1024)}`);
  const git = await preview(t, repo.path);
  const [big, small] = await git.files((await git.commit(head)).tree);
  assert.ok(big !== undefined && small !== undefined);
  await assert.rejects(git.blob(big.id), { code: "object-too-large" });
  await assert.rejects(git.commit(commitId(huge)), { code: "object-too-large" });
  assert.equal(Buffer.from(await git.blob(small.id)).toString(), "x");
});

test("an object swapped on disk is corrupt: blob, tree, commit and tag", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { "d/a": "runAsRoot: no", "e/b": "runAsRoot: yes" } });
  const other = repo.commit({ message: "other" });
  repo.git(["tag", "-a", "-m", "1", "t1", head]);
  repo.git(["tag", "-a", "-m", "2", "t2", head]);
  const id = (revision: string) => repo.git(["rev-parse", revision]);
  const ids = { blob: id(`${head}:d/a`), tree: id(`${head}:d`), root: id(`${head}^{tree}`) };
  const impostors = { blob: id(`${head}:e/b`), tree: id(`${head}:e`), tag2: id("t2") };
  swapObject(repo, ids.blob, impostors.blob);
  swapObject(repo, ids.tree, impostors.tree);
  swapObject(repo, id("t1"), impostors.tag2);
  swapObject(repo, head, other);
  const git = await preview(t, repo.path);
  await assert.rejects(git.blob(blobId(ids.blob)), { code: "object-corrupt" });
  await assert.rejects(git.files(treeId(ids.root)), { code: "object-corrupt" });
  await assert.rejects(git.resolve("t1"), { code: "object-corrupt" });
  await assert.rejects(git.commit(head), { code: "object-corrupt" });
});

test("what strangers wrote is read in one go: whatever is no small blob, or another than its id says, is null", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "first", b: "second" } });
  const id = (name: string) => repo.git(["rev-parse", `${head}:${name}`]);
  const [good, swapped] = [id("a"), id("b")];
  swapObject(repo, swapped, good);
  const large = repo.object("blob", "x".repeat(11));
  const git = await preview(t, repo.path);
  const text = (body: Uint8Array | null) => body && Buffer.from(body).toString();
  const asked = [good, head, swapped, large, "f".repeat(40), good];
  const all = await git.smallBlobs(asked, { each: 10, together: 20 });
  assert.deepEqual(all.map(text), ["first", null, null, null, null, "first"]);
  assert.deepEqual((await git.smallBlobs(asked, { each: 10, together: 9 })).map(text), ["first", null]);
  assert.deepEqual(await git.smallBlobs([], { each: 10, together: 9 }), []);
});

test("cat-file that is killed is started again once, then it is git-failed", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  const next = repo.commit({ files: { a: "2" } });
  const git = await preview(t, repo.path);
  const first = git.readerPid;
  assert.ok(first !== null);
  process.kill(first, "SIGKILL");
  assert.equal((await git.commit(head)).id, head);
  const second = git.readerPid;
  assert.ok(second !== null && second !== first);
  process.kill(second, "SIGKILL");
  await assert.rejects(git.commit(next), { code: "git-failed" });
  await assert.rejects(git.resolve("HEAD"), { code: "git-failed" });
});

for (const delayMs of [0, 5, 20]) {
  test(`cat-file that is killed ${delayMs} ms into a question loses nothing`, async (t) => {
    const repo = await repository(t);
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`f${index}`, Buffer.alloc(1 << 20, index)]),
    );
    const head = repo.commit({ files });
    const git = await preview(t, repo.path);
    const listed = await git.files((await git.commit(head)).tree);
    const reading = git.blobs(listed.map((file) => file.id));
    const pid = git.readerPid ?? assert.fail("nobody reads");
    let timer: NodeJS.Timeout | undefined;
    if (delayMs === 0) process.kill(pid, "SIGKILL");
    else timer = setTimeout(() => process.kill(pid, "SIGKILL"), delayMs);
    const bodies = await reading;
    clearTimeout(timer); // a fast machine is done by then: a later kill would meet nobody, or a stranger
    for (const [index, file] of listed.entries()) assert.equal(bodies[index]?.[0], Number(file.path.slice(1)));
  });
}

test("close ends the reader and removes everything it made", async (t) => {
  const repo = await repository(t);
  repo.commit();
  const scratch = tempFolder(t);
  const git = await openPreviewRepository({ path: repo.path, scratch });
  const pid = git.readerPid;
  assert.equal(readdirSync(scratch).length, 1);
  await git.close();
  assert.deepEqual(readdirSync(scratch), []);
  assert.throws(() => process.kill(pid ?? 0, 0));
  await assert.rejects(git.resolve("HEAD"), { code: "git-failed" });
});
