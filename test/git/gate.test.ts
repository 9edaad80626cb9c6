import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type GateOptions, type GateRepository, openGateRepository } from "../../src/git/gate.ts";
import { commitId } from "../../src/git/object.ts";
import { remoteEnvironment, requireRemote } from "../../src/git/remote.ts";
import { childrenOf } from "../support/children.ts";
import { serveGit } from "../support/git-server.ts";
import { repository, runGit, type TestRepository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

async function gate(t: TestContext, url: string, more: Partial<GateOptions> = {}): Promise<GateRepository> {
  const opened = await openGateRepository({ url, folder: join(tempFolder(t), "store"), branches: ["main"], ...more });
  t.after(() => opened.close());
  return opened;
}

function approve(repo: TestRepository, name: string, text: string): string {
  const blob = repo.object("blob", text);
  repo.git(["update-ref", `refs/sluice/approvals/${name}`, blob]);
  return blob;
}

test("fetches branches and approvals, nothing else, and answers like a preview", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  repo.branch("side");
  const side = repo.commit({ files: { b: "1" } });
  repo.checkout("main");
  const main = repo.commit({ files: { a: "2" } });
  repo.git(["tag", "v1"]);
  repo.branch("unasked");
  const approval = approve(repo, "aa", "yes");
  const git = await gate(t, repo.path, { branches: ["main", "side"] });
  await assert.rejects(git.resolve("main"), { code: "unknown-revision" });
  await git.fetch();
  assert.equal(await git.resolve("main"), main);
  assert.equal(await git.resolve("refs/heads/side"), side);
  assert.deepEqual(await git.refs("refs/sluice/approvals/", 10), [{ name: "refs/sluice/approvals/aa", id: approval }]);
  for (const revision of ["v1", "unasked", "HEAD"])
    await assert.rejects(git.resolve(revision), { code: "unknown-revision" });
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

test("a later fetch sees moved, forced and removed references", async (t) => {
  const repo = await repository(t);
  const first = repo.commit({ files: { a: "1" } });
  const second = repo.commit({ files: { a: "2" } });
  approve(repo, "aa", "yes");
  approve(repo, "bb", "yes too");
  const git = await gate(t, `file://${repo.path}`);
  await git.fetch();
  assert.equal(await git.resolve("main"), second);
  repo.git(["reset", "-q", "--hard", first]);
  const forced = repo.commit({ files: { a: "3" } });
  repo.git(["update-ref", "-d", "refs/sluice/approvals/aa"]);
  await Promise.all([git.fetch(), git.fetch()]);
  assert.equal(await git.resolve("main"), forced);
  assert.deepEqual(
    (await git.refs("refs/sluice/approvals/", 10)).map((ref) => ref.name),
    ["refs/sluice/approvals/bb"],
  );
  assert.equal((await git.commit(second)).id, second, "what was seen once stays");
});

test("a proposal comes by configured references or by its id", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  const loose = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [repo.head()], { message: "no branch has it" });
  const pull = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [repo.head()], { message: "pull request" });
  repo.git(["update-ref", "refs/pull/7/head", pull]);
  const git = await gate(t, repo.path, { extraRefs: ["refs/pull/*/head"] });
  await git.fetch();
  assert.equal(await git.resolve("refs/pull/7/head"), pull);
  await assert.rejects(git.commit(loose), { code: "unknown-revision" });
  await git.fetchCommit(loose);
  await git.fetchCommit(loose);
  assert.equal((await git.commit(loose)).message, "no branch has it\n");
});

test("a commit that the URL does not have is not fetchable, and a tree is not a commit", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  const git = await gate(t, repo.path);
  await git.fetch();
  await assert.rejects(git.fetchCommit(commitId("f".repeat(40))), { code: "head-not-fetchable" });
  await assert.rejects(git.fetchCommit(commitId(repo.git(["rev-parse", "HEAD^{tree}"]))), { code: "not-a-commit" });
});

test("a configured branch that is not there is named", async (t) => {
  const repo = await repository(t);
  repo.commit();
  const git = await gate(t, repo.path, { branches: ["main", "production"] });
  await assert.rejects(git.fetch(), (error: Error & { code: string }) => {
    assert.equal(error.code, "unknown-revision");
    assert.match(error.message, /production/);
    return true;
  });
  await assert.rejects(git.resolve("main"), { code: "unknown-revision" }, "all references move or none");
});

