import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Commit, commitId } from "../../src/git/object.ts";
import { openPreviewRepository } from "../../src/git/preview.ts";
import { findRepository } from "../../src/git/source.ts";
import { loosePath, preview, swapObject } from "../support/preview.ts";
import { repository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

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
  await assert.rejects(git.range([commitId("f".repeat(40))], head), { code: "object-missing" });
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
  const ids = repo.history(300);
  const [first, last] = [ids[0], ids.at(-1)];
  assert.ok(first !== undefined && last !== undefined);
  const stranger = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [], { message: "stranger" });
  const git = await preview(t, repo.path);
  assert.equal(await git.isAncestor(first, last), true);
  assert.equal(await git.isAncestor(stranger, last), false);
  assert.equal((await git.range([first], last)).length, 299);
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
  await assert.rejects(git.merge(one, other), { code: "unrelated-histories" });
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
  const stranger = repo.commitTree(honestCommit.tree);
  const unrelated = repo.commitTree(honestCommit.tree, [honest, stranger]);
  assert.deepEqual(await git.remerge(await git.commit(unrelated)), { kind: "unrelated" });
  assert.equal(await git.remerge(await git.commit(x)), null);
});

test("a merge with a hostile tree is refused by name before git sees it", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  const main = repo.commit({ files: { a: "2" } });
  const hostile = repo.commitTree(repo.rawTree([{ mode: "100644", name: "..", id: repo.object("blob", "x") }]), [base]);
  const git = await preview(t, repo.path);
  await assert.rejects(git.merge(main, hostile), { code: "path-hostile" });
});

test("a range can be read in parts, which are the same commits in the same order", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  repo.history(2_100);
  const git = await preview(t, repo.path);
  const head = await git.resolve("HEAD");
  const parts: number[] = [];
  const ids: string[] = [];
  for await (const part of git.stream([base], head)) {
    parts.push(part.length);
    ids.push(...part.map((one) => one.id));
  }
  assert.deepEqual(parts, [1_000, 1_000, 100]);
  assert.deepEqual(
    ids,
    (await git.range([base], head)).map((one) => one.id),
  );
  for await (const part of git.stream([head], head)) assert.fail(`${part.length} commits of an empty range`);
});

test("a part that cannot be read is told to whoever reads on, and harms nobody who stopped before it", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  repo.history(1_010);
  const before = repo.commit({ files: { a: "2" } });
  const broken = repo.commit({ files: { a: "3" } });
  const head = repo.commit({ files: { a: "4" } });
  swapObject(repo, broken, before);
  const git = await preview(t, repo.path);
  for await (const part of git.stream([base], head)) {
    assert.equal(part.length, 1_000);
    break;
  }
  const whole = git.stream([base], head)[Symbol.asyncIterator]();
  assert.equal((await whole.next()).value?.length, 1_000);
  await assert.rejects(whole.next(), { code: "object-corrupt" });
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
  await assert.rejects(git.range([base], head), { code: "object-corrupt" });
  await assert.rejects(git.isAncestor(hidden, base), { code: "object-corrupt" });
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
  const walked = await git.range([base], head);
  const listed: Commit[] = [];
  for await (const part of git.stream([base], head)) listed.push(...part);
  for (const commits of [walked, listed])
    assert.deepEqual(
      commits.map((commit) => commit.id),
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

test("the repository is found from a folder inside it", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { "a/b/c": "1" } });
  assert.equal(findRepository(join(repo.path, "a/b")), repo.path);
  assert.equal(findRepository(join(repo.path, ".git/refs")), join(repo.path, ".git"));
  assert.equal(findRepository(tempFolder(t)), null);
});

test("a folder for temporary files that is not there is said, and not taken for a fault of ours", async (t) => {
  const repo = await repository(t);
  repo.commit();
  await assert.rejects(openPreviewRepository({ path: repo.path, scratch: join(repo.path, "nowhere") }), {
    code: "usage",
    fix: "set TMPDIR to a folder that is there and can be written to, or unset it",
  });
});
