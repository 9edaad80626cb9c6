/** `sluice log reconcile` over real git, a real log and a real file: every kind of difference, and none where there is none. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { logReconcile } from "../../src/cli/log-reconcile.ts";
import { reconciliationSchema } from "../../src/cli/reports/schemas/reconciliation.ts";
import type { JsonObject } from "../../src/lib/canonical.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { auditLines, readAuditLine } from "../../src/log/reconcile/audit-events.ts";
import { releasedObject } from "../../src/log/reconcile/outside.ts";
import { type InProcessRun, runHere } from "../support/in-process.ts";
import { draft, KEY, logPath, openTestLog } from "../support/log.ts";
import { TestRepository } from "../support/repository.ts";
import { tempFolder } from "../support/temp.ts";

const AGENT = "system:serviceaccount:sluice:agent";
const HOUR = 3_600_000;
const BEGIN = Date.parse("2026-10-01T00:00:00.000Z");
const WEB = { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" };
const POLICY = { group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", namespace: "shop", name: "web" };

/** A clone and a log of one target; each thing that happens takes an hour. */
class Scene {
  readonly repo: TestRepository;
  readonly path: string;
  readonly folder: string;
  #hours = 0;
  #log: DecisionLog | null = null;

  constructor(context: TestContext) {
    this.folder = tempFolder(context);
    this.repo = new TestRepository(this.folder);
    this.repo.git(["init", "--quiet", "--template=", "--initial-branch=main"]);
    this.path = logPath(context);
  }

  async log(change: Partial<EntryDraft>): Promise<number> {
    this.#log ??= await openTestLog(this.path, { clock: () => BEGIN + this.#hours * HOUR });
    this.#hours += 1;
    return (await this.#log.append(draft({ terms: [], disclosed: {}, ...change }))).index;
  }

  adopt(commit: string): Promise<number> {
    return this.log({ kind: "genesis", verdict: null, subject: { commit, tree: null } });
  }

  decide(commit: string, change: Partial<EntryDraft> = {}): Promise<number> {
    const objects = [WEB, POLICY].map((id) => ({ id, action: "unchanged", sha256: null }));
    const disclosed = { objects, target: { branch: "main" } };
    return this.log({ kind: "decision", subject: { commit, tree: null }, disclosed, ...change });
  }

  release(sequence: number, decision: number, change: JsonObject = {}): Promise<number> {
    const disclosed = { sequence, decision: { index: decision }, rollbackOf: null, ...change };
    return this.log({ kind: "release", disclosed });
  }

  applied(sequence: number): Promise<number> {
    return this.log({ kind: "applied", verdict: null, subject: {}, disclosed: { sequence } });
  }

  /** A commit that was decided, released and applied. */
  async land(sequence: number, commit = this.repo.commit()): Promise<string> {
    await this.release(sequence, await this.decide(commit));
    await this.applied(sequence);
    return commit;
  }

  async run(...args: readonly string[]): Promise<InProcessRun> {
    await this.#log?.close();
    this.#log = null;
    return runHere(logReconcile, ["--target", "prod", "--log", this.path, "--key", KEY.vkey, ...args], this.folder);
  }

  async report(...args: readonly string[]) {
    const { stdout, stderr, code } = await this.run("--format", "json", ...args);
    assert.notEqual(stdout, "", stderr);
    const report = reconciliationSchema.parse(JSON.parse(stdout));
    assert.equal(code, report.agrees ? 0 : 1);
    const differences = report.differences.map(({ kind, commit, index, sequence, line }) =>
      [kind, commit ?? index ?? line ?? sequence].join(" "),
    );
    return { ...report, differences };
  }

  audit(lines: readonly (JsonObject | string)[], name = "audit.ndjson"): readonly string[] {
    const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
    writeFileSync(join(this.folder, name), `${text}\n`);
    return ["--audit", name, "--agent-user", AGENT];
  }
}

/** A patch of Deployment/shop/web by the agent, two hours after the log began. */
function event(change: JsonObject = {}): JsonObject {
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: "1",
    stage: "ResponseComplete",
    requestURI: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x",
    verb: "patch",
    user: { username: AGENT },
    objectRef: { resource: "deployments", namespace: "shop", name: "web", apiGroup: "apps", apiVersion: "v1" },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-10-02T00:00:00.000000Z",
    stageTimestamp: "2026-10-02T00:00:00.123456Z",
    ...change,
  };
}

