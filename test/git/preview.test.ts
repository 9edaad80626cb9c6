import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { blobId, commitId, treeId } from "../../src/git/object.ts";
import { openPreviewRepository, type PreviewRepository } from "../../src/git/preview.ts";
import { findRepository } from "../../src/git/source.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

async function preview(t: TestContext, path: string): Promise<PreviewRepository> {
  const opened = await openPreviewRepository({ path, scratch: tempFolder(t) });
  t.after(() => opened.close());
  return opened;
}

function code(name: string): { code: string } {
  return { code: name };
}

function loosePath(repo: TestRepository, id: string): string {
  return join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2));
}

/** Puts the file of one loose object in the place of another's, as somebody with the disk in hand would. */
function swapObject(repo: TestRepository, victim: string, impostor: string): void {
  rmSync(loosePath(repo, victim));
  copyFileSync(loosePath(repo, impostor), loosePath(repo, victim));
}

test("resolves branches, remote branches, tags, HEAD, whole and short ids, and steps back from them", async (t) => {
  const repo = await repository(t);
  const first = repo.commit({ files: { a: "1" } });
  const second = repo.commit({ files: { a: "2" } });
  repo.git(["tag", "light", first]);
  repo.git(["tag", "-a", "-m", "note", "heavy", first]);
  repo.git(["tag", "-a", "-m", "note", "heavier", "heavy"]);
  repo.git(["update-ref", "refs/remotes/origin/main", first]);
  repo.branch("feature/one");
  const third = repo.commit({ files: { b: "3" } });
  repo.checkout("main");
  const merged = repo.merge("feature/one", { message: "merge" });
  const git = await preview(t, repo.path);
  const expected: Record<string, string> = {
    main: merged,
    "feature/one": third,
    "origin/main": first,
    "refs/remotes/origin/main": first,
    light: first,
    heavy: first,
    heavier: first,
    "refs/tags/heavier": first,
    HEAD: merged,
    "@": merged,
    [second]: second,
    [second.slice(0, 7)]: second,
    [second.slice(0, 20)]: second,
    "HEAD~": second,
    "HEAD^": second,
    "HEAD^2": third,
    "main^2~2": first,
    "HEAD~2": first,
    "HEAD^0": merged,
    "HEAD~0": merged,
  };
  for (const [revision, id] of Object.entries(expected)) {
    assert.equal(await git.resolve(revision), id, revision);
    assert.equal(repo.git(["rev-parse", `${revision}^{commit}`]), id, `git agrees on ${revision}`);
  }
});

test("what names nothing is an unknown revision, options and other grammars too", async (t) => {
  const repo = await repository(t);
  const head = repo.commit();
  const git = await preview(t, repo.path);
  const revisions = [
    "",
    "nope",
    "--help",
    "-n1",
    "--output=/tmp/x",
    "HEAD~9",
    "HEAD^2",
    "HEAD^{commit}",
    "HEAD@{1}",
    ":/commit",
    "main..main",
    "HEAD:a",
    head.slice(0, 6),
    head.toUpperCase(),
    "f".repeat(40),
    "fffffff",
    "refs/heads/../heads/main",
    "../../etc/passwd",
    "refs/heads/nope",
    "HEAD\nHEAD",
    "a\0b",
    "refs/heads/main.lock",
    "x".repeat(5000),
    `HEAD${"~999999".repeat(3)}`,
    "ORIG_HEAD",
    "config",
  ];
  for (const revision of revisions) {
    await assert.rejects(git.resolve(revision), code("unknown-revision"), JSON.stringify(revision.slice(0, 60)));
  }
});

test("a tag and a branch of one name are refused unless they agree", async (t) => {
  const repo = await repository(t);
  const first = repo.commit();
  repo.git(["tag", "same", first]);
  repo.git(["branch", "same", first]);
  repo.git(["tag", "main", first]);
  repo.commit();
  const git = await preview(t, repo.path);
  assert.equal(await git.resolve("same"), first);
  await assert.rejects(git.resolve("main"), code("unknown-revision"));
});

test("a beginning that several ids share is an unknown revision", async (t) => {
  const repo = await repository(t);
  repo.commit();
  const git = await preview(t, repo.path);
  const folder = join(repo.path, ".git/objects/ab");
  mkdirSync(folder);
  for (const rest of ["cdef0".padEnd(38, "1"), "cdef0".padEnd(38, "2")])
    copyFileSync(loosePath(repo, await git.resolve("HEAD")), join(folder, rest));
  await assert.rejects(git.resolve("abcdef0"), /several ids/);
});

