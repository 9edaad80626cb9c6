import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blobId, commitId, treeId } from "../../src/git/object.ts";
import { loosePath, preview } from "../support/preview.ts";
import { repository } from "../support/repository.ts";

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
    await assert.rejects(git.resolve(revision), { code: "unknown-revision" }, JSON.stringify(revision.slice(0, 60)));
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
  await assert.rejects(git.resolve("main"), { code: "unknown-revision" });
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
    await assert.rejects(git.resolve(revision), { code: "not-a-commit" });
  await assert.rejects(git.commit(commitId(tree)), { code: "not-a-commit" });
  await assert.rejects(git.commit(commitId("f".repeat(40))), { code: "unknown-revision" });
  await assert.rejects(git.range([], commitId(tree)), { code: "object-malformed" });
  await assert.rejects(git.files(treeId(head)), { code: "object-malformed" });
  await assert.rejects(git.blob(blobId("f".repeat(40))), { code: "object-missing" });
});