test("a branch that is gone is forgotten and named, and keeps no other one back", async (t) => {
  const repo = await repository(t);
  const first = repo.commit();
  repo.git(["branch", "production"]);
  const git = await gate(t, repo.path, { branches: ["main", "production"] });
  assert.deepEqual(await git.fetchPresent(), []);
  assert.equal(await git.resolve("refs/heads/production"), first);
  repo.git(["branch", "-D", "production"]);
  const next = repo.commit();
  assert.deepEqual(await git.fetchPresent(), ["production"]);
  assert.equal(await git.resolve("refs/heads/main"), next);
  await assert.rejects(git.resolve("refs/heads/production"), { code: "unknown-revision" });
  repo.git(["branch", "production"]);
  assert.deepEqual(await git.fetchPresent(), []);
  assert.equal(await git.resolve("refs/heads/production"), next);
});

test("what has not moved is not fetched again: a folder is only read, a server asked one question", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  repo.git(["branch", "production"]);
  repo.git(["update-ref", "refs/pull/7/head", repo.head()]);
  approve(repo, "aa", "yes");
  const served = `${await serveGit(t, repo.path)}/.git`;
  for (const url of [repo.path, served]) {
    const git = await gate(t, url, { branches: ["main", "production"], extraRefs: ["refs/pull/*/head"] });
    const asked = url === served ? ["ls-remote"] : [];
    assert.ok((await childrenOf(() => git.fetchPresent())).includes("fetch"));
    assert.deepEqual(await childrenOf(() => git.fetchPresent()), asked);
    const moves: readonly (readonly [string, string, string | null])[] = [
      ["a branch", "refs/heads/main", repo.commit()],
      ["a proposal that is new", "refs/pull/8/head", repo.head()],
      ["a proposal that is gone", "refs/pull/8/head", null],
      ["an approval", "refs/sluice/approvals/aa", repo.object("blob", `no ${url}`)],
      ["a branch that is back where it was", "refs/heads/main", repo.git(["rev-parse", "HEAD~"])],
    ];
    for (const [what, ref, id] of moves) {
      repo.git(id === null ? ["update-ref", "-d", ref] : ["update-ref", ref, id]);
      await git.fetchPresent();
      const [here] = (await git.refs(`${ref.slice(0, ref.lastIndexOf("/"))}/`, 10)).filter(({ name }) => name === ref);
      assert.equal(here?.id ?? null, id, `${what} at ${url}`);
      assert.deepEqual(await childrenOf(() => git.fetchPresent()), asked, what);
    }
  }
});

test("a branch that stays gone is named each time, and what git refuses is asked for again", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  const git = await gate(t, repo.path, { branches: ["main", "production"] });
  for (let look = 0; look < 3; look += 1) assert.deepEqual(await git.fetchPresent(), ["production"]);
  const tree = repo.rawTree([{ mode: "40000", name: ".git", id: repo.git(["rev-parse", "HEAD^{tree}"]) }]);
  repo.git(["update-ref", "refs/sluice/approvals/22", repo.commitTree(tree)]);
  for (let look = 0; look < 3; look += 1) {
    assert.ok((await childrenOf(() => git.fetchPresent())).length > 0);
    assert.equal(git.unfetched[0]?.ref, "refs/sluice/approvals/22");
  }
});

test("a fetch from a server that never answers ends when it is interrupted", async (t) => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer(() => asked.resolve());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const git = await gate(t, `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x`);
  const fetched = assert.rejects(git.fetch(), { code: "git-failed" });
  await asked.promise;
  git.interrupt();
  await fetched;
  await assert.rejects(git.fetch(), { code: "git-failed" }, "and none begins");
});

test("git's own server is fetched from over HTTP on this machine, and over no other HTTP", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  const git = await gate(t, `${await serveGit(t, repo.path)}/.git`);
  await git.fetch();
  assert.equal(await git.resolve("main"), head);
  for (const url of [
    "http://localhost/x",
    "http://127.0.0.2/x",
    "http://ada@127.0.0.1/x",
    "http://127.0.0.1.example/x",
  ]) {
    assert.throws(() => requireRemote(url), { code: "url-refused" }, url);
  }
});

test("an object that git's own checks refuse does not come in", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  const tree = repo.rawTree([{ mode: "40000", name: ".git", id: repo.git(["rev-parse", "HEAD^{tree}"]) }]);
  repo.git(["update-ref", "refs/heads/main", repo.commitTree(tree)]);
  const git = await gate(t, repo.path);
  await assert.rejects(git.fetch(), { code: "fetch-failed", retryable: true });
  await assert.rejects(git.resolve("main"), { code: "unknown-revision" });
});

