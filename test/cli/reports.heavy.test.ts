/** Real output of the commands that judge, log, release and apply, held to the published schemas. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CHAIN_SCHEMAS } from "../../src/cli/reports/schemas/chain.ts";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { deployment, type Json } from "../support/shop.ts";
import { makeWorld, onlyTarget, type World } from "../support/world.ts";

const BAD = deployment("web", { privileged: true, replicas: 1 });
const GOOD = { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) };

interface Seen {
  readonly schema: string;
  readonly what: string;
  readonly code: number | null;
  readonly report: Json;
}

/** Everything that one world says on its way, by the name of its schema. */
async function story(world: World): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  const keep = async (schema: string, what: string, answer: Promise<{ code: number | null; report: unknown }>) => {
    const { code, report } = await answer;
    seen.push({ schema, what, code, report: report as Json });
    return report as Json;
  };
  await keep("adoption", "a first state", world.adopt());
  const unsigned = world.propose({ files: { "clusters/prod/web.yaml": BAD, "tools/run": "x" }, signed: false });
  await keep("check", "a preview that denies", world.preview(unsigned));
  await keep("check", "a denial", world.check(unsigned));
  const governed = world.propose({ files: { "sluice.yaml": "{", "clusters/prod/new.yaml": "a: [" } });
  await keep("check", "a change that leaves no judge", world.check(governed));
  await keep("landings", "nothing new", world.release());
  const head = world.propose({ files: GOOD });
  await keep("approval", "a yes", world.approveByCommand("lin", head));
  world.approve("max", world.propose({ files: GOOD, from: unsigned }));
  await keep("check", "an allow", world.check(head));
  world.squash(head);
  await keep("landings", "a release", world.release());
  await keep("agent-run", "applied", world.agent());
  await keep("agent-run", "unchanged", world.agent());
  await keep("head", "a head, with the agent's report", world.signHead());
  await keep("hold", "a hold", world.hold());
  await keep("head", "a held head", world.signHead());
  await keep("agent-run", "waiting", world.agent());
  await keep("hold", "the end of a hold", world.resume());
  world.push({ files: { "clusters/prod/web.yaml": BAD } });
  await keep("landings", "a landing that is denied", world.release());
  await keep("landings", "a rollback", world.rollback(1));
  const list = await keep("log-list", "the log", world.log(["list"]));
  await keep("log-list", "a part of the log", world.log(["list", "--limit", "2", "--target", "prod"]));
  await keep("log-list", "a sample", world.log(["list", "--sample", "2", "--seed", "x"]));
  const kinds = new Map((list["entries"] as readonly { index: number; kind: string }[]).map((one) => [one.kind, one]));
  await Promise.all(
    [...kinds.values()].map(({ kind, index }) => keep("log-show", `a ${kind}`, world.log(["show", `${index}`]))),
  );
  await keep("log-why", "why", world.log(["why", "Deployment/apps/web", "--target", "prod"]));
  const simulated = ["simulate", "--policies", "policies", "--config", "../gate.yaml", "--format", "json"];
  await keep("simulation", "the same policies", world.sluice(simulated));
  await aloneAndReviewed(world, keep);
  const gate = JSON.parse(world.read("gate.yaml")) as { log: Json };
  world.write("gate.yaml", JSON.stringify({ ...gate, log: { ...gate.log, retention: { values: "730d" } } }));
  await keep("log-retain", "nothing is so old", world.log(["retain", "--dry-run"]));
  await keep("log-proof", "a proof", world.log(["proof", "1"]));
  await keep("log-verify", "an intact log", world.log(["verify"]));
  await keep("log-backup", "a backup", world.log(["backup", "--to", "../backup.db"]));
  renameSync(world.path("data/log.db"), world.path("data/lost.db"));
  await keep("log-restore", "a backup that was put back", world.log(["restore", "--from", "../backup.db"]));
  await keep("log-export", "a bundle", world.log(["export", "--output", "../bundle", "--as", "ops"]));
  await keep("log-verify", "a bundle", world.log(["verify", "../bundle"]));
  world.write("bundle/changes.csv", "");
  await keep("log-verify", "a damaged bundle", world.log(["verify", "../bundle"]));
  damageLog(world);
  await keep("log-verify", "a damaged log", world.log(["verify", "../damaged/log.db"]));
  for (const file of world.files("channel").filter((one) => one.includes("/objects/"))) world.write(file, "{}");
  await keep("agent-run", "what does not verify", world.agent());
  return seen;
}

type Keep = (schema: string, what: string, answer: Promise<{ code: number | null; report: unknown }>) => Promise<Json>;

