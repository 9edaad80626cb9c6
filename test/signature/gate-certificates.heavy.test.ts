/** A company's SSH authority through the whole chain: proposed, judged, landed, released, and taken away again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { deployment, document, type Json } from "../support/shop.ts";
import { sshKeyPair } from "../support/signing.ts";
import { makeWorld, reasonCodes, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const base = await makeWorld({ after }, { target: { approvals: { count: 0 } } });

/** Lands a trust folder with mallory's key as the company's authority. */
async function landAuthority(world: World, more: Json = {}): Promise<void> {
  const authorities = { company: { ssh: world.publicKey("mallory"), email: ["*@example.com"], ...more } };
  const files = { "trust/people.yaml": document(world.trust({ authorities })) };
  const head = world.propose({ by: "jo", files });
  world.approve("lin", head);
  world.moveMain(head);
  const { report, code } = await world.release();
  assert.equal(code, 0, JSON.stringify(report));
}

/** A branch with one commit that is signed with a certificate for these names; pushed to the forge. */
function proposeCertified(world: World, names: string, replicas: number): string {
  const key = sshKeyPair(world.path("."), `laptop-${replicas}`);
  const args = ["-q", "-s", world.key("mallory"), "-I", "laptop", "-n", names, "-V", "-1h:+1h", `${key.path}.pub`];
  assert.equal(spawnSync("ssh-keygen", args).status, 0);
  world.fetch();
  const branch = `certified-${replicas}`;
  world.repo.git(["checkout", "--quiet", "-B", branch, "origin/main"]);
  const head = world.repo.commit({
    files: { [WEB]: deployment("web", { replicas }) },
    author: "ada <ada@example.com>",
    signWith: `${key.path}-cert.pub`,
  });
  world.repo.git(["push", "--quiet", "--force", "origin", `HEAD:refs/heads/${branch}`]);
  return head;
}

test("a commit signed with the company's certificate is its owner's, in a preview and at the gate, and is released", async (t) => {
  const world = base.copy(t);
  const before = proposeCertified(world, "ada@example.com", 2);
  assert.deepEqual(reasonCodes((await world.check(before)).report), ["unknown-signer"]);
  await landAuthority(world);
  const head = proposeCertified(world, "ada@example.com", 3);
  world.fetch();
  const [gate, preview] = [await world.check(head), await world.preview(head)];
  for (const { report } of [gate, preview]) {
    assert.equal(report.verdict, "allow", JSON.stringify(report.targets));
    assert.equal(report.verifications.at(-1)?.signer?.person, "ada");
  }
  world.squash(head);
  assert.equal((await world.release()).code, 0);
});

test("a certificate for two people, or of an authority that was taken away, signs nothing", async (t) => {
  const world = base.copy(t);
  await landAuthority(world);
  const two = proposeCertified(world, "ada@example.com,jo@example.com", 4);
  assert.deepEqual(reasonCodes((await world.check(two)).report), ["unknown-signer"]);
  const good = proposeCertified(world, "ada@example.com", 5);
  assert.equal((await world.check(good)).report.verdict, "allow");
  world.configure("gate.yaml", () => ({ revoked: [world.fingerprint("mallory")] }));
  assert.deepEqual(reasonCodes((await world.check(good)).report), ["key-revoked"]);
});
