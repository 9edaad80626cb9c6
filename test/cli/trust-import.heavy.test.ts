import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { trustImportSchema } from "../../src/cli/reports/schemas/trust-import.ts";
import { verifySchema } from "../../src/cli/reports/schemas.ts";
import { repository } from "../support/repository.ts";
import { GpgHome } from "../support/signing.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

async function importJson(folder: string, args: readonly string[]) {
  const run = await runSluice(["trust", "import", ...args, "--format", "json"], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, ""], run.stdout);
  return trustImportSchema.parse(JSON.parse(run.stdout));
}

/** What `verify` says of HEAD's history with the folder that an import wrote. */
async function verified(folder: string, trust: string): Promise<readonly (string | null)[]> {
  const args = ["verify", "--all", "HEAD", "--repo", "repo", "--trust", trust, "--format", "json"];
  const run = await runSluice(args, { cwd: folder });
  return verifySchema.parse(JSON.parse(run.stdout)).verifications.map((one) => one.signer?.person ?? one.reason);
}

test("trust import --from-history groups keys by address and count, and its folder verifies that history", async (t) => {
  const folder = tempFolder(t);
  const repo = await repository(t, { path: join(folder, "repo") });
  const [ada, laptop, jo] = [makeSshKey(folder, "ada"), makeSshKey(folder, "laptop"), makeSshKey(folder, "jo")];
  repo.commit({ files: { a: "0" } });
  repo.commit({ files: { a: "1" }, signWith: ada.file });
  repo.commit({ files: { a: "2" }, signWith: ada.file });
  repo.commit({ files: { a: "3" }, signWith: laptop.file });
  repo.commit({ files: { a: "4" }, signWith: jo.file, author: "Jo <Jo@Example.com>" });
  const report = await importJson(folder, ["--from-history", "500", "--repo", "repo", "--into", "trust"]);
  assert.deepEqual(
    report.people.map(({ id, emails, keys }) => [id, emails, keys.map((key) => [key.fingerprint, key.source])]),
    [
      [
        "ada",
        ["ada@example.com"],
        [
          [ada.fingerprint, "2 of 5 commits"],
          [laptop.fingerprint, "1 of 5 commits"],
        ],
      ],
      ["jo", ["jo@example.com"], [[jo.fingerprint, "1 of 5 commits"]]],
    ],
  );
  assert.deepEqual(report.written, ["trust/people.yaml"]);
  assert.equal(readFileSync(join(folder, "trust", "people.yaml"), "utf8"), report.files["people.yaml"]);
  assert.match(report.files["people.yaml"] ?? "", new RegExp(`# ${ada.fingerprint.replaceAll("+", "\\+")}, 2 of 5`));
  assert.deepEqual(await verified(folder, "trust"), ["unsigned-commit", "ada", "ada", "ada", "jo"]);
});

test("trust import takes only signatures that are right, and says what it cannot take", async (t) => {
  const folder = tempFolder(t);
  const repo = await repository(t, { path: join(folder, "repo") });
  const [ada, eve] = [makeSshKey(folder, "ada"), makeSshKey(folder, "eve")];
  repo.commit({ files: { a: "1" }, signWith: eve.file });
  const forged = repo.git(["cat-file", "commit", "HEAD"]).replace(/commit 1$/, "forged");
  repo.git(["update-ref", "refs/heads/main", repo.object("commit", `${forged}\n`)]);
  repo.commit({ files: { a: "2" }, signWith: ada.file });
  const gpg = new GpgHome(t);
  const key = gpg.key("Ada <ada@example.com>", "ed25519");
  repo.git(["-c", `user.signingkey=${key}`, "commit", "-q", "-S", "--allow-empty", "-m", "gpg"], { env: gpg.env });
  const report = await importJson(folder, ["--from-history", "9", "--repo", "repo"]);
  assert.deepEqual(
    report.people.flatMap((one) => one.keys.map((found) => found.fingerprint)),
    [ada.fingerprint],
  );
  assert.deepEqual(report.skipped, [{ what: "1 of 3 commits", why: `Nobody owns the OpenPGP key ${key}` }]);
});

