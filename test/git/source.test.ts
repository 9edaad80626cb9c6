import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { originName, readObjectFormat } from "../../src/git/source-config.ts";
import { isRefName } from "../../src/git/source-refs.ts";
import { preview } from "../support/preview.ts";
import { repository, runGit, TestRepository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

async function refused(t: TestContext, path: string, code: string): Promise<void> {
  await assert.rejects(preview(t, path), { code });
}

test("a folder, a file and nothing at all are not repositories", async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, "file"), "x");
  for (const path of [folder, join(folder, "file"), join(folder, "nowhere"), `${folder}/a\0b`])
    await refused(t, path, "not-a-repository");
});

test("a shallow clone is refused", async (t) => {
  const repo = await repository(t);
  repo.history(3);
  const clone = join(tempFolder(t), "clone");
  repo.git(["clone", "--quiet", "--depth=1", `file://${repo.path}`, clone]);
  await refused(t, clone, "shallow-clone");
  runGit(clone, ["fetch", "--quiet", "--unshallow"]);
  assert.equal((await (await preview(t, clone)).range([], repo.head())).length, 3);
});

test("an empty repository opens, and HEAD says that its branch has no commit", async (t) => {
  const repo = await repository(t, { branch: "trunk" });
  const git = await preview(t, repo.path);
  assert.equal(await git.source.headBranch(), "refs/heads/trunk");
  assert.equal(await git.source.read("HEAD"), null);
  assert.deepEqual(await git.refs("refs/", 10), []);
  await assert.rejects(git.resolve("HEAD"), /no commit yet/);
  await assert.rejects(git.resolve("trunk"), { code: "unknown-revision" });
});

test("an orphan branch is unborn while others resolve", async (t) => {
  const repo = await repository(t);
  const head = repo.commit();
  repo.git(["checkout", "-q", "--orphan", "fresh"]);
  const git = await preview(t, repo.path);
  await assert.rejects(git.resolve("HEAD"), { code: "unknown-revision" });
  assert.equal(await git.resolve("main"), head);
});

test("reads a bare repository, a linked worktree and a moved git folder", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  const folder = tempFolder(t);
  repo.git(["clone", "--quiet", "--bare", repo.path, join(folder, "bare.git")]);
  assert.equal(await (await preview(t, join(folder, "bare.git"))).resolve("main"), head);

  repo.git(["worktree", "add", "-q", "-b", "linked", join(folder, "linked")]);
  const linked = new TestRepository(join(folder, "linked"));
  const next = linked.commit({ files: { b: "1" } });
  const git = await preview(t, linked.path);
  assert.equal(await git.resolve("HEAD"), next);
  assert.equal(await git.source.headBranch(), "refs/heads/linked");
  assert.equal(await git.resolve("main"), head);

  renameSync(join(repo.path, ".git"), join(folder, "moved"));
  writeFileSync(join(repo.path, ".git"), `gitdir: ${join(folder, "moved")}\n`);
  assert.equal(await (await preview(t, repo.path)).resolve("HEAD"), head);
});

test("a .git file that points nowhere, to itself or says something else is no repository", async (t) => {
  const folder = tempFolder(t);
  const contents = [
    "gitdir: nowhere\n",
    "gitdir: .\n",
    "gitdir: .git\n",
    "nonsense\n",
    "",
    "gitdir: \n",
    "gitdir: a\nb\n",
    `gitdir: ${"x/".repeat(1500)}`,
  ];
  for (const text of contents) {
    writeFileSync(join(folder, ".git"), text);
    await refused(t, folder, "not-a-repository");
  }
});

test("reads packed references, loose ones before them, and symbolic ones", async (t) => {
  const repo = await repository(t);
  const first = repo.commit();
  repo.git(["tag", "-a", "-m", "x", "v1"]);
  repo.git(["branch", "old"]);
  repo.git(["pack-refs", "--all"]);
  const second = repo.commit();
  repo.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/old"]);
  const git = await preview(t, repo.path);
  assert.equal(await git.resolve("main"), second);
  assert.equal(await git.resolve("old"), first);
  assert.equal(await git.resolve("v1"), first);
  assert.equal(await git.resolve("origin/HEAD"), first);
  const listed = repo.git(["for-each-ref", "--format=%(refname) %(objectname)"]).split("\n");
  assert.deepEqual(
    (await git.refs("refs/", 10)).map((ref) => `${ref.name} ${ref.id}`),
    listed,
  );
  assert.deepEqual(
    (await git.refs("refs/heads/", 10)).map((ref) => ref.name),
    ["refs/heads/main", "refs/heads/old"],
  );
  await assert.rejects(git.refs("refs/heads/", 1), { code: "too-many-refs" });
  const third = repo.commit();
  repo.git(["pack-refs", "--all", "--prune"]);
  assert.equal(await git.resolve("main"), third, "a later packing is seen");
});

