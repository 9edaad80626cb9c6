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
    ["no key", [], 2, "usage"],
    ["a key without its public half", ["--key", world.path("no-such-key")], 2, "secret-missing"],
  ];
  await Promise.all(
    refusals.map(async ([what, args, code, error]) => {
      const run = await world.sluice(["approve", head, ...OPTIONS, ...args], { env });
      assert.deepEqual([run.code, run.error, run.stdout], [code, error, ""], what);
    }),
  );
  const elsewhere = await world.sluice(["approve", head, ...OPTIONS, "--openpgp", fingerprint]);
  assert.deepEqual([elsewhere.code, elsewhere.error], [2, "secret-missing"], "the secret key is not here");
  assert.deepEqual(
    readdirSync(world.path("tmp")).filter((name) => name.startsWith("sluice-approve")),
    [],
  );
});
