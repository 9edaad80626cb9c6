import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { approve } from "../../src/cli/approve.ts";
import { signingSetupSchema } from "../../src/cli/reports/schemas/people.ts";
import { signingSetup } from "../../src/cli/signing-setup.ts";
import { trustRequest } from "../../src/cli/trust-request.ts";
import { runHere } from "../support/in-process.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { runSluice, sluiceCommand } from "../support/sluice.ts";
import { makeSshKey } from "./ssh-key.ts";

interface Scene {
  readonly repo: TestRepository;
  /** The repository's folder too: the command in this process takes its own for one's home. */
  readonly home: string;
}

async function scene(t: TestContext): Promise<Scene> {
  const repo = await repository(t);
  return { repo, home: repo.path };
}

function withKey({ home }: Scene) {
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  return makeSshKey(join(home, ".ssh"), "id_ed25519");
}

async function setup({ repo }: Scene, ...args: readonly string[]) {
  const run = await runHere(signingSetup, ["--format", "json", ...args], repo.path);
  return { ...run, report: run.stdout === "" ? null : signingSetupSchema.parse(JSON.parse(run.stdout)) };
}

const settingsOf = ({ repo }: Scene): string => readFileSync(join(repo.path, ".git/config"), "utf8");

test("after signing setup a plain git commit is signed, by the key that ssh-keygen names so", async (t) => {
  const one = await scene(t);
  const key = withKey(one);
  const { code, report, stderr } = await setup(one, "--yes");
  assert.deepEqual([code, stderr, report?.key.fingerprint, report?.key.isNew], [0, "", key.fingerprint, false]);
  one.repo.git(["commit", "--quiet", "--allow-empty", "-m", "signed"]);
  assert.match(one.repo.git(["cat-file", "commit", "HEAD"]), /^gpgsig -----BEGIN SSH SIGNATURE-----$/m);
  writeFileSync(join(one.home, "signers"), `ada@example.com ${key.line}\n`);
  const trust = ["-c", `gpg.ssh.allowedSignersFile=${join(one.home, "signers")}`];
  assert.equal(one.repo.git([...trust, "log", "--format=%G? %GF"]), `G ${key.fingerprint}`);
  for (const { name, value } of report?.settings ?? []) assert.equal(one.repo.git(["config", "--local", name]), value);
});

test("the command that it shows for a branch signs again what was not", async (t) => {
  const one = await scene(t);
  withKey(one);
  const base = one.repo.commit({ files: { a: "1" } });
  one.repo.commit({ files: { a: "2" } });
  one.repo.commit({ files: { a: "3" } });
  const { report } = await setup(one, "--yes");
  assert.equal(report?.resign, "git rebase -f -S BASE && git push --force-with-lease");
  const [rebase = ""] = report.resign.split(" && ");
  one.repo.git(rebase.replace("BASE", base).split(" ").slice(1));
  const signed = one.repo.git(["log", "--format=%GK", `${base}..HEAD`]).split("\n");
  assert.deepEqual([signed.length, one.repo.read("a")], [2, "3"]);
  for (const commit of one.repo.git(["rev-list", `${base}..HEAD`]).split("\n"))
    assert.match(one.repo.git(["cat-file", "commit", commit]), /^gpgsig /m);
});

test("without a terminal and without --yes nothing is changed", async (t) => {
  const one = await scene(t);
  withKey(one);
  const before = settingsOf(one);
  const { code, stdout, stderr } = await setup(one);
  assert.deepEqual([code, stdout, stderr.split("  ")[0]], [2, "", "usage"]);
  assert.match(stderr, /fix {2}sluice signing setup --dry-run to see it, sluice signing setup --yes to do it\n$/);
  assert.equal(settingsOf(one), before);
});

test("--dry-run shows each setting and what it was, and neither sets it nor makes a key", async (t) => {
  const one = await scene(t);
  one.repo.git(["config", "gpg.format", "openpgp"]);
  one.repo.git(["config", "commit.gpgSign", "true"]);
  const before = settingsOf(one);
  const { code, report } = await setup(one, "--dry-run");
  assert.deepEqual([code, report?.written, report?.key.fingerprint, report?.key.isNew], [0, false, null, true]);
  const was = Object.fromEntries((report?.settings ?? []).map(({ name, before }) => [name, before]));
  assert.deepEqual(was, {
    "gpg.format": "openpgp",
    "user.signingkey": null,
    "commit.gpgSign": "true",
    "tag.gpgSign": null,
  });
  assert.equal(settingsOf(one), before);
  assert.equal(existsSync(join(one.home, ".ssh")), false);
  const words = await runHere(signingSetup, ["--dry-run"], one.repo.path);
  assert.match(words.stdout, /^ {9}gpg\.format = ssh {3}\(was openpgp\)$/m);
  assert.match(words.stdout, /^ {9}commit\.gpgSign = true {3}\(is so already\)$/m);
  assert.match(words.stdout, /^key {6}would make .*\/id_ed25519\.pub with ssh-keygen$/m);
});