test("a tree or a blob is not a commit", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  const tree = repo.git(["rev-parse", "HEAD^{tree}"]);
  const blob = repo.git(["rev-parse", "HEAD:a"]);
  repo.git(["tag", "-a", "-m", "x", "tree-tag", tree]);
  const git = await preview(t, repo.path);
  for (const revision of [tree, blob, "tree-tag", `${tree}~1`])
    await assert.rejects(git.resolve(revision), code("not-a-commit"));
  await assert.rejects(git.commit(commitId(tree)), code("not-a-commit"));
  await assert.rejects(git.commit(commitId("f".repeat(40))), code("unknown-revision"));
  await assert.rejects(git.range([], commitId(tree)), code("object-malformed"));
  await assert.rejects(git.files(treeId(head)), code("object-malformed"));
  await assert.rejects(git.blob(blobId("f".repeat(40))), code("object-missing"));
});

test("a range is what git lists, parents first, and reads every commit raw", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  repo.branch("side");
  const side = repo.commit({ files: { b: "1" } });
  repo.checkout("main");
  const onMain = repo.commit({ files: { a: "2" } });
  repo.checkout("side");
  const merge = repo.merge("main");
  const head = repo.commit({ files: { c: "1" }, message: "last\n\nbody" });
  const git = await preview(t, repo.path);
  const range = await git.range([base], head);
  const listed = repo.git(["rev-list", "--topo-order", "--reverse", `^${base}`, head]).split("\n");
  assert.deepEqual(
    range.map((commit) => commit.id),
    listed,
  );
  assert.deepEqual(new Set(listed), new Set([side, onMain, merge, head]));
  assert.deepEqual((await git.range([onMain], head)).map((commit) => commit.id).sort(), [side, merge, head].sort());
  assert.deepEqual(await git.range([head], head), []);
  assert.deepEqual(await git.range([head], base), []);
  assert.equal((await git.range([], head)).length, 5);
  assert.equal(Buffer.from(range.at(-1)?.raw ?? []).toString(), `${repo.git(["cat-file", "commit", head])}\n`);
  await assert.rejects(git.range([commitId("f".repeat(40))], head), code("object-missing"));
});

test("first parents and ancestors agree with git", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  repo.branch("side");
  const side = repo.commit({ files: { b: "1" } });
  repo.checkout("main");
  const onMain = repo.commit({ files: { a: "2" } });
  const merge = repo.merge("side");
  const git = await preview(t, repo.path);
  assert.deepEqual(await git.firstParents(base, merge), [onMain, merge]);
  assert.deepEqual(await git.firstParents(merge, merge), []);
  assert.equal(await git.firstParents(side, merge), null);
  assert.equal(await git.isAncestor(side, merge), true);
  assert.equal(await git.isAncestor(merge, merge), true);
  assert.equal(await git.isAncestor(merge, side), false);
  assert.equal(await git.isAncestor(side, onMain), false);
});

test("an ancestor question on a long history is answered both ways", async (t) => {
  const repo = await repository(t);
  const ids = repo.history(2_300);
  const [first, last] = [ids[0], ids.at(-1)];
  assert.ok(first !== undefined && last !== undefined);
  const stranger = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [], { message: "stranger" });
  const git = await preview(t, repo.path);
  assert.equal(await git.isAncestor(first, last), true);
  assert.equal(await git.isAncestor(stranger, last), false);
  assert.equal((await git.range([first], last)).length, 2_299);
});

test("a merge fast-forwards to the head's tree, merges, or names the paths in conflict", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1\n", b: "1\n" } });
  repo.branch("left");
  const left = repo.commit({ files: { a: "left\n" } });
  repo.git(["checkout", "-q", "-b", "right", base]);
  const right = repo.commit({ files: { b: "right\n" } });
  repo.git(["checkout", "-q", "-b", "clash", base]);
  const clash = repo.commit({ files: { a: "clash\n", b: "clash\n", "größe 1.yaml": "x" } });
  const git = await preview(t, repo.path);
  assert.deepEqual(await git.merge(base, left), { kind: "merged", tree: (await git.commit(left)).tree });
  const merged = await git.merge(left, right);
  assert.equal(merged.kind, "merged");
  repo.checkout("left");
  const real = await git.commit(repo.merge("right"));
  assert.deepEqual(merged, { kind: "merged", tree: real.tree });
  assert.deepEqual(await git.merge(left, clash), { kind: "conflict", paths: ["a"] });
  assert.deepEqual(await git.merge(real.id, clash), { kind: "conflict", paths: ["a", "b"] });
  assert.deepEqual(await git.merge(left, base), { kind: "merged", tree: (await git.commit(left)).tree });
});

