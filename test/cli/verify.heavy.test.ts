import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tagSchema, verifyTagsSchema } from "../../src/cli/reports/schemas/tags.ts";
import { verificationSchema, verifySchema } from "../../src/cli/reports/schemas.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey, type TestKey } from "./ssh-key.ts";

interface Scene {
  readonly folder: string;
  readonly repo: TestRepository;
  readonly ada: TestKey;
  readonly jo: TestKey;
}

/** Three commits: ada's signed, an unsigned one, jo's signed; trust/ knows ada only. */
async function scene(t: TestContext): Promise<Scene> {
  const folder = tempFolder(t);
  const repo = await repository(t, { path: join(folder, "repo") });
  const ada = makeSshKey(folder, "ada");
  const jo = makeSshKey(folder, "jo");
  repo.commit({ files: { a: "1" }, message: "first", signWith: ada.file });
  repo.commit({ files: { a: "2" }, message: "second" });
  repo.commit({ files: { a: "3" }, message: "third", signWith: jo.file, author: "Jo <jo@example.com>" });
  mkdirSync(join(folder, "trust"));
  writeFileSync(join(folder, "trust", "people.yaml"), people({ ada }));
  writeFileSync(join(folder, "allowed_signers"), `ada@example.com ${ada.line}\njo@example.com ${jo.line}\n`);
  return { folder, repo, ada, jo };
}

function people(keys: Readonly<Record<string, TestKey>>, more = ""): string {
  const entries = Object.entries(keys).map(
    ([id, key]) => `  ${id}:\n    email: [${id}@example.com]\n    roles: [platform]\n    keys: [${key.line}]\n${more}`,
  );
  return `people:\n${entries.join("")}`;
}

test("verify says of one commit who signed it, and exits 0", async (t) => {
  const { folder } = await scene(t);
  const run = await runSluice(["verify", "HEAD~2", "--repo", "repo", "--trust", "trust"], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  assert.match(
    run.stdout,
    /^VERIFIED \(preview\) {2}[0-9a-f]{7}: 1 verified, 0 rejected, against trust\nsigned {2}ada 1 \(ssh\)\n$/,
  );
});

test("verify --all looks at every reachable commit, summary first, then a line for each rejected one", async (t) => {
  const { folder, repo, jo } = await scene(t);
  const run = await runSluice(["verify", "--all", "HEAD", "--repo", "repo", "--trust", "trust"], { cwd: folder });
  assert.equal(run.code, 1);
  const lines = run.stdout.split("\n");
  assert.match(lines[0] ?? "", /^REJECTED \(preview\) .*: 1 verified, 2 rejected/);
  const [second = "", third = ""] = [repo.git(["rev-parse", "HEAD~1"]), repo.git(["rev-parse", "HEAD"])];
  assert.equal(lines[2], "rejected  unknown-signer 1, unsigned-commit 1");
  assert.equal(lines[3], `unsigned-commit  ${second.slice(0, 7)} "second"  ${second.slice(0, 7)} is unsigned.`);
  assert.ok(lines[4]?.startsWith(`unknown-signer  ${third.slice(0, 7)} "third"`) && lines[4].includes(jo.fingerprint));
  assert.match(run.stdout, /\nfix {2}unsigned-commit: /);
});

test("verify of a range leaves out what its base reaches", async (t) => {
  const { folder } = await scene(t);
  const args = ["verify", "HEAD~2..HEAD", "--repo", "repo", "--trust", "allowed_signers", "--format", "json"];
  const run = await runSluice(args, { cwd: folder });
  const report = verifySchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    report.verifications.map((one) => one.reason),
    ["unsigned-commit", null],
  );
  assert.deepEqual([report.counts, report.exitCode, run.code], [{ commits: 2, verified: 1, rejected: 1 }, 1, 1]);
});

