/**
 * Every way known to us in which a repository can make git start a program, each with a canary that writes a file. The
 * first test shows that the canaries sing when git itself runs in there; without it the others could not fail.
 */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openGateRepository } from "../../src/git/gate.ts";
import type { CommitId } from "../../src/git/object.ts";
import { openPreviewRepository } from "../../src/git/preview.ts";
import type { GitRepository } from "../../src/git/repository.ts";
import { repository, runGit, type TestRepository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

const HOOKS = [
  "applypatch-msg",
  "commit-msg",
  "fsmonitor-watchman",
  "post-applypatch",
  "post-checkout",
  "post-commit",
  "post-index-change",
  "post-merge",
  "post-receive",
  "post-rewrite",
  "post-update",
  "pre-applypatch",
  "pre-auto-gc",
  "pre-commit",
  "pre-merge-commit",
  "pre-push",
  "pre-rebase",
  "pre-receive",
  "prepare-commit-msg",
  "proc-receive",
  "push-to-checkout",
  "reference-transaction",
  "sendemail-validate",
  "update",
];

interface Trap {
  readonly repo: TestRepository;
  readonly base: CommitId;
  readonly main: CommitId;
  readonly side: CommitId;
  readonly merge: CommitId;
  /** Names of the canaries that sang so far. */
  sung(): readonly string[];
}

async function trap(t: TestContext): Promise<Trap> {
  const repo = await repository(t);
  const attributes = "*.txt merge=evil filter=evil diff=evil\n*.bin diff=evil filter=process\n";
  const base = repo.commit({
    files: { ".gitattributes": attributes, "a.txt": "1\n", "b.bin": "x", "c.yaml": "kind: A\n" },
  });
  repo.branch("side");
  const side = repo.commit({ files: { "a.txt": "side\n", "b.bin": "y" } });
  repo.checkout("main");
  const main = repo.commit({ files: { "a.txt": "main\n", "c.yaml": "kind: B\n" } });
  const merge = repo.commitTree(repo.git(["rev-parse", `${main}^{tree}`]), [main, side], { message: "merge" });
  repo.git(["update-ref", "refs/heads/merged", merge]);
  const cage = tempFolder(t);
  setTraps(repo.path, cage);
  return { repo, base, main, side, merge, sung: () => readdirSync(cage).sort() };
}

function setTraps(path: string, cage: string): void {
  const script = (name: string) => {
    const file = join(path, ".git", `canary-${name}`);
    writeFileSync(file, `#!/bin/sh\ntouch '${cage}/${name}'\nexit 1\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const included = join(path, ".git/included");
  writeFileSync(
    included,
    `[core]\n\tsshCommand = ${script("include")}\n[alias]\n\tincluded = !${script("included-alias")}\n`,
  );
  const lines = [
    `[core]\n\tfsmonitor = ${script("fsmonitor")}\n\tpager = ${script("pager")}\n\teditor = ${script("editor")}`,
    `\tgitProxy = ${script("git-proxy")}\n\taskPass = ${script("ask-pass")}\n\talternateRefsCommand = ${script("alternate-refs")}`,
    `[include]\n\tpath = ${included}`,
    `[uploadpack]\n\tpackObjectsHook = ${script("pack-objects-hook")}`,
    `[merge "evil"]\n\tname = evil\n\tdriver = ${script("merge-driver")}`,
    `[filter "evil"]\n\tclean = ${script("clean")}\n\tsmudge = ${script("smudge")}\n\trequired = false`,
    `[filter "process"]\n\tprocess = ${script("filter-process")}`,
    `[diff "evil"]\n\ttextconv = ${script("textconv")}\n\tcommand = ${script("diff-command")}`,
    `[diff]\n\texternal = ${script("external-diff")}`,
    `[alias]\n\tevil = !${script("alias")}`,
    `[credential]\n\thelper = ${script("credential")}`,
    `[gpg]\n\tprogram = ${script("gpg")}`,
    `[gpg "ssh"]\n\tprogram = ${script("gpg-ssh")}`,
    `[interactive]\n\tdiffFilter = ${script("diff-filter")}`,
    `[sequence]\n\teditor = ${script("sequence-editor")}`,
    '[remote "origin"]\n\turl = ssh://127.0.0.1:9/x\n\tpromisor = true\n\tpartialclonefilter = blob:none',
    `\tuploadpack = ${script("remote-uploadpack")}`,
  ];
  appendFileSync(join(path, ".git/config"), `${lines.join("\n")}\n`);
  mkdirSync(join(path, ".git/hooks"), { recursive: true });
  for (const hook of HOOKS) {
    writeFileSync(join(path, ".git/hooks", hook), `#!/bin/sh\ntouch '${cage}/hook-${hook}'\nexit 0\n`);
    chmodSync(join(path, ".git/hooks", hook), 0o755);
  }
}

async function useEverything(git: GitRepository, { base, main, side, merge }: Trap): Promise<void> {
  assert.equal(await git.resolve("main"), main);
  await git.refs("refs/heads/", 10);
  const commits = await git.range([base], merge);
  assert.equal(commits.length, 3);
  assert.deepEqual(await git.firstParents(base, merge), [main, merge]);
  assert.equal(await git.isAncestor(base, main), true);
  assert.deepEqual(await git.merge(main, side), { kind: "conflict", paths: ["a.txt"] });
  assert.deepEqual(await git.remerge(await git.commit(merge)), { kind: "conflict", paths: ["a.txt"] });
  const files = await git.files((await git.commit(side)).tree);
  const [first] = await git.blobs(files.map((file) => file.id));
  assert.match(Buffer.from(first ?? []).toString(), /merge=evil/);
  const text = files.find((file) => file.path === "a.txt");
  assert.ok(text !== undefined);
  assert.equal(Buffer.from(await git.blob(text.id)).toString(), "side\n");
}

test("the canaries sing when git itself runs in the repository", async (t) => {
  const { repo, side, sung } = await trap(t);
  const ways: readonly (readonly string[])[] = [
    ["status"],
    ["checkout", "--quiet", "--force", side],
    ["checkout", "--quiet", "--force", "main"],
    ["merge", "side"],
    ["diff", "HEAD~1"],
    ["diff", "--no-ext-diff", "HEAD~1", "HEAD"],
    ["grep", "--textconv", "x", "side"],
    ["evil"],
    ["included"],
    ["commit", "--allow-empty", "--quiet", "-m", "x"],
    ["commit", "--allow-empty", "-S", "--quiet", "-m", "x"],
    ["fetch", "ssh://127.0.0.1:9/x"],
    ["-c", "core.sshCommand=false", "hash-object", "--path=a.txt", "c.yaml"],
    ["update-ref", "refs/heads/again", side],
  ];
  for (const args of ways) {
    try {
      runGit(repo.path, args);
    } catch {
      // a canary makes git fail; whether it sang is asked below
    }
  }
  const heard = new Set(sung());
  for (const name of [
    "fsmonitor",
    "merge-driver",
    "clean",
    "smudge",
    "alias",
    "included-alias",
    "include",
    "gpg",
    "hook-post-commit",
    "hook-reference-transaction",
  ]) {
    assert.ok(heard.has(name), `${name} did not sing; heard ${[...heard].join(" ")}`);
  }
  assert.ok(heard.has("textconv") || heard.has("diff-command") || heard.has("external-diff"));
});

test("no canary sings when a preview reads the repository", async (t) => {
  const trapped = await trap(t);
  const git = await openPreviewRepository({ path: trapped.repo.path, scratch: tempFolder(t) });
  t.after(() => git.close());
  await useEverything(git, trapped);
  assert.equal(await git.resolve("HEAD"), trapped.main);
  await git.close();
  assert.deepEqual(trapped.sung(), []);
});

test("no canary sings when a gate fetches and reads the repository", async (t) => {
  const trapped = await trap(t);
  const folder = join(tempFolder(t), "store");
  const branches = ["main", "side", "merged"];
  const git = await openGateRepository({ url: `file://${trapped.repo.path}`, folder, branches });
  t.after(() => git.close());
  await git.fetch();
  const tree = (await git.commit(trapped.main)).tree;
  await git.fetchCommit(trapped.repo.commitTree(tree, [trapped.main], { message: "by id" }));
  const before = trapped.sung(); // making that commit is git running in there
  await git.fetch();
  await useEverything(git, trapped);
  await git.close();
  assert.deepEqual(before, []);
  assert.deepEqual(trapped.sung(), []);
});

test("git never runs with the repository as its git directory, nor looks into it for a configuration", async (t) => {
  const trapped = await trap(t);
  appendFileSync(join(trapped.repo.path, ".git/config"), "[this is no configuration\n");
  assert.throws(() => runGit(trapped.repo.path, ["rev-parse", "HEAD"]), /bad config/, "any git in there stops at once");
  const preview = await openPreviewRepository({ path: trapped.repo.path, scratch: tempFolder(t) });
  t.after(() => preview.close());
  await useEverything(preview, trapped);
  const options = {
    url: trapped.repo.path,
    folder: join(tempFolder(t), "store"),
    branches: ["main", "side", "merged"],
  };
  const gate = await openGateRepository(options);
  t.after(() => gate.close());
  await gate.fetch();
  await useEverything(gate, trapped);
});