test("a merge result that exists nowhere else can be listed and read, and nothing is written to the source", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { "a/x": "1\n2\n3\n4\n5\n6\n7\n8\n" } });
  repo.branch("side");
  const side = repo.commit({ files: { "a/x": "one\n2\n3\n4\n5\n6\n7\n8\n" } });
  repo.checkout("main");
  const main = repo.commit({ files: { "a/x": "1\n2\n3\n4\n5\n6\n7\neight\n" } });
  const before = repo.git(["count-objects"]);
  const git = await preview(t, repo.path);
  const merged = await git.merge(main, side);
  assert.ok(merged.kind === "merged");
  const [file] = await git.files(merged.tree);
  assert.ok(file !== undefined);
  assert.equal(Buffer.from(await git.blob(file.id)).toString(), "one\n2\n3\n4\n5\n6\n7\neight\n");
  assert.equal(repo.git(["count-objects"]), before);
  assert.throws(() => repo.git(["cat-file", "-e", file.id]));
  assert.ok(base);
});

test("commits without a common ancestor cannot be merged", async (t) => {
  const repo = await repository(t);
  const one = repo.commit({ files: { a: "1" } });
  const other = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [], { message: "other" });
  const git = await preview(t, repo.path);
  await assert.rejects(git.merge(one, other), code("unrelated-histories"));
});

test("attributes in the tree change no merge: a union that they ask for is a conflict", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { ".gitattributes": "* merge=union\n", a: "1\n" } });
  repo.branch("side");
  const side = repo.commit({ files: { a: "side\n" } });
  repo.checkout("main");
  const main = repo.commit({ files: { a: "main\n" } });
  const git = await preview(t, repo.path);
  assert.deepEqual(await git.merge(main, side), { kind: "conflict", paths: ["a"] });
  repo.merge("side"); // git in the repository itself does honour the attribute
  assert.equal(repo.read("a"), "main\nside\n");
});

test("remerging shows an evil merge, and there is none for one or three parents", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1\n" } });
  repo.branch("x");
  const x = repo.commit({ files: { x: "1" } });
  repo.git(["checkout", "-q", "-b", "y", "main"]);
  const y = repo.commit({ files: { y: "1" } });
  repo.checkout("main");
  repo.commit({ files: { a: "2\n" } });
  const honest = repo.merge("x");
  const octopus = repo.merge(["y", repo.commitTree(repo.git(["rev-parse", "x^{tree}"]), [x], { message: "z" })]);
  repo.write({ evil: "privileged: true" });
  repo.git(["add", "."]);
  const evil = repo.commitTree(repo.git(["write-tree"]), [honest, y], { message: "evil" });
  const git = await preview(t, repo.path);
  const honestCommit = await git.commit(honest);
  assert.deepEqual(await git.remerge(honestCommit), { kind: "merged", tree: honestCommit.tree });
  const evilCommit = await git.commit(evil);
  const again = await git.remerge(evilCommit);
  assert.ok(again?.kind === "merged" && again.tree !== evilCommit.tree);
  assert.equal((await git.commit(octopus)).parents.length, 3);
  assert.equal(await git.remerge(await git.commit(octopus)), null);
  assert.equal(await git.remerge(await git.commit(x)), null);
});

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
    await assert.rejects(git.files(treeId(tree)), code("path-hostile"));
  await assert.rejects(git.files(treeId(double)), code("object-malformed"));
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
  await assert.rejects(git.files(treeId(bomb)), code("too-many-files"));
  await assert.rejects(git.files(treeId(deep)), code("too-many-files"));
});

test("a merge with a hostile tree is refused by name before git sees it", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  const main = repo.commit({ files: { a: "2" } });
  const hostile = repo.commitTree(repo.rawTree([{ mode: "100644", name: "..", id: repo.object("blob", "x") }]), [base]);
  const git = await preview(t, repo.path);
  await assert.rejects(git.merge(main, hostile), code("path-hostile"));
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
  await assert.rejects(git.blob(big.id), code("object-too-large"));
  await assert.rejects(git.commit(commitId(huge)), code("object-too-large"));
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
  await assert.rejects(git.blob(blobId(ids.blob)), code("object-corrupt"));
  await assert.rejects(git.files(treeId(ids.root)), code("object-corrupt"));
  await assert.rejects(git.resolve("t1"), code("object-corrupt"));
  await assert.rejects(git.commit(head), code("object-corrupt"));
});

