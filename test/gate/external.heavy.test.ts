/** A gate whose policies read data from outside: fetched before they are asked, recorded, and replayed from the record. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { readReview } from "../../src/admission/read.ts";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { admitRequest } from "../../src/gate/admission.ts";
import { adoptTarget } from "../../src/gate/adopt.ts";
import { answerData } from "../../src/gate/data.ts";
import { disclosedDecision } from "../../src/gate/record.ts";
import { replay } from "../../src/gate/replay.ts";
import { openStandingJudges } from "../../src/gate/standing.ts";
import { openReplayer } from "../../src/gate/wiring.ts";
import { creation } from "../admission/reviews.ts";
import { configMap, policy } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";
import { land, propose, withGate } from "./gate-world.ts";

const KNOWN = policy(
  "known-colours",
  `deny contains {"message": "nobody knows this colour", "at": "/data/colour"} if {
	not input.resource.object.data.colour in data.external.colours
}`,
  ["match: {kinds: [ConfigMap]}"],
);
const OTHERS = policy("others", `deny contains {"message": "other", "at": ""} if data.external.others.closed`);
const FROZEN = policy(
  "frozen",
  `deny contains {"message": "nothing changes now", "at": ""} if "frozen" in data.external.colours`,
  ["match: {kinds: [Deployment]}"],
);
const SECRET = "a-token-that-nobody-may-see";

/** What it answers, and how often it was asked with the operator's token. */
const source = { text: '["green"]', asked: 0 };
const server = listen();

async function listen(): Promise<Server> {
  const opened = createServer((request, response) => {
    if (request.headers.authorization === `Bearer ${SECRET}`) source.asked += 1;
    response.end(source.text);
  });
  await new Promise<void>((ready) => opened.listen(0, "127.0.0.1", ready));
  return opened;
}

after(async () => void (await server).close());