describe("a reconciliation", () => {
  it("agrees where every commit was decided, every release applied, and only the agent wrote", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    await scene.land(1);
    scene.repo.git(["checkout", "--quiet", "-b", "side"]);
    scene.repo.commit({ files: { side: "1" } }); // reached by a second parent only: the merge stands for it
    scene.repo.git(["checkout", "--quiet", "main"]);
    await scene.land(2, scene.repo.merge("side"));
    const report = await scene.report(...scene.audit([event(), event({ verb: "get", user: { username: "eve" } })]));
    assert.deepEqual(report.differences, []);
    assert.deepEqual([report.git.commits, report.log.decided, report.log.decisions], [2, 2, 2]);
    assert.deepEqual([report.log.releases, report.log.applied, report.keyChecked], [2, 2, true]);
    assert.deepEqual([report.audit?.byAgent, report.audit?.writes, report.audit?.lines], [1, 1, 2]);
    const text = await scene.run();
    assert.deepEqual([text.code, text.stdout.split("\n")[0]], [0, "AGREES  prod: 0 differences"]);
  });

  it("names each commit without a decision, also between decided ones, and not those of other targets", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    const skipped = scene.repo.commit();
    await scene.land(1);
    const tip = scene.repo.commit();
    await scene.decide(tip, { target: "staging" });
    await scene.decide(tip, { purpose: "dry-run" });
    await scene.decide(tip, { subject: { head: tip, tree: null } }); // proposed, not landed
    const report = await scene.report();
    assert.deepEqual(report.differences, [`commit-without-decision ${skipped}`, `commit-without-decision ${tip}`]);
    assert.deepEqual([report.git.commits, report.log.decided], [3, 1]);
    const text = await scene.run();
    assert.match(text.stdout, /^DIFFERS {2}prod: 2 differences\ncommit-without-decision {2}[0-9a-f]{7} {2}The commit/);
  });

  it("names a decision whose commit was forced off the branch, or is reached by a second parent only", async (context) => {
    const scene = new Scene(context);
    const first = scene.repo.commit();
    await scene.adopt(first);
    const gone = await scene.land(1);
    scene.repo.git(["checkout", "--quiet", "-b", "side", first]);
    const side = scene.repo.commit({ files: { side: "1" } });
    await scene.decide(side);
    scene.repo.git(["checkout", "--quiet", "-B", "main", first]);
    const merge = scene.repo.merge("side");
    await scene.decide(merge);
    const { differences } = await scene.report();
    assert.deepEqual(differences, [`decision-without-commit ${gone}`, `decision-without-commit ${side}`]);
  });

  it("says so when the branch does not descend from what was adopted", async (context) => {
    const scene = new Scene(context);
    const adopted = scene.repo.commit();
    await scene.adopt(adopted);
    scene.repo.git(["checkout", "--quiet", "--orphan", "other"]);
    scene.repo.commit();
    await scene.land(1);
    scene.repo.git(["branch", "--force", "main", "HEAD"]);
    const { differences } = await scene.report();
    assert.deepEqual(differences, [`adopted-not-on-branch ${adopted}`]);
  });

  it("names a release that no agent reported as applied", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    const index = await scene.release(1, await scene.decide(scene.repo.commit()));
    await scene.land(2);
    const report = await scene.report();
    assert.deepEqual(report.differences, [`release-without-applied ${index}`]);
    assert.deepEqual([report.log.releases, report.log.applied], [2, 1]);
  });

  it("counts what a released rollback left behind, and only that", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    const good = await scene.land(1);
    await scene.land(2);
    const left = scene.repo.commit();
    await scene.log({ kind: "rollback", verdict: null, subject: { abandoned: left }, disclosed: { to: 1 } });
    await scene.release(3, await scene.decide(good), { rollbackOf: 1 });
    await scene.applied(3);
    const first = await scene.report();
    assert.deepEqual([first.differences, first.log.leftBehind, first.log.rollbacks], [[], 1, 1]);
    const later = scene.repo.commit();
    await scene.log({ kind: "rollback", verdict: null, subject: { abandoned: later }, disclosed: { to: 1 } });
    const { differences } = await scene.report(); // that rollback was denied: nothing was left behind by it
    assert.deepEqual(differences, [`commit-without-decision ${later}`]);
  });

  const second = (kind: "bypass" | "emergency", commit: string, verdict: "allow" | "wait" = "allow") =>
    ({ kind, verdict, subject: { commit, tree: null } }) as const;

  it("knows what two operators adopted again: what it passed over, and nothing behind it", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    await scene.land(1);
    const passed = scene.repo.commit();
    const again = scene.repo.commit();
    await scene.log(second("bypass", again, "wait"));
    const alone = await scene.report();
    assert.deepEqual(alone.differences, [`commit-without-decision ${passed}`, `commit-without-decision ${again}`]);
    await scene.log(second("bypass", again));
    const both = await scene.report();
    assert.deepEqual([both.differences, both.log.passedOver, both.log.adoptedAgain], [[], 2, 1]);
    const later = scene.repo.commit();
    assert.deepEqual((await scene.report()).differences, [`commit-without-decision ${later}`]);
    const { stdout } = await scene.run();
    assert.match(stdout, /^OPERATORS 0 released in an EMERGENCY, 1 adopted again: 2 commits passed over undecided/m);
  });

  it("follows to another branch that two operators adopted, and only from there", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    const old = await scene.land(1);
    scene.repo.git(["checkout", "--quiet", "--orphan", "live"]);
    scene.repo.commit();
    const again = scene.repo.commit();
    scene.repo.git(["branch", "--force", "main", "HEAD"]);
    const before = await scene.report();
    assert.equal(before.differences[0]?.split(" ")[0], "adopted-not-on-branch");
    await scene.log(second("bypass", again));
    const after = await scene.report();
    assert.deepEqual([after.differences, after.log.replaced, after.git.commits], [[], 1, 0]);
    const stray = await scene.decide(old);
    assert.deepEqual((await scene.report()).differences, [`decision-without-commit ${old}`], `entry ${stray}`);
  });

  it("counts releases in an emergency by their second words", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    const commit = scene.repo.commit();
    await scene.decide(commit, { verdict: "deny" });
    await scene.log(second("emergency", commit, "wait"));
    await scene.log(second("emergency", commit));
    await scene.land(1, commit);
    const { differences, log } = await scene.report();
    assert.deepEqual([differences, log.emergencies, log.decisions, log.releases], [[], 1, 2, 1]);
    assert.match((await scene.run()).stdout, /^OPERATORS 1 released in an EMERGENCY, 0 adopted again/m);
  });

  it("gives each commit to one period, by the log's times and not by the commit's", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit({ seconds: 4_000_000_000 }));
    await scene.land(1, scene.repo.commit({ seconds: 1_000_000_000 })); // decided at 02:00
    const between = scene.repo.commit({ seconds: 4_000_000_000 });
    await scene.land(2, scene.repo.commit({ seconds: 1_000_000_000 })); // decided at 05:00
    const open = scene.repo.commit();
    const before = await scene.report("--to", "2026-10-01T03:00:00Z");
    assert.deepEqual([before.differences, before.git.commits], [[], 1]);
    const middle = await scene.report("--from", "2026-10-01T03:00:00Z", "--to", "2026-10-01T12:00:00Z");
    assert.deepEqual([middle.differences, middle.git.commits], [[`commit-without-decision ${between}`], 2]);
    const after = await scene.report("--from", "2026-10-01T12:00:00Z");
    assert.deepEqual([after.differences, after.git.commits], [[`commit-without-decision ${open}`], 1]);
  });

  it("names every write of a released object by somebody else, and impersonating the agent does not hide it", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    await scene.land(1);
    const eve = { user: { username: "eve" } };
    const ref = (change: JsonObject) => ({ objectRef: { ...(event()["objectRef"] as JsonObject), ...change } });
    const args = scene.audit([
      event(eve), //                                                                      1
      event({ ...eve, impersonatedUser: { username: AGENT } }), //                        2
      event({ ...eve, verb: "delete", requestURI: "/x?dryRun=All" }), //                  3: the URL decides nothing
      event({ ...eve, verb: "deletecollection", ...ref({ name: "" }) }), //               4
      event({ ...eve, stage: "Panic", responseStatus: { code: 500 } }), //                refused
      event({ ...eve, stage: "Panic" }), //                                               6
      event({ ...eve, verb: "create", ...ref({ subresource: "scale" }) }), //             7
      event({ ...eve, ...ref({ apiGroup: "networking.k8s.io", resource: "networkpolicies" }) }), // 8
      event({ ...eve, verb: "update", ...ref({ subresource: "status" }) }),
      event({ ...eve, requestURI: "/x?dryRun=All" }),
      event({ ...eve, stage: "RequestReceived" }),
      event({ ...eve, responseStatus: { code: 403 } }),
      event({ ...eve, ...ref({ name: "other" }) }),
      event({ ...eve, ...ref({ namespace: "elsewhere" }) }),
      event({ ...eve, ...ref({ resource: "replicasets" }) }),
      event({ ...eve, stageTimestamp: "2026-10-01T01:00:00.000000Z" }), // before the release
      event({ impersonatedUser: { username: AGENT } }),
    ]);
    const report = await scene.report(...args);
    const lines = [1, 2, 3, 4, 6, 7, 8];
    assert.deepEqual(
      report.differences,
      lines.map((line) => `write-outside-release ${line}`),
    );
    assert.deepEqual([report.audit?.outside, report.audit?.byAgent], [7, 1]);
    const text = await scene.run(...args);
    assert.match(
      text.stdout,
      /Line 2 of .*: patch of Deployment\/shop\/web by eve as system:serviceaccount:sluice:agent/,
    );
    const other = await scene.report(...args, "--agent-user", "eve");
    assert.deepEqual([other.differences, other.audit?.byAgent], [[], 8]);
  });

  it("reports every line that cannot be read, by its number, and goes on behind it", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit()); // no decision yet, so that the log does not name the branch
    const { stageTimestamp: _, ...timeless } = event();
    const args = scene.audit([
      event(),
      '{"kind": "Event"',
      "",
      event({ kind: "EventList" }),
      timeless,
      event({ stageTimestamp: "yesterday" }),
      event({ apiVersion: "audit.k8s.io/v1beta1" }),
      "[]",
      event(),
    ]);
    const report = await scene.report("--branch", "main", ...args);
    const lines = [2, 3, 4, 5, 6, 7, 8];
    assert.deepEqual(
      report.differences,
      lines.map((line) => `audit-line-broken ${line}`),
    );
    assert.deepEqual([report.audit?.broken, report.audit?.lines], [7, 9]);
  });

  it("does not hold a line that has no end", (context) => {
    const path = join(tempFolder(context), "audit");
    const long = JSON.stringify(event({ userAgent: "x".repeat(3_000_000) }));
    writeFileSync(path, `${JSON.stringify(event())}\n${long}\n${JSON.stringify(event())}`);
    const kinds = [...auditLines(path, 2_000_000)].map(({ kind, line }) => `${line} ${kind}`);
    assert.deepEqual(kinds, ["1 write", "2 broken", "3 write"]);
    assert.equal(readAuditLine(null, 1).kind, "broken");
    assert.throws(() => [...auditLines(path, 2_000_000, 2)], { code: "audit-log-too-long" });
  });

  it("compares nothing that the log no longer says, and says which entry it is", async (context) => {
    const scene = new Scene(context);
    await scene.adopt(scene.repo.commit());
    const decision = await scene.decide(scene.repo.commit(), { disclosed: { target: { branch: "main" } } });
    const release = await scene.release(1, decision);
    const nameless = await scene.log({ kind: "applied", verdict: null, subject: {}, disclosed: {} });
    const second = await scene.log({ kind: "release", disclosed: { decision: { index: decision } } });
    const { differences } = await scene.report(...scene.audit([event()]));
    assert.deepEqual(differences, [
      `release-without-applied ${release}`,
      `withheld ${second}`,
      `withheld ${nameless}`,
      `withheld ${release}`,
      `withheld ${second}`,
    ]);
  });

  it("refuses an audit log that shows nothing, options that say half, and a target that was never adopted", async (context) => {
    const scene = new Scene(context);
    const head = scene.repo.commit();
    await scene.decide(head);
    assert.match((await scene.run()).stderr, /^target-not-adopted/);
    await scene.adopt(head);
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ["audit-log-empty", scene.audit([event({ stage: "RequestReceived" })])],
      ["audit-log-unreadable", ["--audit", "nowhere", "--agent-user", AGENT]],
      ["usage", ["--audit", "audit.ndjson"]],
      ["usage", ["--agent-user", AGENT]],
      ["usage", ["--from", "2026-02-01", "--to", "2026-01-01"]],
      ["usage", ["--config", "gate.yaml"]],
      ["unknown-revision", ["--branch", "nowhere"]],
    ];
    for (const [code, args] of cases) {
      const { stderr, stdout } = await scene.run(...args);
      assert.deepEqual([stderr.split("  ")[0], stdout], [code, ""], args.join(" "));
    }
  });
});