test("where there is no key it makes one for its owner only, and says how to add a passphrase", async (t) => {
  const one = await scene(t);
  const words = await runHere(signingSetup, ["--yes"], one.repo.path);
  assert.equal(words.code, 0, words.stderr);
  assert.match(words.stdout, /^made {5}a new key; ssh-keygen -p -f .*\/id_ed25519 gives it a passphrase$/m);
  const file = join(one.home, ".ssh/id_ed25519");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  one.repo.git(["commit", "--quiet", "--allow-empty", "-m", "signed"]);
  assert.match(one.repo.git(["cat-file", "commit", "HEAD"]), /^gpgsig /m);
});

test("a private key that lost its public half is never written over", async (t) => {
  const one = await scene(t);
  mkdirSync(join(one.home, ".ssh"));
  writeFileSync(join(one.home, ".ssh/id_ed25519"), "precious");
  const before = settingsOf(one);
  const { code, stderr } = await setup(one, "--yes");
  assert.deepEqual([code, stderr.split("  ")[0]], [2, "usage"]);
  assert.deepEqual([readFileSync(join(one.home, ".ssh/id_ed25519"), "utf8"), settingsOf(one)], ["precious", before]);
});

test("trust request and approve take the key that git signs with, and the address that it knows", async (t) => {
  const one = await scene(t);
  const key = withKey(one);
  const before = await runHere(trustRequest, [], one.repo.path);
  assert.deepEqual([before.code, before.stderr.split("  ")[0]], [2, "usage"]);
  assert.match(before.stderr, /fix {2}--key FILE, or first: sluice signing setup\n$/);
  one.repo.git(["config", "user.email", "ada@example.com"]);
  const { report } = await setup(one, "--yes", "--key", key.file);
  assert.equal(report?.request, `sluice trust request --key ${key.file}.pub --email ada@example.com`);
  const shown = await runHere(trustRequest, [], one.repo.path);
  assert.ok(
    shown.stdout.includes(key.fingerprint) && shown.stdout.includes('email: ["ada@example.com"]'),
    shown.stderr,
  );
  // Nothing is there to approve; what matters is that no key is asked for.
  const approved = await runHere(approve, ["--target", "prod"], one.repo.path);
  assert.ok(approved.code > 0 && !approved.stderr.includes("--key"), approved.stderr);
});

test("--global sets it for all repositories, --key names a key, and a private key means the public one beside it", async (t) => {
  const one = await scene(t);
  const key = makeSshKey(one.home, "other");
  const before = settingsOf(one);
  const { code, report } = await setup(one, "--yes", "--global", "--key", key.file);
  assert.deepEqual([code, report?.scope, report?.key.file], [0, "global", `${key.file}.pub`]);
  assert.equal(settingsOf(one), before);
  assert.match(readFileSync(join(one.home, ".gitconfig"), "utf8"), /signingkey = .*other\.pub/);
  const nowhere = await runSluice(["signing", "setup", "--yes", "--global"], { cwd: one.repo.path });
  assert.match(
    nowhere.stderr,
    /^usage {2}\/dev\/null is no file for git's settings\.\n {7}fix {2}unset GIT_CONFIG_GLOBAL/,
  );
  const none = await setup(one, "--yes", "--key", "nothing");
  assert.deepEqual([none.code, none.stderr.split("  ")[0]], [2, "usage"]);
});

test("a worktree's settings are those of its repository, and a folder without one is refused", async (t) => {
  const one = await scene(t);
  withKey(one);
  one.repo.commit({ files: { a: "1" } });
  one.repo.git(["worktree", "add", "--quiet", "../second"]);
  const env = { HOME: one.home };
  const args = ["signing", "setup", "--yes", "--format", "json"];
  const run = await runSluice(args, { cwd: join(one.repo.path, "../second"), env });
  assert.equal(signingSetupSchema.parse(JSON.parse(run.stdout)).file, join(one.repo.path, ".git/config"));
  const outside = await runHere(signingSetup, ["--yes"], join(one.home, "../second/.."));
  assert.deepEqual([outside.code, outside.stderr.split("  ")[0]], [2, "not-a-repository"]);
});

test("on a terminal it asks, and only a yes is one", { skip: hasScript() ? false : "not installed" }, async (t) => {
  const one = await scene(t);
  withKey(one);
  const before = settingsOf(one);
  assert.match(onTerminal(one, "no\n"), /gpg\.format = ssh[\s\S]*Shall I\? \[y\/N\] [\s\S]*nothing was changed/);
  assert.equal(settingsOf(one), before);
  assert.match(onTerminal(one, "y\n"), /Shall I\? \[y\/N\] /);
  assert.equal(one.repo.git(["config", "--local", "gpg.format"]), "ssh");
});

function hasScript(): boolean {
  return spawnSync("script", ["--version"]).status === 0;
}

/** `script` of util-linux gives the command a terminal of its own. */
function onTerminal({ repo, home }: Scene, typed: string): string {
  const command = `'${process.execPath}' '${sluiceCommand()}' signing setup`;
  const surroundings = { PATH: process.env["PATH"] ?? "", TERM: "dumb", GIT_CONFIG_NOSYSTEM: "1", HOME: home };
  const run = spawnSync("script", ["-qec", command, "/dev/null"], {
    cwd: repo.path,
    env: surroundings,
    input: typed,
    encoding: "utf8",
  });
  return run.stdout;
}
