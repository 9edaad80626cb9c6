/** Holds: logged first, and within a second every affected head says so. */
import { SluiceError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import { type HoldRequest, holdDraft, readHolds } from "../release/holds.ts";
import { readAbandoned } from "../release/rollback.ts";
import { signedHead } from "./releasing.ts";
import type { Gate } from "./wiring.ts";

export interface HeldTargets {
  readonly index: number;
  readonly targets: readonly string[];
}

/** @throws SluiceError `hold-scope`, `hold-unnamed`, `target-unknown`, `nothing-held` */
export async function changeHold(gate: Gate, kind: "hold" | "resume", request: HoldRequest): Promise<HeldTargets> {
  const draft = holdDraft(kind, request, VERSION); // what is no scope at all is no unknown target either
  const targets = scopedTargets(gate, request.scope);
  if (kind === "resume") await refuseUnheld(gate, request.scope);
  const { index } = await gate.log.append(draft);
  await Promise.all(targets.map((target) => signedHead(gate, target)));
  return { index, targets };
}

/** What a rollback left behind is resumed without a hold; anything else would be an entry that ends nothing. */
async function refuseUnheld({ log }: Gate, scope: string): Promise<void> {
  const scopes = (await readHolds(log)).map((hold) => hold.scope);
  if (scopes.includes(scope) || (await readAbandoned(log, scope)) !== null) return;
  const held = scopes.length === 0 ? "nothing is held" : `held: ${scopes.join(", ")}`;
  throw new SluiceError("nothing-held", `${scope} is not held; ${held}. Nothing was recorded.`, {
    ...(scopes[0] === undefined ? {} : { fix: `sluice resume ${scopes[0]} --reason TEXT` }),
  });
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