describe("an object of a release", () => {
  const releases = [{ sequence: 1, since: 0, objects: [WEB, POLICY] }];
  const written = { group: "apps", resource: "deployments", subresource: null, namespace: "shop", name: "web" };

  it("is told by group, plural, namespace and name", () => {
    const found = (change: Partial<typeof written>) => releasedObject({ ...written, ...change }, 1, releases) !== null;
    assert.ok(found({}));
    assert.ok(found({ group: "networking.k8s.io", resource: "networkpolicies" }));
    for (const change of [{ group: "" }, { resource: "statefulsets" }, { namespace: "default" }, { name: "api" }])
      assert.ok(!found(change), JSON.stringify(change));
  });

  it("of a custom resource is any resource of its group, because its plural is its own", () => {
    const gateway = { group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "", name: "edge" };
    const custom = [{ sequence: 1, since: 0, objects: [gateway] }];
    const change = { group: gateway.group, resource: "gateways", name: "edge" };
    assert.ok(releasedObject({ ...written, ...change, namespace: "default" }, 1, custom) !== null);
    assert.ok(releasedObject({ ...written, ...change, namespace: "shop" }, 1, custom) === null);
  });

  it("counts from its release on, and no longer than that", () => {
    const later = [
      { sequence: 1, since: 10, objects: [WEB] },
      { sequence: 2, since: 20, objects: [] },
    ];
    const sequences = [9, 10, 19, 20].map((at) => releasedObject(written, at, later)?.sequence ?? null);
    assert.deepEqual(sequences, [null, 1, 1, null]);
  });
});
