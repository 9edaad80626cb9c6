/** Holds: logged first, and within a second every affected head says so. */
import { VERSION } from "../lib/version.ts";
import { type HoldRequest, holdDraft } from "../release/holds.ts";
import { signedHead } from "./releasing.ts";
import type { Gate } from "./wiring.ts";

export interface HeldTargets {
  readonly index: number;
  readonly targets: readonly string[];
}

/** @throws SluiceError `hold-scope`, `hold-unnamed`, `target-unknown` */
export async function changeHold(gate: Gate, kind: "hold" | "resume", request: HoldRequest): Promise<HeldTargets> {
  const targets = scopedTargets(gate, request.scope);
  const { index } = await gate.log.append(holdDraft(kind, request, VERSION));
  await Promise.all(targets.map((target) => signedHead(gate, target)));
  return { index, targets };
}

/** A name that nothing bears is refused: a hold that holds nothing must not look like one. */
function scopedTargets(gate: Gate, scope: string): readonly string[] {
  const all = Object.entries(gate.configuration.gate.targets);
  if (scope === "all") return all.map(([name]) => name);
  if (scope.startsWith("repository:")) {
    const name = scope.slice("repository:".length);
    const found = all.filter(([, target]) => target.repository === name).map(([target]) => target);
    if (found.length > 0) return found;
  }
  gate.target(scope);
  return [scope];
}
