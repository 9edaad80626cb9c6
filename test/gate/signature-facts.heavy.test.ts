/** Who signed, with what, and who approved are facts in Rego: "prod needs two people, one of role platform, with hardware touch". */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { deployment, document, policy } from "../support/shop.ts";
import { readCommit } from "../support/signing.ts";
import { ed25519Signer, sshSig } from "../support/sshsig.ts";
import { makeWorld } from "../support/world.ts";
import { propose } from "./gate-world.ts";

const RULE = `untouched contains commit.id if {
	some commit in input.commits
	not commit.verification.signer.hardware.touch
}

people := {approval.person | some approval in input.approvals}

roles := {role | some approval in input.approvals; some role in approval.roles}

deny contains {"message": "a commit was signed without hardware touch", "at": ""} if count(untouched) > 0

deny contains {"message": "fewer than two people approved", "at": ""} if {
	count(input.commits) > 0
	count(people) < 2
}

deny contains {"message": "nobody of role platform approved", "at": ""} if {
	count(input.commits) > 0
	not "platform" in roles
}`;

const touchKey = ed25519Signer("ssh:");
const files = { "policies/prod/policy.rego": policy("prod", RULE, ["scope: change"]) };
const world = await makeWorld({ after }, { target: { approvals: { count: 0 } }, files, adopt: false });
const ada = world.person("ada", { keys: [world.publicKey("ada"), touchKey.line] });
const people = { ...(world.trust()["people"] as object), ada };
world.push({ files: { "trust/people.yaml": document(world.trust({ people })) } });
await world.adopt();

/** A commit of ada's, signed with a security key that is in the trust folder; the flags are those that it answered with. */
function signedWithSecurityKey(replicas: number, flags: number): CommitId {
  const bare = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas }) }, signed: false });
  const raw = readCommit(world.repo.path, bare);
  const split = raw.indexOf("\n\n") + 1;
  const signature = sshSig(touchKey, raw, { flags }).trimEnd().replaceAll("\n", "\n ");
  const signed = Buffer.concat([raw.subarray(0, split), Buffer.from(`gpgsig ${signature}\n`), raw.subarray(split)]);
  const head = commitId(world.repo.object("commit", signed));
  world.repo.git(["push", "--quiet", "--force", "origin", `${head}:refs/heads/touched-${replicas}`]);
  return head;
}

async function said(head: CommitId): Promise<readonly string[]> {
  const { findings, verdict } = await propose(world, head);
  return [verdict, ...findings.filter((one) => one.rule === "prod").map((one) => one.message)].sort();
}

test("a policy asks for two people, one of role platform, and for a touched security key", async () => {
  const unsatisfied = ["a commit was signed without hardware touch", "deny", "fewer than two people approved"];
  const plain = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 2 }) } });
  world.approve("jo", plain);
  assert.deepEqual(await said(plain), [...unsatisfied, "nobody of role platform approved"]);
  const untouched = signedWithSecurityKey(3, 0);
  for (const by of ["lin", "jo"] as const) world.approve(by, untouched);
  assert.deepEqual(await said(untouched), ["a commit was signed without hardware touch", "deny"]);
  const touched = signedWithSecurityKey(4, 1);
  world.approve("jo", touched);
  assert.deepEqual(await said(touched), ["deny", "fewer than two people approved", "nobody of role platform approved"]);
  world.approve("lin", touched);
  assert.deepEqual(await said(touched), ["allow"]);
});