test("what git refuses among the approvals keeps neither a branch nor another approval out, and does not come in", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  const git = await gate(t, repo.path);
  const names = async () => (await git.refs("refs/sluice/approvals/", 100)).map((ref) => ref.name.slice(-2));
  approve(repo, "11", "withdrawn later");
  await git.fetch();
  const tree = repo.rawTree([{ mode: "40000", name: ".git", id: repo.git(["rev-parse", "HEAD^{tree}"]) }]);
  const bad = repo.commitTree(tree);
  for (const name of ["22", "55"]) repo.git(["update-ref", `refs/sluice/approvals/${name}`, bad]);
  for (const name of ["33", "44", "66"]) approve(repo, name, `yes ${name}`);
  repo.git(["update-ref", "-d", "refs/sluice/approvals/11"]);
  const next = repo.commit({ files: { a: "2" } });
  await git.fetch();
  assert.deepEqual([await git.resolve("main"), await names()], [next, ["33", "44", "66"]]);
  const refused = ["22", "55"].map((name) => ({
    ref: `refs/sluice/approvals/${name}`,
    count: 1,
    why: "git refuses what it names",
  }));
  assert.deepEqual(git.unfetched, refused);
  await assert.rejects(git.fetchCommit(commitId(bad)), { code: "head-not-fetchable" });
  for (let again = 0; again < 4; again += 1) {
    await git.fetch();
    assert.deepEqual([git.unfetched, await names()], [refused, ["33", "44", "66"]]);
  }
  repo.git(["update-ref", "refs/sluice/approvals/22", head]);
  approve(repo, "55", "yes after all");
  await git.fetch();
  assert.deepEqual([git.unfetched, await names()], [[], ["22", "33", "44", "55", "66"]]);
});

test("an approval that moves to something that git refuses is gone", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  approve(repo, "aa", "yes");
  const git = await gate(t, repo.path);
  await git.fetch();
  const tree = repo.rawTree([{ mode: "40000", name: ".git", id: repo.git(["rev-parse", "HEAD^{tree}"]) }]);
  repo.git(["update-ref", "refs/sluice/approvals/aa", repo.commitTree(tree)]);
  await git.fetch();
  assert.deepEqual(await git.refs("refs/sluice/approvals/", 10), []);
});

test("names that no approval has, or that cannot be read, are counted and keep no branch back", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "1" } });
  approve(repo, "aa", "yes");
  for (const name of ["a/b", "with.dot"]) approve(repo, name, "odd");
  repo.git(["update-ref", `refs/sluice/approvals/${"d/".repeat(40)}e`, head]);
  repo.git(["update-ref", `refs/other/${"d/".repeat(40)}e`, head]);
  symlinkSync("nowhere", join(repo.path, ".git/refs/sluice/approvals/link"));
  const git = await gate(t, repo.path);
  await git.fetch();
  assert.equal(await git.resolve("main"), head);
  assert.deepEqual(
    (await git.refs("refs/sluice/approvals/", 10)).map((ref) => ref.name),
    ["refs/sluice/approvals/aa"],
  );
  assert.deepEqual(git.unfetched, [{ ref: null, count: 2, why: "have names that no approval has" }]);
});

test("an object swapped on the source's disk does not come in", async (t) => {
  const repo = await repository(t);
  const head = repo.commit({ files: { a: "yes", b: "no" } });
  const path = (name: string) => {
    const id = repo.git(["rev-parse", `${head}:${name}`]);
    return join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2));
  };
  rmSync(path("a"));
  copyFileSync(path("b"), path("a"));
  const git = await gate(t, repo.path);
  await assert.rejects(git.fetch(), { code: "fetch-failed" });
});

test("a source that went away is a failed fetch or no repository, and what was fetched stays", async (t) => {
  const repo = await repository(t);
  const head = repo.commit();
  const git = await gate(t, repo.path);
  await git.fetch();
  renameSync(repo.path, `${repo.path}-moved`);
  await assert.rejects(git.fetch(), { code: "not-a-repository" });
  assert.equal(await git.resolve("main"), head);
  const unreachable = await gate(t, "ssh://git@127.0.0.1:9/x.git", {
    credentials: { kind: "ssh", keyFile: "/nonexistent/key", knownHostsFile: "/nonexistent/hosts" },
  });
  await assert.rejects(unreachable.fetch(), (error: Error & { code: string }) => {
    assert.equal(error.code, "fetch-failed");
    assert.doesNotMatch(error.message, /127|nonexistent/);
    return true;
  });
});