/** One operator releases alone, and another person reviews it. */
async function aloneAndReviewed(world: World, keep: Keep): Promise<void> {
  world.configure("gate.yaml", (now) => {
    const { prod } = now["targets"] as { prod: object };
    const targets = { prod: { ...prod, emergency: { operators: 1 } } };
    return { targets, access: { tokens: { file: "tokens.yaml" } } };
  });
  const here = ["--config", "../gate.yaml", "--format", "json"];
  for (const person of ["sam", "jo"]) {
    const { report } = await world.sluice<{ token: string }>([
      ...["token", "new", "--role", "operator", "--person", person],
      ...here,
    ]);
    world.write(`${person}.token`, `${report.token}\n`, 0o600);
  }
  const by = (person: string) => ["--token-file", `../${person}.token`, ...here];
  world.push({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true, replicas: 5 }) } });
  const words = ["--emergency", "--alone", "--reason", "the shop is down", "--ticket", "INC-77"];
  const landings = await keep("landings", "one alone", world.sluice(["release", "prod", ...words, ...by("sam")]));
  await keep("log-why", "a review that is due", world.log(["why", "Deployment/apps/web", "--target", "prod"]));
  const { landed } = landings as unknown as { landed: { check: CheckReport }[] };
  const check = landed.at(-1)?.check ?? assert.fail();
  const index = `${onlyTarget(check).decision?.index}`;
  const said = ["--contest", "--reason", "it was no emergency"];
  await keep("review", "a review", world.sluice(["review", index, ...said, ...by("jo")]));
  await keep("log-why", "a review that was given", world.log(["why", "Deployment/apps/web", "--target", "prod"]));
}

/** In a copy, one letter of each allow. */
function damageLog(world: World): void {
  cpSync(world.path("data"), world.path("damaged"), { recursive: true });
  for (const name of readdirSync(world.path("damaged")).filter((one) => one.startsWith("log.db"))) {
    const file = join(world.path("damaged"), name);
    const bytes = readFileSync(file);
    const word = '"verdict":"allow"';
    for (let at = bytes.indexOf(word); at >= 0; at = bytes.indexOf(word, at + 1)) bytes[at + 15] = 0x76;
    writeFileSync(file, bytes);
  }
}

describe("the JSON of commands", () => {
  const cleanups: (() => void)[] = [];
  let seen: readonly Seen[] = [];
  before(async () => {
    seen = await story(await makeWorld({ after: (cleanup) => void cleanups.push(cleanup) }, { adopt: false }));
  });
  after(() => {
    for (const cleanup of cleanups.reverse()) cleanup();
  });

  test("is what the schema of its command says, whatever happened", () => {
    for (const { schema, what, report } of seen) {
      const parsed = CHAIN_SCHEMAS[schema]?.schema.safeParse(report);
      assert.equal(parsed?.success, true, `${schema}, ${what}: ${parsed?.error?.message} ${JSON.stringify(report)}`);
    }
  });

  test("was seen for every schema but the demo's, which has a test of its own", () => {
    const names = new Set([...seen.map((one) => one.schema), "demo"]);
    assert.deepEqual([...names].sort(), Object.keys(CHAIN_SCHEMAS).sort());
  });

  test("is refused by its schema with one key more or one key less", () => {
    for (const { schema, what, report } of seen) {
      const accepts = (changed: unknown): boolean => CHAIN_SCHEMAS[schema]?.schema.safeParse(changed).success === true;
      assert.equal(accepts({ ...report, unheardOf: null }), false, `${schema}, ${what}`);
      for (const key of Object.keys(report)) {
        const { [key]: _, ...less } = report;
        assert.equal(accepts(less), false, `${schema}, ${what}, without ${key}`);
      }
    }
  });

  test("says the exit code with which the process ended, where it has one", () => {
    const coded = seen.filter(({ report }) => "exitCode" in report);
    assert.ok(coded.length >= 8);
    for (const { what, code, report } of coded) assert.equal(report["exitCode"], code, what);
  });

  test("tells what the story was", () => {
    const told = seen.filter(({ schema }) => ["check", "agent-run"].includes(schema));
    assert.deepEqual(
      told.map(({ what, code }) => [what, code]),
      [
        ["a preview that denies", 1],
        ["a denial", 1],
        ["a change that leaves no judge", 1],
        ["an allow", 0],
        ["applied", 0],
        ["unchanged", 0],
        ["waiting", 4],
        ["what does not verify", 1],
      ],
    );
  });

  test("of a check is as documented: keys in their order, findings by place, arrays sorted", () => {
    const { report } = seen.find(({ what }) => what === "a denial") as Seen;
    const check = report as unknown as CheckReport;
    assert.deepEqual(Object.keys(check), [
      "apiVersion",
      "kind",
      "authority",
      "verdict",
      "exitCode",
      "repository",
      "subject",
      "base",
      "head",
      "judge",
      "tree",
      "verifications",
      "ignored",
      "targets",
      "timings",
    ]);
    const { findings, reasons } = onlyTarget(check);
    const places = findings.map(({ position }) => [position?.file, position?.line]);
    assert.ok(places.length >= 2);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => Number(a[1]) - Number(b[1])),
    );
    assert.deepEqual(
      reasons.map((reason) => reason.code),
      ["approval-missing", "path-not-covered", "policy-denied", "unsigned-commit"],
    );
  });

  test("of an allow says who gave an approval and why another did not count", () => {
    const { report } = seen.find(({ what }) => what === "an allow") as Seen;
    const { approvals, decision } = onlyTarget(report as unknown as CheckReport);
    assert.deepEqual([approvals.given.map((one) => one.person), approvals.missing], [["lin"], []]);
    assert.deepEqual(
      approvals.ignored.map((one) => one.code),
      ["approval-other-content"],
    );
    assert.equal(typeof decision?.index, "number");
  });
});
