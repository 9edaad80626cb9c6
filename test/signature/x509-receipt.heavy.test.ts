/** A gitsign commit without any proof of time, at a gate: what counts is when the gate first saw it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { land, makeGateWorld, propose } from "../gate/gate-world.ts";
import { deployment } from "../support/shop.ts";
import { readCommit } from "../support/signing.ts";
import type { World } from "../support/world.ts";
import { armoured, cms } from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const MINUTE_MS = 60_000;
const EMAIL = "ada@example.com";
const sigstore = new Sigstore();
const own = { root: "root.json", identities: [{ issuer: PROVIDER, email: EMAIL, person: "ada" }] };
const base = await makeGateWorld(
  { after },
  { trust: { authorities: { own } }, files: { "trust/root.json": sigstore.trustedRoot() } },
);
const later = (minutes: number) => () => Date.now() + minutes * MINUTE_MS;

/** On a branch of the forge, signed with a certificate that began a minute ago. */
function signedByGitsign(world: World): CommitId {
  world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) }, signed: false });
  const raw = readCommit(world.repo.path, "HEAD").toString("latin1");
  const signer = sigstore.identity({ name: { email: EMAIL }, from: Date.now() - MINUTE_MS });
  const armour = armoured(cms(Buffer.from(raw, "latin1"), signer))
    .trimEnd()
    .replaceAll("\n", "\n ");
  const signed = raw.replace("\n\n", `\ngpgsig ${armour}\n\n`);
  const id = commitId(world.repo.object("commit", Buffer.from(signed, "latin1")));
  world.repo.git(["push", "--quiet", "origin", `${id}:refs/heads/gitsign`]);
  return id;
}

/** Something else lands first, so that no earlier verdict is carried and every signature is judged again. */
function mergeByAda(world: World, head: CommitId): void {
  world.push({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 5 }) } });
  world.merge(head, { by: "ada" });
}

test("seen in time as a proposal, it counts long after its certificate ended", async (t) => {
  const world = base.copy(t);
  const head = signedByGitsign(world);
  assert.equal((await propose(world, head)).verdict, "allow");
  mergeByAda(world, head);
  const allowed = ["allow", "", null];
  assert.deepEqual(await land(world, later(60)), [allowed, allowed]);
});

test("seen for the first time when it lands, an hour later, it is not proven", async (t) => {
  const world = base.copy(t);
  mergeByAda(world, signedByGitsign(world));
  const [, merged] = await land(world, later(60));
  assert.deepEqual(merged, ["deny", "time-not-proven", null]);
});

test("a receipt older than thirty days counts as now, and its time is not proven any more", async (t) => {
  const world = base.copy(t);
  const head = signedByGitsign(world);
  assert.equal((await propose(world, head)).verdict, "allow");
  mergeByAda(world, head);
  const [, merged] = await land(world, later(31 * 24 * 60));
  assert.deepEqual(merged, ["deny", "time-not-proven", null]);
});