test("borrowed objects and shallow clones are refused by a gate", async (t) => {
  const repo = await repository(t);
  repo.history(2);
  const folder = tempFolder(t);
  repo.git(["clone", "--quiet", "--shared", repo.path, join(folder, "shared")]);
  repo.git(["clone", "--quiet", "--depth=1", `file://${repo.path}`, join(folder, "shallow")]);
  const options = { folder: join(folder, "store") };
  await assert.rejects(gate(t, join(folder, "shared"), options), { code: "alternates-refused" });
  await assert.rejects(gate(t, join(folder, "shallow"), options), { code: "shallow-clone" });
});

test("the store stays between openings and is made once when many open it together", async (t) => {
  const repo = await repository(t);
  const head = repo.commit();
  const folder = join(tempFolder(t), "store");
  const options = { url: repo.path, folder, branches: ["main"] };
  const opened = await Promise.all(Array.from({ length: 4 }, () => openGateRepository(options)));
  await opened[0]?.fetch();
  for (const git of opened) assert.equal(await git.resolve("main"), head);
  for (const git of opened) await git.close();
  assert.deepEqual(readdirSync(join(folder, "..")), ["store"]);
  const again = await openGateRepository(options);
  assert.equal(await again.resolve("main"), head);
  await again.close();
});

test("a folder that Sluice did not make is refused, and a changed configuration is written again", async (t) => {
  const repo = await repository(t);
  repo.commit();
  const foreign = join(tempFolder(t), "foreign");
  repo.git(["clone", "--quiet", "--bare", repo.path, foreign]);
  await assert.rejects(gate(t, repo.path, { folder: foreign }), {
    code: "store-foreign",
  });
  const folder = join(tempFolder(t), "store");
  const open = async () => (await openGateRepository({ url: repo.path, folder, branches: ["main"] })).close();
  await open();
  const config = readFileSync(join(folder, "config"), "utf8");
  writeFileSync(join(folder, "config"), `${config}[core]\n\tfsmonitor = touch /tmp/x\n`);
  await open();
  assert.equal(readFileSync(join(folder, "config"), "utf8"), config);
  mkdirSync(join(folder, "info"), { recursive: true });
  writeFileSync(join(folder, "info/attributes"), "* merge=x\n");
  await assert.rejects(open(), { code: "store-foreign" });
});

test("git reads the store's configuration as it was meant", async (t) => {
  const repo = await repository(t, { objectFormat: "sha256" });
  const head = repo.commit();
  const folder = join(tempFolder(t), "store");
  const git = await gate(t, repo.path, { folder });
  await git.fetch();
  assert.equal(await git.resolve("main"), head);
  const read = (name: string) => runGit(folder, ["--git-dir", folder, "config", name]).toString().trim();
  for (const [name, value] of Object.entries({
    "core.hookspath": "/dev/null",
    "core.usereplacerefs": "false",
    "core.commitgraph": "false",
    "transfer.fsckobjects": "true",
    "fetch.fsckobjects": "true",
    "protocol.allow": "never",
    "protocol.file.allow": "always",
    "extensions.objectformat": "sha256",
  })) {
    assert.equal(read(name), value, name);
  }
  assert.equal(existsSync(join(folder, "hooks")), false);
});

test("only https, ssh and file URLs without secrets are taken", () => {
  const good = {
    "https://git.example/shop.git": "https",
    "https://git.example:8443/a/b": "https",
    "ssh://git@git.example:22/shop.git": "ssh",
    "git@git.example:team/shop.git": "ssh",
    "file:///srv/git/shop.git": "file",
    "/srv/git/shop.git": "file",
  };
  for (const [url, protocol] of Object.entries(good)) assert.equal(requireRemote(url).protocol, protocol, url);
  assert.equal(requireRemote("file:///srv/a%20b").localPath, "/srv/a b");
  const bad = [
    "",
    "shop",
    "./shop",
    "http://git.example/x",
    "git://git.example/x",
    "ext::sh -c id",
    "ext::id",
    "fd::7",
    "-oProxyCommand=id",
    "--upload-pack=id",
    "ssh://-oProxyCommand=id/x",
    "ssh://-l@host/x",
    "-o@host:x",
    "git@-host:x",
    "git@host:-x",
    "https://user:token@git.example/x",
    "https://token@git.example/x",
    "https://git.example/x?token=1",
    "https://git.example/x#a",
    "file://host/x",
    "file:///a%2fb",
    "https://git.example/a b",
    "https://git.example/a\nb",
    "git@host::x",
    "ftp://host/x",
    "javascript:1",
  ];
  for (const url of bad) assert.throws(() => requireRemote(url), { code: "url-refused" }, JSON.stringify(url));
});