test("verify --format json and ndjson are as their schemas say, and name the digest of what was signed", async (t) => {
  const { folder, repo } = await scene(t);
  const args = ["verify", "--all", "main", "--repo", "repo", "--trust", "trust", "--format"];
  const [json, lines] = await Promise.all(
    ["json", "ndjson"].map((format) => runSluice([...args, format], { cwd: folder })),
  );
  const report = verifySchema.parse(JSON.parse(json?.stdout ?? ""));
  const parsed = (lines?.stdout ?? "")
    .trimEnd()
    .split("\n")
    .map((line) => verificationSchema.parse(JSON.parse(line)));
  assert.deepEqual(parsed, report.verifications);
  assert.deepEqual([json?.code, lines?.code], [1, 1]);
  const raw = repo.git(["cat-file", "commit", "HEAD~2"]);
  const payload = `${raw.replace(/gpgsig .*\n(?: .*\n)+/, "")}\n`;
  assert.equal(parsed[0]?.payloadSha256, sha256Hex(payload));
  assert.deepEqual([report.informational, parsed[0]?.timeBasis, report.trust.kind], [false, "now", "folder"]);
});

test("verify reads an armoured keyring and agrees with gpg", async (t) => {
  const folder = tempFolder(t);
  const home = join(folder, "gnupg");
  mkdirSync(home, { mode: 0o700 });
  const env = { GNUPGHOME: home, PATH: process.env["PATH"] ?? "" };
  const gpg = (...args: string[]) => spawnSync("gpg", ["--batch", "--quiet", ...args], { env, encoding: "utf8" });
  t.after(() => spawnSync("gpgconf", ["--kill", "all"], { env }));
  gpg("--passphrase", "", "--quick-generate-key", "Ada <ada@example.com>", "ed25519", "sign", "never");
  const repo = await repository(t, { path: join(folder, "repo") });
  repo.write({ a: "1" });
  repo.git(["add", "a"]);
  repo.git(["-c", "user.signingkey=ada@example.com", "commit", "-q", "-S", "-m", "signed"], { env });
  const armoured = gpg("--armor", "--export").stdout;
  writeFileSync(join(folder, "keys.asc"), armoured);
  const args = ["verify", "HEAD", "--repo", "repo", "--trust", "keys.asc", "--format", "json"];
  const run = await runSluice(args, { cwd: folder });
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const report = verifySchema.parse(JSON.parse(run.stdout));
  assert.equal(report.verifications[0]?.signer?.person, "ada@example.com");
  assert.equal(repo.git(["log", "-1", "--format=%GP"], { env }), report.verifications[0]?.signer?.key);
});

test("verify --at looks at trust as of then and says that this is for information only", async (t) => {
  const { folder, ada } = await scene(t);
  const text = `people:\n  ada:\n    email: [ada@example.com]\n    left: 2026-06-01\n    keys: [${ada.line}]\n`;
  writeFileSync(join(folder, "trust", "people.yaml"), text);
  const args = ["verify", "HEAD~2", "--repo", "repo", "--trust", "trust", "--format", "json"];
  const now = await runSluice(args, { cwd: folder });
  const then = await runSluice([...args, "--at", "2026-05-01"], { cwd: folder });
  const [today, past] = [now, then].map((run) => verifySchema.parse(JSON.parse(run.stdout)));
  assert.deepEqual([now.code, today?.verifications[0]?.reason], [1, "signer-left"]);
  assert.deepEqual([then.code, past?.informational, past?.verifications[0]?.timeBasis], [0, true, "given"]);
  assert.equal(past?.at, "2026-05-01T00:00:00.000Z");
  const words = await runSluice(["verify", "HEAD~2", "--repo", "repo", "--trust", "trust", "--at", "2026-05-01"], {
    cwd: folder,
  });
  assert.match(words.stdout.split("\n")[0] ?? "", /as of 2026-05-01T00:00:00\.000Z \(information only\)$/);
});

