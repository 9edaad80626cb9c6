/** What a gate keeps between two proposals: never longer than what it follows from stays as it was. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { admit } from "../../src/gate/gate.ts";
import { readHistory } from "../../src/gate/history.ts";
import { readJudge } from "../../src/gate/judge.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { gateProposal } from "../../src/gate/proposal.ts";
import { recorder } from "../../src/gate/record.ts";
import { redactOpenLog } from "../../src/gate/redacting.ts";
import { rollBack } from "../../src/gate/rollback.ts";
import { configMap, deployment, document } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";
import { makeGateWorld, withGate } from "./gate-world.ts";

const scope = ownScope();
after(scope.end);
const world = await makeGateWorld(scope);

test("a judge is read once for a tree and the keys that are taken away, and policies that are equal are one", () =>
  withGate(world, async (gate) => {
    const { services } = gate;
    const repository = await gate.repository("prod");
    const tip = world.tip();
    const judge = await readJudge(repository, tip, [], services);
    assert.equal(await readJudge(repository, tip, [], services), judge);
    const without = await readJudge(repository, tip, [world.fingerprint("ada")], services);
    assert.notEqual(without.trust.digest, judge.trust.digest);
    assert.equal(without.policies, judge.policies);
    const other = world.propose({ files: { "trust/people.yaml": document(world.trust({ change: { count: 2 } })) } });
    await repository.fetchCommit(other);
    const next = await readJudge(repository, other, [], services);
    assert.notEqual(next.digests.trust, judge.digests.trust);
    assert.equal(next.policies, judge.policies);
    const none = world.propose({ files: { "sluice.yaml": null } });
    await repository.fetchCommit(none);
    for (let again = 0; again < 2; again += 1)
      await assert.rejects(readJudge(repository, none, [], services), { code: "configuration-absent" });
  }));

test("a target's history is read again after whatever it rests on, and not for a proposal", () =>
  withGate(world, async (gate) => {
    const current = async () => {
      const history = await gate.histories.of("prod");
      assert.deepEqual(history, await readHistory(gate.log, "prod"));
      return history;
    };
    const look = async () => {
      await gate.repositories.refresh("shop");
      return judgeLandings(gate, "prod");
    };
    const adopted = await current();
    const head = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) } });
    await admit(await gateProposal(gate, "prod", head), gate.services, recorder(gate.log));
    assert.equal(await current(), adopted, "a proposal moves nothing");
    world.moveMain(head);
    assert.equal((await look())[0]?.released?.release.commit, head);
    assert.equal((await current()).judge, head, "a release");
    const denied = world.push({
      files: { "clusters/prod/colours.yaml": configMap("colours", { a: "1" }) },
      signed: false,
    });
    assert.equal((await look())[0]?.released, null);
    assert.equal((await current()).lastLanded?.decision.head, denied, "a landing that is denied");
    world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 5 }) } });
    await look();
    await current();
    await rollBack(gate, { target: "prod", to: 1, reason: "it broke", by: "ops" });
    assert.equal((await current()).latestRelease?.release.rollbackOf, 1, "a rollback");
    const wish = { query: { kinds: ["genesis"] }, entry: null, values: ["baseline"], subject: null } as const;
    const request = { by: "ops", reason: "asked to" };
    await redactOpenLog(gate.log, { wish, request, evenNeeded: true, dryRun: false });
    await assert.rejects(gate.histories.of("prod"), { code: "entry-redacted" }, "a redaction");
  }));
