import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { deployment, document } from "../support/shop.ts";
import { GpgHome } from "../support/signing.ts";
import { makeWorld, onlyTarget, reasonCodes } from "../support/world.ts";

const GOOD = { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) };
const OPTIONS = ["--target", "prod", "--format", "json"];

test("an approval signed by gpg counts at the gate, for the person whose key it is", async (t) => {
  const home = new GpgHome(t);
  const fingerprint = home.key("Jo <jo@example.com>", "ed25519");
  const stranger = home.key("Eve <eve@example.com>", "ed25519");
  const world = await makeWorld(t, { adopt: false });
  const jo = world.person("jo", { roles: ["platform"], keys: [{ file: "keys/jo.asc" }] });
  const people = { ada: world.person("ada"), lin: world.person("lin"), jo };
  world.push({ files: { "trust/people.yaml": document({ people }), "trust/keys/jo.asc": home.export(fingerprint) } });
  await world.adopt();
  const head = world.propose({ files: GOOD });
  const env = { GNUPGHOME: home.path };
  const spaced = fingerprint.replace(/(.{4})(?=.)/g, "$1 ").toLowerCase();
  const made = await world.sluice(["approve", head, ...OPTIONS, "--openpgp", spaced], { env });
  assert.deepEqual([made.code, made.stderr], [0, ""]);
  const { ref, statement } = made.report as { ref: string; statement: { approver: string } };
  assert.equal(statement.approver, "jo");
  assert.deepEqual(reasonCodes((await world.check(head)).report), ["approval-missing"]);
  world.repo.git(["push", "--quiet", "origin", ref]);
  const { approvals, verdict } = onlyTarget((await world.check(head)).report);
  assert.equal(verdict, "allow");
  assert.deepEqual(
    approvals.given.map(({ person, key }) => [person, key]),
    [["jo", fingerprint]],
  );
  const refusals: readonly (readonly [string, readonly string[], number, string])[] = [
    ["a key that nobody owns", ["--openpgp", stranger], 1, "unknown-signer"],
    ["half a fingerprint", ["--openpgp", fingerprint.slice(24)], 2, "usage"],
    ["two keys", ["--openpgp", fingerprint, "--key", world.key("lin")], 2, "usage"],
    ["a key without its public half", ["--key", world.path("no-such-key")], 2, "secret-missing"],
  ];
  await Promise.all(
    refusals.map(async ([what, args, code, error]) => {
      const run = await world.sluice(["approve", head, ...OPTIONS, ...args], { env });
      assert.deepEqual([run.code, run.error, run.stdout], [code, error, ""], what);
    }),
  );
  const without = await world.sluice(["approve", head, ...OPTIONS], { env });
  assert.equal(without.code, 2);
  assert.match(
    without.stderr,
    /^usage {2}--key is missing, and git signs with no SSH key yet\.\n.* or first: sluice signing setup\n/,
  );
  const elsewhere = await world.sluice(["approve", head, ...OPTIONS, "--openpgp", fingerprint]);
  assert.deepEqual([elsewhere.code, elsewhere.error], [2, "secret-missing"], "the secret key is not here");
  assert.deepEqual(
    readdirSync(world.path("tmp")).filter((name) => name.startsWith("sluice-approve")),
    [],
  );
});

test("what cannot count is not signed: one's own change, and what has landed below the tip", async (t) => {
  const world = await makeWorld(t, { adopt: false });
  const head = world.propose({ by: "ada", files: GOOD });
  const asked = (by: "ada" | "lin", revision: string) =>
    world.sluice(["approve", revision, ...OPTIONS, "--key", world.key(by)]);
  const own = await asked("ada", head);
  assert.deepEqual([own.code, own.error, own.stdout], [1, "approval-by-author", ""]);
  assert.match(own.stderr, /ada had a hand in [0-9a-f]{7}, so an approval by ada cannot count for prod/);
  assert.match(own.stderr, /Who can: jo \(security\), lin \(platform\)/);
  assert.equal(world.repo.git(["for-each-ref", "refs/sluice/approvals/"]), "");
  assert.equal((await asked("lin", head)).code, 0);
  const older = world.repo.git(["rev-parse", "origin/main"]);
  const tip = world.push({ by: "ada", files: GOOD });
  world.fetch();
  const below = await asked("lin", older);
  assert.deepEqual([below.code, below.error, below.stdout], [1, "approval-landed", ""]);
  assert.ok(below.stderr.includes(`sluice approve ${tip.slice(0, 7)} --target prod`));
  assert.equal((await asked("ada", tip)).error, "approval-by-author");
  assert.equal((await asked("lin", tip)).code, 0, "the tip may wait for somebody who did not write it");
});

test("what landed is not approved where approvals are bound to a change", async (t) => {
  const world = await makeWorld(t, { adopt: false, target: { approvals: { count: 1, bind: "change" } } });
  const tip = world.push({ by: "ada", files: GOOD });
  world.fetch();
  const run = await world.sluice(["approve", tip, ...OPTIONS, "--key", world.key("lin")]);
  assert.deepEqual([run.code, run.error, run.stdout], [1, "approval-landed", ""]);
});

test("an approval made in a clone of another name counts: a repository is called as at its origin", async (t) => {
  const world = await makeWorld(t);
  const head = world.propose({ by: "ada", files: GOOD });
  const clone = world.path("of-lin");
  world.repo.git(["clone", "--quiet", world.path("shop.git"), clone]);
  const made = await world.sluice(["approve", head, ...OPTIONS, "--key", world.key("lin"), "--repo", clone]);
  const { ref, statement } = made.report as { ref: string; statement: { repository: string } };
  assert.equal(statement.repository, "shop");
  world.repo.git(["-C", clone, "push", "--quiet", "origin", ref]);
  assert.equal(onlyTarget((await world.check(head)).report).verdict, "allow");
});