test("branches and extra references that are no names of references are refused", async (t) => {
  const repo = await repository(t);
  repo.commit();
  const options = { folder: join(tempFolder(t), "store") };
  for (const branch of ["*", "a*", "", "../x", "a b", "a:refs/heads/b", "-f\u0000"]) {
    await assert.rejects(gate(t, repo.path, { ...options, branches: [branch] }), { code: "url-refused" }, branch);
  }
  for (const ref of ["refs/*/*", "+refs/heads/x", "heads/x", "refs/pull/*/head:refs/heads/main"]) {
    await assert.rejects(gate(t, repo.path, { ...options, extraRefs: [ref] }), { code: "url-refused" }, ref);
  }
});

test("a token reaches git in the environment, for its own host only", () => {
  const remote = requireRemote("https://git.example:8443/shop.git");
  const environment = remoteEnvironment(remote, { kind: "token", username: "x", token: "s3cret" });
  assert.equal(environment["GIT_CONFIG_KEY_0"], "http.https://git.example:8443/.extraHeader");
  assert.equal(environment["GIT_CONFIG_VALUE_0"], `Authorization: Basic ${Buffer.from("x:s3cret").toString("base64")}`);
  assert.deepEqual(remoteEnvironment(remote, null), {});
});

test("an SSH key is named without a shell being able to read more into it", () => {
  const remote = requireRemote("git@git.example:shop.git");
  const key = { kind: "ssh", keyFile: "/k/it's", knownHostsFile: "/k/hosts" } as const;
  assert.match(remoteEnvironment(remote, key)["GIT_SSH_COMMAND"] ?? "", / -i '\/k\/it'\\''s'$/);
  for (const keyFile of ["relative", "/k/a b", '/k/"', "/k/%h", "/k/a\nb"]) {
    assert.throws(() => remoteEnvironment(remote, { ...key, keyFile }), { code: "url-refused" }, keyFile);
  }
});

test("an SSH agent is reached by the socket that is configured, never by an inherited one", () => {
  const remote = requireRemote("git@git.example:shop.git");
  const agent = { kind: "ssh-agent", socket: "/run/agent", knownHostsFile: "/k/hosts" } as const;
  assert.equal(remoteEnvironment(remote, agent)["SSH_AUTH_SOCK"], "/run/agent");
  assert.equal(remoteEnvironment(remote, null)["SSH_AUTH_SOCK"], undefined);
});

test("credentials that do not fit the URL are refused", () => {
  const token = { kind: "token", username: "x", token: "y" } as const;
  const key = { kind: "ssh", keyFile: "/k", knownHostsFile: "/h" } as const;
  assert.throws(() => remoteEnvironment(requireRemote("git@git.example:x"), token), { code: "url-refused" });
  assert.throws(() => remoteEnvironment(requireRemote("https://git.example/x"), key), { code: "url-refused" });
  assert.throws(() => remoteEnvironment(requireRemote("/srv/x"), token), { code: "url-refused" });
});

test("a listing that was slower than a fetch hides nothing of what the fetch brought", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  const git = await gate(t, repo.path);
  await git.fetch();
  const { promise: fetched, resolve: go } = Promise.withResolvers<void>();
  const list = git.source.list.bind(git.source);
  const slow = async (...given: Parameters<typeof list>): ReturnType<typeof list> => {
    const listed = await list(...given);
    await fetched;
    return listed;
  };
  Object.assign(git.source, { list: slow });
  const before = git.refs("refs/sluice/approvals/", 10);
  Object.assign(git.source, { list });
  const approval = approve(repo, "aa", "yes");
  await git.fetch();
  go();
  assert.deepEqual(await before, []);
  assert.deepEqual(await git.refs("refs/sluice/approvals/", 10), [{ name: "refs/sluice/approvals/aa", id: approval }]);
});
