/** Approvals by people of whom no key is listed: their company's SSH authority says whose it is. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { findEnvelopes } from "../../src/gate/approval-refs.ts";
import { preview } from "../support/preview.ts";
import { deployment, document } from "../support/shop.ts";
import { sshKeyPair } from "../support/signing.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

const THREE = { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) };
const HOUR_MS = 3_600_000;
const CERTIFICATE = "laptop-cert.pub";

const base = await makeGateWorld({ after }, { target: { approvals: { count: 1, roles: ["platform"] } } });
const lin = base.person("lin", { keys: [] });
const authorities = { company: { ssh: base.publicKey("mallory"), email: ["*@example.com"] } };
const people = { ada: base.person("ada"), jo: base.person("jo", { roles: ["platform"] }), lin };
const begin = base.push({ files: { "trust/people.yaml": document(base.trust({ people, authorities })) } });
base.approve("lin", begin);
assert.deepEqual(await land(base), [["allow", "", null]]);
sshKeyPair(base.path("."), "laptop");

/** An hour's certificate for these names, by the company's authority or somebody else's. */
function certify(world: World, names: string, authority = world.key("mallory")): void {
  const args = ["-q", "-s", authority, "-I", "laptop", "-n", names, "-V", "-1h:+1h", world.path("laptop.pub")];
  assert.equal(spawnSync("ssh-keygen", args).status, 0);
}

/** By the command that people use; answers the reference. */
async function approve(world: World, head: string, names = "lin@example.com"): Promise<string> {
  certify(world, names);
  const made = await world.sluice<{ ref: string; statement: { approver: string } }>([
    ...["approve", head, "--target", "prod", "--key", world.path(CERTIFICATE), "--format", "json"],
  ]);
  assert.deepEqual([made.code, made.stderr, made.report.statement.approver], [0, "", "lin"]);
  world.repo.git(["push", "--quiet", "origin", made.report.ref]);
  return made.report.ref;
}

test("a certificate's approval counts for the person whom the authority names, and is lent to the landing while it lasts", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: THREE });
  const ref = await approve(world, head);
  const proposed = await propose(world, head);
  const [given] = proposed.approvals.given;
  assert.deepEqual([proposed.verdict, given?.person, given?.roles], ["allow", "lin", ["platform"]]);
  assert.equal(given?.certification?.authority, world.fingerprint("mallory"));
  assert.deepEqual(given?.certification?.principals, ["lin@example.com"]);
  world.squash(head);
  world.repo.git(["push", "--quiet", "origin", `:${ref}`]);
  const early = world.copy(t);
  assert.deepEqual(await land(early), [["allow", "", "squash"]]);
  assert.deepEqual(await land(world, () => Date.now() + 2 * HOUR_MS), [["wait", "approval-missing", "squash"]]);
});

test("a certificate of another authority, or for two people, approves nothing", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: THREE });
  const args = ["approve", head, "--target", "prod", "--key", world.path(CERTIFICATE)];
  for (const [names, authority] of [
    ["lin@example.com", world.key("max")],
    ["lin@example.com,jo@example.com", world.key("mallory")],
    ["nobody@example.com", world.key("mallory")],
  ] as const) {
    certify(world, names, authority);
    const refused = await world.sluice(args);
    assert.deepEqual([refused.code, refused.error], [1, "unknown-signer"], names);
  }
  await approve(world, head);
  const { envelopes } = await findEnvelopes(await preview(t, world.forge));
  assert.equal(envelopes.length, 2, "what landed the authority, and this one");
  world.configure("gate.yaml", () => ({ revoked: [world.fingerprint("mallory")] }));
  const { verdict, approvals } = await propose(world, head);
  assert.deepEqual([verdict, approvals.given], ["wait", []]);
  assert.ok(approvals.ignored.some((one) => one.code === "approval-signature"));
});

test("trust check counts whom an authority may certify", async (t) => {
  const world = base.copy(t);
  world.repo.git(["checkout", "--quiet", "origin/main"]);
  const check = () => world.sluice<{ rules: { people: { id: string }[] }[] }>(["trust", "check", "--format", "json"]);
  const named = async () => (await check()).report.rules[0]?.people.map(({ id }) => id);
  assert.deepEqual(await named(), ["ada", "jo", "lin"]);
  const ended = { company: { ...authorities.company, until: "2020-01-01" } };
  world.write("shop/trust/people.yaml", document(world.trust({ people, authorities: ended })));
  assert.deepEqual(await named(), ["ada", "jo"]);
  const others = { company: { ...authorities.company, email: ["*@example.org"] } };
  world.write("shop/trust/people.yaml", document(world.trust({ people, authorities: others })));
  assert.deepEqual(await named(), ["ada", "jo"]);
});
