/**
 * The judges of a gate's targets, kept ready for whoever asks about one object at a time: read once, and again when the
 * target has moved or gate.yaml is another. Their policies run in a worker of their own, so that nobody who waits for an
 * answer waits for a change of ten thousand objects.
 */
import type { TargetFacts } from "../decision/decision.ts";
import type { CommitId, TreeId } from "../git/object.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { openTurns } from "../lib/turns.ts";
import { openPolicyEngine } from "../policy/engine.ts";
import type { ExternalData } from "../policy/external.ts";
import type { PolicyInput } from "../policy/input.ts";
import type { Evaluated, PolicyFile } from "../policy/policy-set.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import { findRelease, releasedResources } from "../release/rollback.ts";
import { readHistory } from "./history.ts";
import { type Judge, readJudge, readPolicySources, targetFacts } from "./judge.ts";
import { openCompiler } from "./judge-wiring.ts";
import type { Gate } from "./wiring.ts";

/** An API server waits 30 s at most. */
const LIMITS = { jobDeadlineMs: 2000, totalDeadlineMs: 10_000, memoryBytes: 256 * 1024 * 1024 };

export interface StandingJudge {
  readonly commit: CommitId;
  /** Keys of findings that existed at adoption. */
  readonly baseline: ReadonlySet<string>;
  /** @throws SluiceError where the judge's own files are unusable, or the repository cannot be read */
  read(): Promise<ReadyJudge>;
}

export interface ReadyJudge {
  readonly judge: Judge;
  readonly target: TargetFacts;
  readonly tree: TreeId;
  /** The policies as they are written. */
  readonly sources: readonly PolicyFile[];
  /** The objects of the target's current release, for rules that look at more than one. */
  readonly released: readonly JsonObject[];
}

export interface StandingJudges {
  /** @throws SluiceError `target-not-adopted`, `target-unknown`, and what reading the log throws */
  of(target: string): Promise<StandingJudge>;
  /** One after the other; who has waited too long is not asked any more. */
  evaluate(ready: ReadyJudge, document: PolicyInput, external: ExternalData, signal: AbortSignal): Promise<Evaluated>;
  /** For questions that are no object: a process of its own, started when it is first asked. */
  readonly compiler: Toolchain;
  close(): Promise<void>;
}

interface Kept {
  readonly configuration: Gate["configuration"];
  readonly index: number;
  readonly standing: Promise<StandingJudge>;
}

export function openStandingJudges(gate: Gate): StandingJudges {
  const engine = openPolicyEngine(LIMITS);
  const compiler = openCompiler();
  const turns = openTurns();
  const known = new Map<string, Kept>();
  return {
    async of(target) {
      gate.target(target);
      const newest = await gate.log.latest(target, ["genesis", "bypass", "release"]);
      const { configuration } = gate;
      const index = newest?.index ?? -1;
      const before = known.get(target);
      if (before?.configuration === configuration && before.index === index) return before.standing;
      const kept: Kept = { configuration, index, standing: readStanding(gate, target) };
      known.set(target, kept);
      kept.standing.catch(() => known.delete(target));
      return kept.standing;
    },
    evaluate: ({ judge, released }, document, external, signal) =>
      turns.take("policies", () => {
        refuseLate(signal);
        return engine.evaluate(judge.policies, [document], undefined, around(document, released), external);
      }),
    compiler,
    close: async () => void (await Promise.all([engine.close(), compiler.close()])),
  };
}

/** @throws SluiceError `answer-too-slow` */
export function refuseLate(signal: AbortSignal): void {
  if (signal.aborted) throw new SluiceError("answer-too-slow", "It was not judged in time, so it is refused.");
}

async function readStanding(gate: Gate, target: string): Promise<StandingJudge> {
  const history = await readHistory(gate.log, target);
  await gate.activations.record(target, history);
  const { judge: commit, baseline, latestRelease } = history;
  let reading: Promise<ReadyJudge> | null = null;
  return {
    commit,
    baseline,
    read() {
      const now = reading ?? readReady(gate, target, commit, latestRelease?.release.sequence ?? null);
      reading = now;
      now.catch(() => {
        if (reading === now) reading = null; // what cannot be read now is tried again
      });
      return now;
    },
  };
}

async function readReady(gate: Gate, name: string, commit: CommitId, sequence: number | null): Promise<ReadyJudge> {
  const { repository: repositoryName, branch, minimum } = gate.target(name);
  const repository = await gate.repository(name);
  const { tree } = await repository.commit(commit);
  const judge = await readJudge(repository, commit, gate.configuration.gate.revoked, gate.services);
  const facts = targetFacts(judge, name, repositoryName, branch, minimum);
  const target: TargetFacts = {
    ...facts,
    signatures: { ...facts.signatures, require: "none" },
    approvals: { ...facts.approvals, count: 0, roles: [] },
  };
  const sources = await readPolicySources(repository, tree, judge.configuration.policies);
  const looksAround = judge.policies.rules.some(({ imported }) => imported !== null);
  return { judge, target, tree, sources, released: looksAround ? await releasedObjects(gate, name, sequence) : [] };
}

async function releasedObjects(gate: Gate, target: string, sequence: number | null): Promise<readonly JsonObject[]> {
  if (sequence === null) return [];
  const release = await findRelease(gate.log, target, sequence);
  return (await releasedResources(release, gate.objects)).map(({ object }) => object);
}

/** The object that is asked about stands in for the one that was released under its name. */
function around({ resource }: PolicyInput, released: readonly JsonObject[]): readonly JsonObject[] {
  if (resource === null) return released;
  const { group, version, kind, namespace, name } = resource.id;
  const isSame = (one: JsonObject): boolean => {
    const metadata = one["metadata"] as JsonObject;
    const isNamed = metadata["name"] === name && (metadata["namespace"] ?? "") === namespace;
    return (
      isNamed && one["kind"] === kind && String(one["apiVersion"]).startsWith(group === "" ? version : `${group}/`)
    );
  };
  const others = released.filter((one) => !isSame(one));
  return resource.object === null ? others : [...others, resource.object];
}