test("symbolic references that never end, links and malformed files are unreadable", async (t) => {
  const repo = await repository(t);
  repo.commit();
  const heads = join(repo.path, ".git/refs/heads");
  const outside = join(tempFolder(t), "outside");
  writeFileSync(outside, `${repo.head()}\n`);
  writeFileSync(join(heads, "loop"), "ref: refs/heads/loop\n");
  writeFileSync(join(heads, "out"), "ref: ../../../etc/passwd\n");
  writeFileSync(join(heads, "text"), "not an id\n");
  writeFileSync(join(heads, "other-format"), `${"a".repeat(64)}\n`);
  writeFileSync(join(heads, "empty"), "");
  writeFileSync(join(heads, "large"), "x".repeat(5000));
  symlinkSync(outside, join(heads, "link"));
  const git = await preview(t, repo.path);
  for (const name of ["loop", "out", "text", "other-format", "empty", "large", "link"]) {
    await assert.rejects(git.resolve(name), { code: "refs-unreadable" }, name);
  }
  await assert.rejects(git.refs("refs/heads/", 100), { code: "refs-unreadable" });
  rmSync(heads, { recursive: true });
  symlinkSync(tempFolder(t), heads);
  await assert.rejects(git.resolve("main"), { code: "refs-unreadable" });
});

test("a named pipe in the place of a reference does not hang", { skip: process.platform === "win32" }, async (t) => {
  const repo = await repository(t);
  repo.commit();
  assert.equal(spawnSync("mkfifo", [join(repo.path, ".git/refs/heads/pipe")]).status, 0);
  const git = await preview(t, repo.path);
  await assert.rejects(git.resolve("pipe"), { code: "refs-unreadable" });
});

test("a linked HEAD, config or .git is refused", async (t) => {
  const outside = await repository(t);
  outside.commit();
  for (const [file, code] of [
    ["HEAD", "refs-unreadable"],
    ["config", "refs-unreadable"],
    ["objects", "not-a-repository"],
  ] as const) {
    const repo = await repository(t);
    rmSync(join(repo.path, ".git", file), { recursive: true });
    symlinkSync(join(outside.path, ".git", file), join(repo.path, ".git", file));
    await refused(t, repo.path, code);
  }
  const linked = tempFolder(t);
  symlinkSync(join(outside.path, ".git"), join(linked, ".git"));
  await refused(t, linked, "not-a-repository");
});

test("malformed packed references are unreadable, hostile names in them name nothing", async (t) => {
  const repo = await repository(t);
  const head = repo.commit();
  const packed = join(repo.path, ".git/packed-refs");
  writeFileSync(packed, `${head} refs/heads/../../x\n${head} refs/heads/good\n`);
  const git = await preview(t, repo.path);
  assert.deepEqual(
    (await git.refs("refs/heads/", 9)).map((ref) => ref.name),
    ["refs/heads/good", "refs/heads/main"],
  );
  writeFileSync(packed, "rubbish\n");
  await assert.rejects(git.resolve("good"), { code: "refs-unreadable" });
});

test("a repository with references in a reftable is not supported yet", async (t) => {
  const repo = await repository(t);
  repo.commit();
  appendFileSync(join(repo.path, ".git/config"), "[extensions]\n\trefStorage = reftable\n");
  await refused(t, repo.path, "not-supported");
  const other = await repository(t);
  mkdirSync(join(other.path, ".git/reftable"));
  await refused(t, other.path, "not-supported");
});

test("borrowed objects are read in a preview, from few real object folders only", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  const shared = join(tempFolder(t), "shared");
  repo.git(["clone", "--quiet", "--shared", repo.path, shared]);
  const alternates = join(shared, ".git/objects/info/alternates");
  assert.match(readFileSync(alternates, "utf8"), /objects\n$/);
  const git = await preview(t, shared);
  assert.equal((await git.commit(await git.resolve("HEAD"))).id, head);
  const own = `${join(repo.path, ".git/objects")}\n`;
  for (const text of ["/etc\n", `"${own.trim()}"\n`, "../../nowhere/objects\n"]) {
    writeFileSync(alternates, text);
    await refused(t, shared, "alternates-refused");
  }
  writeFileSync(join(repo.path, ".git/objects/info/alternates"), `${join(shared, ".git/objects")}\n`);
  writeFileSync(alternates, own);
  assert.equal(await (await preview(t, shared)).resolve("HEAD"), head, "a circle ends");
});

test("too many or too deep borrowings and links in the object folder are refused", async (t) => {
  const folder = tempFolder(t);
  const stores = Array.from({ length: 20 }, (_, index) => join(folder, `s${index}`, "objects"));
  for (const [index, store] of stores.entries()) {
    mkdirSync(join(store, "info"), { recursive: true });
    if (index > 0) writeFileSync(join(store, "info/alternates"), `${stores[index - 1]}\n`);
  }
  const repo = await repository(t);
  const alternates = join(repo.path, ".git/objects/info/alternates");
  writeFileSync(alternates, `${stores[3]}\n`);
  await preview(t, repo.path);
  writeFileSync(alternates, `${stores[8]}\n`);
  await refused(t, repo.path, "alternates-refused");
  for (const store of stores) rmSync(join(store, "info/alternates"), { force: true });
  writeFileSync(alternates, `${stores.join("\n")}\n`);
  await refused(t, repo.path, "alternates-refused");
  rmSync(alternates);
  symlinkSync(stores[0] ?? "", join(repo.path, ".git/objects/ab"));
  await refused(t, repo.path, "alternates-refused");
});

