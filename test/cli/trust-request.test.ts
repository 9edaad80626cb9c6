import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { trustRequestSchema } from "../../src/cli/reports/schemas/trust-request.ts";
import { trustListSchema, verifySchema } from "../../src/cli/reports/schemas.ts";
import { repository } from "../support/repository.ts";
import { GpgHome } from "../support/signing.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

test("trust request prints a block that, added below people:, makes the newcomer's commits count", async (t) => {
  const folder = tempFolder(t);
  const [jo, ada] = [makeSshKey(folder, "jo"), makeSshKey(folder, "ada")];
  const args = ["trust", "request", "--key", `${ada.file}.pub`, "--email", "Ada@Example.com"];
  const run = await runSluice([...args, "--format", "json"], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  const { person, key, block, files, emails } = trustRequestSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    [person, emails, key, files],
    ["ada", ["ada@example.com"], { format: "ssh", fingerprint: ada.fingerprint }, {}],
  );
  const shown = await runSluice(args, { cwd: folder });
  assert.ok(shown.stdout.includes(`#   ${ada.fingerprint}\n`) && shown.stdout.endsWith(block));
  const trust = join(folder, "trust");
  mkdirSync(trust);
  const before = `people:\n  jo: {email: [jo@example.com], keys: [${jo.line}]}\n`;
  // Whole as it was printed: its words for people are comments.
  writeFileSync(join(trust, "people.yaml"), before + shown.stdout);
  const list = await runSluice(["trust", "list", "--trust", trust, "--format", "json"], { cwd: folder });
  const { owners } = trustListSchema.parse(JSON.parse(list.stdout));
  assert.deepEqual(
    owners.map(({ id }) => id),
    ["ada", "jo"],
  );
  const repo = await repository(t, { path: join(folder, "repo") });
  repo.commit({ files: { a: "1" }, signWith: ada.file });
  const verified = await runSluice(["verify", "--all", "HEAD", "--trust", trust, "--format", "json"], {
    cwd: repo.path,
  });
  assert.equal(verifySchema.parse(JSON.parse(verified.stdout)).verifications[0]?.signer?.person, "ada");
});

test("trust request of an OpenPGP key names its addresses and hands the key file on", async (t) => {
  const folder = tempFolder(t);
  const gpg = new GpgHome(t);
  const fingerprint = gpg.key("Ada <ada@example.com>", "ed25519");
  writeFileSync(join(folder, "me.asc"), gpg.gpg(["--armor", "--export", fingerprint]));
  const args = ["trust", "request", "--key", "me.asc"];
  const run = await runSluice([...args, "--format", "json"], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  const { key, block, files } = trustRequestSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual([key.format, key.fingerprint.toLowerCase()], ["openpgp", fingerprint.toLowerCase()]);
  assert.deepEqual(Object.keys(files), ["keys/ada.asc"]);
  assert.match((await runSluice(args, { cwd: folder })).stdout, /\n# in trust\/keys\/ada\.asc:\n-----BEGIN PGP/);
  const trust = join(folder, "trust");
  mkdirSync(join(trust, "keys"), { recursive: true });
  writeFileSync(join(trust, "people.yaml"), `people:\n${block}`);
  writeFileSync(join(trust, "keys", "ada.asc"), files["keys/ada.asc"] ?? "");
  const list = await runSluice(["trust", "list", "--trust", trust, "--format", "json"], { cwd: folder });
  const { owners } = trustListSchema.parse(JSON.parse(list.stdout));
  assert.deepEqual(
    owners.map(({ id, emails, keys }) => [id, emails, keys[0]?.isUsable]),
    [["ada", ["ada@example.com"], true]],
  );
});

test("trust request refuses a private key, what is no key and an address that is none", async (t) => {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  writeFileSync(join(folder, "text"), "hello\n");
  const mail = ["--email", "ada@example.com"];
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [["--key", ada.file, ...mail], "usage"],
    [["--key", "text", ...mail], "usage"],
    [["--key", "absent.pub", ...mail], "configuration-missing"],
    [["--key", `${ada.file}.pub`], "usage"],
    [mail, "usage"],
  ];
  for (const [args, code] of wrong) {
    const run = await runSluice(["trust", "request", ...args], { cwd: folder });
    assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [2, "", code], args.join(" "));
    assert.equal(run.stderr.includes(readFileSync(ada.file, "utf8").slice(60, 90)), false);
  }
  const hostile = ["--key", `${ada.file}.pub`, "--email", "a\n  eve: {}@b"];
  const run = await runSluice(["trust", "request", ...hostile], { cwd: folder });
  assert.notEqual(run.code, 0);
  assert.equal(run.stdout, "");
});
