/** A world whose gate is open in this process: no command line, so that a test of one rule costs no start of Node. */
import { randomBytes } from "node:crypto";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import type { Decision } from "../../src/decision/decision.ts";
import { adoptTarget } from "../../src/gate/adopt.ts";
import { admit } from "../../src/gate/gate.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { gateProposal } from "../../src/gate/proposal.ts";
import { recorder } from "../../src/gate/record.ts";
import { rollBack } from "../../src/gate/rollback.ts";
import { type Gate, openGate } from "../../src/gate/wiring.ts";
import type { CommitId } from "../../src/git/object.ts";
import type { Clock } from "../../src/lib/time.ts";
import type { Scope } from "../support/temp.ts";
import { makeWorld, type World, type WorldOptions } from "../support/world.ts";

/** Adopted, and nobody has to approve. */
export async function makeGateWorld(scope: Scope, options: WorldOptions = {}): Promise<World> {
  const world = await makeWorld(scope, { target: { approvals: { count: 0 } }, adopt: false, ...options });
  await withGate(world, (gate) => adoptTarget(gate, { target: "prod", at: null, reason: "what runs", by: "ops" }));
  return world;
}

export async function withGate<T>(world: World, use: (gate: Gate) => Promise<T>, clock: Clock = Date.now): Promise<T> {
  const surroundings = readSurroundings({ HOME: world.path("home") });
  const means = { surroundings, clock, random: randomBytes, onStep: () => undefined };
  const gate = await openGate(readGateYaml(world.path("gate.yaml")), means);
  try {
    return await use(gate);
  } finally {
    await gate.close();
  }
}

/** The gate's logged decision about a proposal. */
export function propose(world: World, head: CommitId): Promise<Decision> {
  return withGate(world, async (gate) => {
    const admitted = await admit(await gateProposal(gate, "prod", head), gate.services, recorder(gate.log));
    return admitted.decision;
  });
}

/** Verdict, codes, and how it was carried, of each step that landed since. */
export function land(world: World, clock?: Clock): Promise<readonly (readonly [string, string, string | null])[]> {
  const look = async (gate: Gate) =>
    (await judgeLandings(gate, "prod")).map(({ admitted: { decision }, held }) => {
      if (held !== null) throw held;
      const codes = [...new Set(decision.reasons.map((reason) => reason.code))].join(" ");
      return [decision.verdict, codes, decision.carried?.how ?? null] as const;
    });
  return withGate(world, look, clock);
}

/** Verdict of bringing back an earlier release. */
export function rollback(world: World, to: number): Promise<string> {
  return withGate(world, async (gate) => {
    const { admitted } = await rollBack(gate, { target: "prod", to, reason: "it broke", by: "ops" });
    return admitted.decision.verdict;
  });
}