const shared = (async () => {
  const { port } = (await server).address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/colours.json?of=shop`;
  const colours = { url, targets: ["prod"], fresh: "0ms", credentials: { file: "token" } };
  const world = await makeWorld(
    { after },
    {
      adopt: false,
      target: { approvals: { count: 0 } },
      files: { "policies/known-colours/policy.rego": KNOWN, "policies/frozen/policy.rego": FROZEN },
      gate: { external: { colours }, data: { entrypoints: { "rules/frozen/deny": "prod" } } },
    },
  );
  world.write("token", SECRET, 0o600);
  await withGate(world, (gate) => adoptTarget(gate, { target: "prod", at: null, reason: "what runs", by: "ops" }));
  return world;
})();

const colour = (name: string) => ({ "clusters/prod/colours.yaml": configMap("colours", { colour: name }) });

/** Every entry, decided again without anybody to ask. */
async function replayed(world: World) {
  const surroundings = readSurroundings({ HOME: world.path("home") });
  const means = { surroundings, clock: Date.now, random: randomBytes, onStep: () => undefined };
  const replayer = await openReplayer(readGateYaml(world.path("gate.yaml")), means);
  try {
    const all = await replayer.log.find({ target: "prod", kinds: ["decision"], order: "oldest", limit: 100 });
    const outcomes = [];
    for (const { index } of all) outcomes.push(await replay(replayer, index));
    return outcomes.map(({ outcome, verdict, parts }) => [
      outcome,
      verdict.recorded,
      parts.filter((part) => part.outcome !== "same").map(({ name }) => name),
    ]);
  } finally {
    await replayer.close();
  }
}

test("what is outside decides, each time as it is then, and is replayed from what was recorded", async (t) => {
  const world = (await shared).copy(t);
  const head = world.propose({ files: colour("red") });
  source.text = '["green"]';
  const denied = await propose(world, head);
  assert.deepEqual([denied.verdict, denied.findings.map(({ rule }) => rule)], ["deny", ["known-colours"]]);
  source.text = '["green", "red"]';
  assert.equal((await propose(world, head)).verdict, "allow");
  source.text = "<html>";
  const failed = await propose(world, head);
  assert.deepEqual([failed.verdict, failed.failure?.code], ["error", "external-malformed"]);
  assert.match(failed.failure?.message ?? "", /^policies\/frozen\/policy\.rego:\d+:\d+ reads data\.external\./);
  assert.deepEqual(await replayed(world), [
    ["same", "deny", []],
    ["same", "allow", []],
    ["same", "error", []],
  ]);
});

test("the record holds the bytes with their digest under a commitment of their own, and nothing of the address", async (t) => {
  const world = (await shared).copy(t);
  source.text = '["green",  "red"]\n';
  await propose(world, world.propose({ files: colour("red") }));
  await withGate(world, async ({ log }) => {
    const entry = await log.latest("prod", ["decision"]);
    assert.ok(entry?.leaf.commitments["external"] !== undefined);
    const records = entry.disclosed["external"]?.value;
    assert.ok(Array.isArray(records));
    const [record, ...more] = records as readonly Record<string, unknown>[];
    assert.deepEqual(more, []);
    const { name, text, sha256, failure } = record ?? {};
    assert.deepEqual([name, text, failure], ["colours", source.text, null]);
    assert.equal(sha256, createHash("sha256").update(source.text).digest("hex"));
    assert.doesNotMatch(JSON.stringify(entry), /127\.0\.0\.1|colours\.json|of=shop|nobody-may-see/);
  });
});

test("a change whose policies read what nobody declares could not judge the next one, and is denied", async (t) => {
  const world = (await shared).copy(t);
  source.text = '["green"]';
  const head = world.propose({ files: { "policies/others/policy.rego": OTHERS } });
  const { verdict, governance } = await propose(world, head);
  assert.equal(verdict, "deny");
  assert.match(
    governance?.unusable ?? "",
    /others\/policy\.rego:\d+:\d+ reads data\.external\.others\. gate\.yaml declares/,
  );
  assert.deepEqual(await replayed(world), [["same", "deny", []]]);
});

test("a request of a cluster and a question to the data API are answered by what is outside, and record it", async (t) => {
  const world = (await shared).copy(t);
  await withGate(world, async (gate) => {
    const standing = openStandingJudges(gate);
    try {
      const reading = readReview(Buffer.from(JSON.stringify(creation())));
      assert.ok(reading.kind === "request");
      const asked = async () => {
        const { decision, record } = await admitRequest(
          gate,
          standing,
          "prod",
          reading.request,
          new AbortController().signal,
        );
        const { disclosed } = await gate.log.read(record.index);
        const [recorded] = disclosedDecision(disclosed)?.external ?? [];
        return [decision.verdict, decision.failure?.code ?? null, recorded?.text];
      };
      source.text = '["green"]';
      assert.deepEqual(await asked(), ["allow", null, source.text]);
      source.text = '["green", "frozen"]';
      assert.deepEqual(await asked(), ["deny", null, source.text]);
      const query = { entrypoint: "rules/frozen/deny", input: {}, by: "ci" };
      const { result } = await answerData(gate, standing, query);
      assert.deepEqual(result, [{ at: "", message: "nothing changes now" }]);
      const logged = await gate.log.latest("prod", ["decision"]);
      assert.ok(logged?.leaf.commitments["external"] !== undefined);
      source.text = "no";
      assert.deepEqual(await asked(), ["error", "external-malformed", null]);
      await assert.rejects(answerData(gate, standing, query), { code: "external-malformed" });
    } finally {
      await standing.close();
    }
  });
});

test("a preview judges by the file that it is given, and a gate by no file", async (t) => {
  const world = (await shared).copy(t);
  const head = world.propose({ files: colour("red") });
  world.write("colours.json", '["green", "red"]');
  const check = (...args: readonly string[]) => world.sluice(["check", "--head", head, "--format", "json", ...args]);
  const without = await check();
  assert.equal(without.code, 3);
  assert.match(without.stdout, /"external-not-given"/);
  assert.equal((await check("--data", "colours=../colours.json")).code, 0);
  world.write("colours.json", '["green"]');
  assert.equal((await check("--data", "colours=../colours.json")).code, 1);
  const config = await check("--data", "colours=../colours.json", "--config", "../gate.yaml");
  assert.deepEqual([config.code, config.error], [2, "usage"]);
});

test("what landed is decided anew where what is outside has changed, and only there", async (t) => {
  const world = (await shared).copy(t);
  world.push({ files: colour("red"), signed: false });
  const decided = () => withGate(world, ({ log }) => log.count({ target: "prod", kinds: ["decision"] }));
  const steps: readonly (readonly [string, number])[] = [
    ['["green"]', 1],
    ['["green"]', 1],
    ['["green", "blue"]', 2],
  ];
  for (const [text, entries] of steps) {
    source.text = text;
    assert.deepEqual(
      (await land(world)).map(([verdict]) => verdict),
      ["deny"],
    );
    assert.equal(await decided(), entries, text);
  }
});