test("a doctored ancestor of the base cannot hide commits from the range", async (t) => {
  const repo = await repository(t);
  const root = repo.commit({ files: { a: "1" } });
  const middle = repo.commit({ files: { a: "2" } });
  const base = repo.commit({ files: { a: "3" } });
  repo.git(["checkout", "-q", "-b", "evil", root]);
  const hidden = repo.commit({ files: { evil: "1" } });
  const head = repo.commit({ files: { evil: "2" } });
  const tree = repo.git(["rev-parse", `${middle}^{tree}`]);
  swapObject(repo, middle, repo.commitTree(tree, [root, hidden], { message: "claims to contain it" }));
  assert.equal(repo.git(["rev-list", head, `^${base}`]), head, "git itself is fooled");
  const git = await preview(t, repo.path);
  await assert.rejects(git.range([base], head), code("object-corrupt"));
  await assert.rejects(git.isAncestor(hidden, base), code("object-corrupt"));
});

test("a commit-graph file that lies about parents is not believed", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  const middle = repo.commit({ files: { a: "2" } });
  const head = repo.commit({ files: { a: "3" } });
  const honest = readFileSync(loosePath(repo, head));
  swapObject(repo, head, repo.commitTree(repo.git(["rev-parse", `${head}^{tree}`]), [base], { message: "skips one" }));
  repo.git(["commit-graph", "write", "--reachable"]);
  rmSync(loosePath(repo, head));
  writeFileSync(loosePath(repo, head), honest);
  assert.equal(repo.git(["rev-list", head, `^${base}`]), head, "git itself is fooled");
  const git = await preview(t, repo.path);
  const range = await git.range([base], head);
  assert.deepEqual(
    range.map((commit) => commit.id),
    [middle, head],
  );
});

test("replace references and grafts are ignored", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  const middle = repo.commit({ files: { a: "2" } });
  const head = repo.commit({ files: { a: "3" } });
  const fake = repo.commitTree(repo.git(["rev-parse", `${base}^{tree}`]), [base], { message: "fake" });
  repo.git(["replace", head, fake]);
  writeFileSync(join(repo.path, ".git/info/grafts"), `${middle}\n`);
  assert.equal(repo.git(["rev-list", "--count", head]), "2", "git itself follows the replacement");
  const git = await preview(t, repo.path);
  assert.deepEqual(
    (await git.range([], head)).map((commit) => commit.id),
    [base, middle, head],
  );
  assert.deepEqual((await git.commit(head)).parents, [middle]);
});

test("reads a repository whose ids are SHA-256", async (t) => {
  const repo = await repository(t, { objectFormat: "sha256" });
  const base = repo.commit({ files: { a: "1" } });
  repo.branch("side");
  const side = repo.commit({ files: { b: "1" } });
  repo.checkout("main");
  const main = repo.commit({ files: { a: "2" } });
  const git = await preview(t, repo.path);
  assert.equal(git.objectFormat, "sha256");
  assert.equal(await git.resolve("main"), main);
  assert.deepEqual(
    (await git.range([base], side)).map((commit) => commit.id),
    [side],
  );
  const merged = await git.merge(main, side);
  assert.ok(merged.kind === "merged");
  assert.deepEqual(
    (await git.files(merged.tree)).map((file) => file.path),
    ["a", "b"],
  );
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
  await assert.rejects(git.commit(next), code("git-failed"));
  await assert.rejects(git.resolve("HEAD"), code("git-failed"));
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
    const pid = git.readerPid ?? 0;
    if (delayMs === 0) process.kill(pid, "SIGKILL");
    else setTimeout(() => process.kill(pid, "SIGKILL"), delayMs);
    const bodies = await reading;
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
  await assert.rejects(git.resolve("HEAD"), code("git-failed"));
});

test("the repository is found from a folder inside it", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { "a/b/c": "1" } });
  assert.equal(findRepository(join(repo.path, "a/b")), repo.path);
  assert.equal(findRepository(join(repo.path, ".git/refs")), join(repo.path, ".git"));
  assert.equal(findRepository(tempFolder(t)), null);
});