test("verify --tags says of each tag who signed it and whether it lies under its own name", async (t) => {
  const { folder, repo, ada, jo } = await scene(t);
  const sign = (key: TestKey, name: string): string =>
    repo.git(["-c", "gpg.format=ssh", "-c", `user.signingkey=${key.file}`, "tag", "-s", "-m", name, name]);
  sign(ada, "v1.0");
  const args = ["verify", "--tags", "--repo", "repo", "--trust", "trust"];
  const fine = await runSluice(args, { cwd: folder });
  assert.deepEqual([fine.code, fine.stderr], [0, ""]);
  assert.match(
    fine.stdout,
    /^VERIFIED \(preview\) {2}1 tags: 1 verified, 0 rejected, against trust\nsigned {2}ada 1 \(ssh\)\n$/,
  );
  sign(jo, "v1.1");
  repo.git(["update-ref", "refs/tags/v9.9", "refs/tags/v1.0"]);
  repo.git(["tag", "light"]);
  repo.git(["pack-refs", "--all"]);
  const text = await runSluice(args, { cwd: folder });
  assert.equal(text.code, 1);
  assert.match(text.stdout, /\ntag-mismatch {2}v9\.9 {2}refs\/tags\/v9\.9 holds the signed tag v1\.0\.\n/);
  assert.match(text.stdout, /\nfix {2}tag-mismatch: /);
  const [json, lines] = await Promise.all(
    ["json", "ndjson"].map((format) => runSluice([...args, "--format", format], { cwd: folder })),
  );
  const report = verifyTagsSchema.parse(JSON.parse(json?.stdout ?? ""));
  assert.deepEqual(
    report.tags.map((one) => [one.ref, one.reason]),
    [
      ["refs/tags/light", "unsigned-tag"],
      ["refs/tags/v1.0", null],
      ["refs/tags/v1.1", "unknown-signer"],
      ["refs/tags/v9.9", "tag-mismatch"],
    ],
  );
  assert.deepEqual(report.counts, { tags: 4, verified: 1, rejected: 3 });
  const parsed = (lines?.stdout ?? "")
    .trimEnd()
    .split("\n")
    .map((line) => tagSchema.parse(JSON.parse(line)));
  assert.deepEqual(parsed, report.tags);
});

test("verify shows the signed tags that a merge keeps, and takes keys on a list of revoked ones away", async (t) => {
  const { folder, repo, ada } = await scene(t);
  repo.branch("side", "HEAD~2");
  repo.commit({ files: { b: "1" }, signWith: ada.file });
  repo.git(["-c", "gpg.format=ssh", "-c", `user.signingkey=${ada.file}`, "tag", "-s", "-m", "side", "side-1"]);
  repo.checkout("main");
  repo.git([
    "-c",
    "gpg.format=ssh",
    "-c",
    `user.signingkey=${ada.file}`,
    "merge",
    "-q",
    "-S",
    "--no-ff",
    "-m",
    "m",
    "side-1",
  ]);
  const args = ["verify", "HEAD", "--repo", "repo", "--trust", "trust"];
  const run = await runSluice([...args, "--format", "json"], { cwd: folder });
  const report = verifySchema.parse(JSON.parse(run.stdout));
  const [kept] = report.verifications[0]?.mergetags ?? [];
  assert.deepEqual([run.code, kept?.kind, kept?.name, kept?.signer?.person], [0, "verified", "side-1", "ada"]);
  writeFileSync(join(folder, "revoked"), `# lost\n${ada.line}\n`);
  const revoked = await runSluice([...args, "--revoked", "revoked", "--format", "json"], { cwd: folder });
  const without = verifySchema.parse(JSON.parse(revoked.stdout));
  assert.deepEqual([revoked.code, without.verifications[0]?.reason], [1, "key-revoked"]);
  assert.notEqual(without.trust.digest, report.trust.digest);
});

test("verify accepts a file of certificate authorities alone, and notes a time without zone", async (t) => {
  const { folder, ada } = await scene(t);
  const line = `*@example.com cert-authority,valid-before="20990101" ${ada.line}\n`;
  writeFileSync(join(folder, "authorities"), line);
  const run = await runSluice(["verify", "HEAD~2", "--repo", "repo", "--trust", "authorities"], { cwd: folder });
  assert.equal(run.code, 1);
  assert.match(run.stdout, /\nnote {2}authorities:1 valid-before="20990101" has no zone and is read as UTC/);
  assert.match(run.stdout, /\nunknown-signer /);
});

test("verify never writes a stranger's control characters to the terminal", async (t) => {
  const { folder, repo } = await scene(t);
  repo.commit({ files: { a: "4" }, message: "\u001b[2Jall verified\u202e" });
  const run = await runSluice(["verify", "HEAD", "--repo", "repo", "--trust", "trust"], { cwd: folder });
  assert.equal(run.code, 1);
  assert.match(run.stdout, /"\\u\{1b\}\[2Jall verified\\u\{202e\}"/);
  assert.equal(/[\u001b\u202e]/.test(run.stdout + run.stderr), false);
});