test("a partial clone says which object is missing and fetches nothing", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  repo.git(["config", "uploadpack.allowFilter", "true"]);
  const clone = join(tempFolder(t), "partial");
  repo.git(["clone", "--quiet", "--no-checkout", "--filter=blob:none", `file://${repo.path}`, clone]);
  const git = await preview(t, clone);
  const files = await git.files((await git.commit(await git.resolve("HEAD"))).tree);
  await assert.rejects(git.blobs(files.map((file) => file.id)), { code: "object-missing" });
});

test("reads the object format from a configuration however it is written", () => {
  const cases: Record<string, string> = {
    "": "sha1",
    "[core]\n\tbare = true\n": "sha1",
    "[extensions]\n\tobjectformat = sha256\n": "sha256",
    "[Extensions]\r\n ObjectFormat=SHA256 ; note\r\n": "sha256",
    '[extensions] objectFormat = "sha256" # note': "sha256",
    "[extensions]\nobjectformat = sha1\n": "sha1",
    '[extensions "x"]\nobjectformat = sha256\n': "sha1",
    "[other]\nobjectformat = sha256\n": "sha1",
    "# [extensions]\n# objectformat = sha256\n": "sha1",
    "[include]\npath = /dev/zero\n": "sha1",
  };
  for (const [text, format] of Object.entries(cases))
    assert.equal(readObjectFormat(text), format, JSON.stringify(text));
});

test("reads what a repository is called at its origin, whatever the address looks like", () => {
  const at = (url: string): string | null => originName(`[remote "origin"]\n\turl = ${url}\n`);
  const urls: Record<string, string> = {
    "https://git.example/team/shop.git": "shop",
    "https://ada:secret@git.example/team/shop.git/": "shop",
    "git@git.example:shop": "shop",
    "git@git.example:team/shop.git": "shop",
    "ssh://git@git.example:22/Shop.git": "Shop",
    "../shop.git": "shop",
    '"C:\\\\git\\\\shop"': "shop",
    "/srv/.git": ".git",
  };
  for (const [url, name] of Object.entries(urls)) assert.equal(at(url), name, url);
  assert.equal(originName('[remote "fork"]\nurl = x/fork\n[remote "origin"]\nurl = x/shop\nurl = x/later\n'), "shop");
  for (const text of ["", "[remote]\nurl = x/a\n", '[branch "origin"]\nurl = x/a\n', '[remote "origin"]\nurl =\n'])
    assert.equal(originName(text), null, text);
});

test("an object format that is unknown or said twice differently is not supported", () => {
  for (const values of [["md5"], ["sha1", "sha256"], [""]]) {
    const text = `[extensions]\n${values.map((value) => `objectformat = ${value}`).join("\n")}`;
    assert.throws(() => readObjectFormat(text), { code: "not-supported" });
  }
});

test("a configuration that lies about the format only makes objects unfindable", async (t) => {
  const repo = await repository(t);
  const head = repo.commit();
  appendFileSync(join(repo.path, ".git/config"), "[extensions]\nobjectformat = sha256\n");
  const git = await preview(t, repo.path);
  await assert.rejects(git.resolve("main"), { code: "refs-unreadable" });
  await assert.rejects(git.resolve(head), { code: "unknown-revision" });
});

test("names of references follow git's own rules", () => {
  const names = [
    "refs/heads/a",
    "refs/heads/a/b",
    "refs/x",
    "refs/heads/-a",
    "refs/heads/a b",
    "refs/heads/a..b",
    "refs/heads/.a",
    "refs/heads/a.lock",
    "refs/heads/a.lock/b",
    "refs/heads/a.",
    "refs/heads/a~1",
    "refs/heads/a^",
    "refs/heads/a:b",
    "refs/heads/a?",
    "refs/heads/a*",
    "refs/heads/a[",
    "refs/heads/a\\b",
    "refs/heads//a",
    "refs/heads/a/",
    "refs/heads/@",
    "refs/heads/a@{b",
    "refs/heads/a\u007f",
    "refs/größe",
  ];
  for (const name of names) {
    const git = spawnSync("git", ["check-ref-format", name]);
    assert.equal(isRefName(name), git.status === 0, name);
  }
  for (const name of ["HEAD", "refs", "refs/", "../refs/heads/a", `refs/heads/${"x".repeat(1100)}`])
    assert.equal(isRefName(name), false, name);
});