test("trust import joins allowed_signers, a keyring and Flux's Secret by address, each key once", async (t) => {
  const folder = tempFolder(t);
  const repo = await repository(t, { path: join(folder, "repo") });
  const [ada, jo, ca] = [makeSshKey(folder, "ada"), makeSshKey(folder, "jo"), makeSshKey(folder, "ca")];
  const gpg = new GpgHome(t);
  const key = gpg.key("Ada <ada@example.com>", "ed25519");
  const other = gpg.key("Lin <lin@example.com>", "ed25519");
  const lines = [
    `ada@example.com,ada@example.org valid-after="20250101Z",valid-before="20991231Z" ${ada.line}`,
    `*@example.com ${jo.line}`,
    `jo@example.com namespaces="file" ${jo.line}`,
    `*@example.com,!root@* cert-authority ${ca.line}`,
  ];
  writeFileSync(join(folder, "signers"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "keys.asc"), gpg.export(key));
  const data = {
    "lin.asc": gpg.export(other).toString("base64"),
    "jo.pub": Buffer.from(`${jo.line}@example.com\n`).toString("base64"),
  };
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "pgp" }, data };
  writeFileSync(join(folder, "secret.yaml"), JSON.stringify(secret));
  const sources = [
    "--allowed-signers",
    "signers",
    "--keyring",
    "keys.asc",
    "--flux",
    "secret.yaml",
    "--flux",
    "secret.yaml",
  ];
  const report = await importJson(folder, [...sources, "--into", "trust"]);
  assert.deepEqual(
    report.people.map(({ id, emails, keys }) => [id, emails, keys.map((one) => one.fingerprint)]),
    [
      ["ada", ["ada@example.com", "ada@example.org"], [ada.fingerprint, key]],
      ["lin", ["lin@example.com"], [other]],
      ["jo", ["jo@example.com"], [jo.fingerprint]],
    ],
  );
  assert.deepEqual(report.authorities, [
    { fingerprint: ca.fingerprint, patterns: ["*@example.com", "!root@*"], source: "signers" },
  ]);
  assert.deepEqual(
    report.skipped.map((one) => one.why),
    ["its principals name no single e-mail address", "it is listed for another namespace than git"],
  );
  assert.deepEqual(report.written, ["trust/keys/ada-2.asc", "trust/keys/lin.asc", "trust/people.yaml"]);
  assert.match(report.files["people.yaml"] ?? "", /from: 2025-01-01T00:00:00Z, until: 2099-12-31T00:00:01Z/);
  repo.commit({ files: { a: "1" }, signWith: ada.file });
  repo.git(["-c", `user.signingkey=${other}`, "commit", "-q", "-S", "--allow-empty", "-m", "gpg"], { env: gpg.env });
  const certified = spawnSync("ssh-keygen", ["-q", "-s", ca.file, "-I", "x", "-n", "jo@example.com", `${jo.file}.pub`]);
  assert.equal(certified.status, 0);
  repo.commit({ files: { a: "2" }, signWith: `${jo.file}-cert.pub` });
  assert.deepEqual(await verified(folder, "trust"), ["ada", "lin", "jo"]);
});

test("trust import without --into shows the file that it would write, and writes nothing", async (t) => {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  writeFileSync(join(folder, "signers"), `"a#d,\\"a@example.com" ${ada.line}\nada@example.com ${ada.line}\n`.slice(0));
  const refused = await runSluice(["trust", "import", "--allowed-signers", "signers"], { cwd: folder });
  assert.deepEqual([refused.code, refused.stderr.split("  ")[0]], [3, "allowed-signers-invalid"]);
  writeFileSync(join(folder, "signers"), `a#d]:"@example.com ${ada.line}\n`.replace('"', "'"));
  const shown = await runSluice(["trust", "import", "--allowed-signers", "signers"], { cwd: folder });
  assert.deepEqual([shown.code, shown.stderr], [0, ""]);
  assert.match(shown.stdout, /email: \["a#d\]:'@example\.com"\]/);
  mkdirSync(join(folder, "trust"));
  writeFileSync(join(folder, "trust", "people.yaml"), shown.stdout);
  const list = await runSluice(["trust", "list", "--trust", "trust"], { cwd: folder });
  assert.equal(list.code, 0, list.stderr);
});

test("trust import refuses what it cannot read or write, each with its code", async (t) => {
  const folder = tempFolder(t);
  await repository(t, { path: join(folder, "repo") }).then((repo) => repo.commit({ files: { a: "1" } }));
  const ada = makeSshKey(folder, "ada");
  writeFileSync(join(folder, "signers"), `ada@example.com ${ada.line}\n`);
  writeFileSync(join(folder, "map.yaml"), "kind: ConfigMap\ndata: {a: b}\n");
  writeFileSync(join(folder, "broken.yaml"), "kind: [\n");
  writeFileSync(join(folder, "latin"), Buffer.of(0xff, 0xfe));
  mkdirSync(join(folder, "trust"));
  writeFileSync(join(folder, "trust", "people.yaml"), "people: {}\n");
  const refusals: readonly [string[], number, string][] = [
    [[], 3, "trust-import-empty"],
    [["--from-history", "9", "--repo", "repo"], 3, "trust-import-empty"],
    [["--from-history", "none", "--repo", "repo"], 2, "usage"],
    [["--allowed-signers", "no-such-file"], 2, "configuration-missing"],
    [["--allowed-signers", "latin"], 3, "trust-import-invalid"],
    [["--allowed-signers", "map.yaml"], 3, "allowed-signers-invalid"],
    [["--keyring", "signers"], 3, "keyring-invalid"],
    [["--flux", "map.yaml"], 3, "trust-import-invalid"],
    [["--flux", "broken.yaml"], 3, "trust-import-invalid"],
    [["--allowed-signers", "signers", "--into", "trust"], 2, "usage"],
  ];
  for (const [args, code, word] of refusals) {
    const run = await runSluice(["trust", "import", ...args], { cwd: folder });
    assert.deepEqual([run.code, run.stderr.split("  ")[0], run.stdout], [code, word, ""], args.join(" "));
  }
  assert.equal(readFileSync(join(folder, "trust", "people.yaml"), "utf8"), "people: {}\n");
});