test("verify refuses what cannot be answered, each with its own code and exit code", async (t) => {
  const { folder, repo, ada } = await scene(t);
  writeFileSync(join(folder, "empty"), "# nobody\n");
  spawnSync("ssh-keygen", ["-q", "-k", "-f", join(folder, "krl"), `${ada.file}.pub`]);
  mkdirSync(join(folder, "bare-trust"));
  repo.commit({ files: { b: "1" }, message: "fourth", signWith: ada.file });
  const parent = repo.git(["rev-parse", "HEAD~3"]);
  const refusals: [string[], number, string][] = [
    [["--all", "HEAD", "--trust", "no-such-file"], 2, "configuration-missing"],
    [["--all", "HEAD", "--trust", "empty"], 3, "allowed-signers-invalid"],
    [["--all", "HEAD", "--trust", "bare-trust"], 3, "trust-missing"],
    [["HEAD", "--trust", `${ada.file}.pub`], 2, "signer-principal-missing"],
    [["no-such-branch", "--trust", "trust"], 2, "unknown-revision"],
    [["HEAD..HEAD", "--trust", "trust"], 2, "empty-range"],
    [["HEAD..HEAD~1", "--trust", "trust"], 2, "empty-range"],
    [["HEAD~1...HEAD", "--trust", "trust"], 2, "usage"],
    [["--all", "HEAD~1..HEAD", "--trust", "trust"], 2, "usage"],
    [["HEAD"], 2, "usage"],
    [["--trust", "trust"], 2, "usage"],
    [["HEAD", "--trust", "trust", "--at", "yesterday"], 2, "usage"],
    [["HEAD", "--trust", "trust", "--format", "xml"], 2, "usage"],
    [["--tags", "--trust", "trust"], 2, "empty-range"],
    [["--tags", "HEAD", "--trust", "trust"], 2, "usage"],
    [["--tags", "--all", "--trust", "trust"], 2, "usage"],
    [["HEAD", "--trust", "trust", "--revoked", "no-such-file"], 2, "configuration-missing"],
    [["HEAD", "--trust", "trust", "--revoked", "allowed_signers"], 3, "revoked-key-invalid"],
    [["HEAD", "--trust", "trust", "--revoked", "krl"], 2, "not-supported"],
  ];
  const runs = await Promise.all(
    refusals.map(([args]) => runSluice(["verify", ...args, "--repo", "repo"], { cwd: folder })),
  );
  for (const [index, [args, code, word]] of refusals.entries()) {
    const run = runs[index];
    assert.deepEqual([run?.code, run?.stderr.split("  ")[0], run?.stdout], [code, word, ""], args.join(" "));
  }
  const elsewhere = await runSluice(["verify", "HEAD", "--trust", "trust", "--repo", "bare-trust"], { cwd: folder });
  assert.deepEqual([elsewhere.code, elsewhere.stderr.split("  ")[0]], [2, "not-a-repository"]);
  const object = join(repo.path, ".git", "objects", parent.slice(0, 2), parent.slice(2));
  rmSync(object);
  const broken = await runSluice(["verify", "--all", "HEAD", "--repo", "repo", "--trust", "trust"], { cwd: folder });
  assert.deepEqual([broken.code, broken.stdout], [3, ""], broken.stderr);
});

test("verify leaves the repository as it was and runs nothing of its configuration", async (t) => {
  const { folder, repo } = await scene(t);
  const config = join(repo.path, ".git", "config");
  const marker = join(folder, "ran");
  writeFileSync(
    config,
    `${readFileSync(config, "utf8")}[core]\n\tfsmonitor = touch ${marker}\n[gpg]\n\tprogram = touch ${marker}\n`,
  );
  const before = spawnSync("find", [repo.path, "-newer", config]).stdout.toString();
  const run = await runSluice(["verify", "--all", "HEAD", "--repo", "repo", "--trust", "trust"], { cwd: folder });
  assert.equal(run.code, 1);
  assert.equal(existsSync(marker), false);
  assert.equal(spawnSync("find", [repo.path, "-newer", config]).stdout.toString(), before);
});
