/** SHA-1 signatures of old history: the trust folder says whose count and until when, a target may say less. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { adoptTarget } from "../../src/gate/adopt.ts";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { openPgpSigner } from "../support/openpgp-signer.ts";
import { deployment, document, type Json } from "../support/shop.ts";
import { readCommit } from "../support/signing.ts";
import { makeWorld, type World } from "../support/world.ts";
import { propose, withGate } from "./gate-world.ts";

const seconds = (day: string): number => Date.parse(day) / 1000;
const old = openPgpSigner("Ada <ada@example.com>", seconds("2017-01-01"));
const base = await makeWorld({ after }, { files: { "trust/keys/old.asc": old.certificate }, adopt: false });

/** Adopted with ada's old key, whose SHA-1 signatures count until 2020, and this rule of the target's. */
async function adopted(world: World, signatures: Json): Promise<void> {
  const ada = world.person("ada", {
    keys: [world.publicKey("ada"), { file: "keys/old.asc", sha1Until: "2020-01-01" }],
  });
  const people = { ...(world.trust()["people"] as object), ada };
  const prod = { branch: "main", path: "clusters/prod", signatures };
  const sluice = { version: 1, ignore: ["*.md"], targets: { prod } };
  world.push({
    files: { "trust/people.yaml": document(world.trust({ people })), "sluice.yaml": document(sluice) },
  });
  await withGate(world, (gate) => adoptTarget(gate, { target: "prod", at: null, reason: "what runs", by: "ops" }));
}

/** A proposal that ada signed with the old key over SHA-1 on that day. */
function signedOn(world: World, day: string): CommitId {
  const bare = world.propose({
    files: { "clusters/prod/web.yaml": deployment("web", { replicas: 2 }) },
    signed: false,
  });
  const raw = readCommit(world.repo.path, bare);
  const split = raw.indexOf("\n\n") + 1;
  const signature = old
    .sign(raw, { hash: "sha1", created: seconds(day) })
    .trimEnd()
    .replaceAll("\n", "\n ");
  const signed = Buffer.concat([raw.subarray(0, split), Buffer.from(`gpgsig ${signature}\n`), raw.subarray(split)]);
  const head = commitId(world.repo.object("commit", signed));
  world.repo.git(["push", "--quiet", "--force", "origin", `${head}:refs/heads/old-${day}`]);
  return head;
}

test("a target allows fewer SHA-1 signatures than the trust folder, by its own day", async (t) => {
  const said: string[][] = [];
  for (const signatures of [{}, { sha1Until: "2019-01-01" }, { sha1Until: "2026-01-01" }]) {
    const world = base.copy(t);
    await adopted(world, signatures);
    const codes: string[] = [];
    for (const day of ["2018-06-01", "2019-06-01", "2020-06-01"]) {
      const { verifications, verdict } = await propose(world, signedOn(world, day));
      codes.push(...verifications.map((one) => (one.kind === "rejected" ? one.reason : verdict)));
    }
    said.push(codes);
  }
  const folders = ["allow", "allow", "weak-algorithm"];
  assert.deepEqual(said, [folders, ["allow", "weak-algorithm", "weak-algorithm"], folders]);
});
