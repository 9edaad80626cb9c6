/** A change that is judged again, and would be decided as it was, is not decided a second time: the log has its entry. */
import type { Decision } from "../decision/decision.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { type Admitted, admit } from "./gate.ts";
import type { LoggedDecision } from "./history.ts";
import { recorder } from "./record.ts";
import type { Services } from "./services.ts";
import type { Subject } from "./subject.ts";

/** Judges and records, except what would only repeat `earlier`: then that decision and its record are the answer. */
export async function admitOnce(
  subject: Subject,
  services: Services,
  log: DecisionLog,
  earlier: LoggedDecision | null,
): Promise<Admitted> {
  const record = recorder(log);
  let repeated: LoggedDecision | null = null;
  const admitted = await admit(subject, services, async (decision) => {
    repeated = earlier !== null && saysTheSame(earlier.decision, decision) ? earlier : null;
    if (repeated === null) return record(decision);
    const { index, leaf, leafHash } = repeated.entry;
    return { index, id: leaf.id, time: leaf.time, leafHash, origin: log.origin };
  });
  const same = repeated as LoggedDecision | null;
  return same === null ? admitted : { ...admitted, decision: same.decision };
}

/** All that a verdict rests on and says, but the instant: the policies' input holds that, so its digest is left out. */
function saysTheSame(a: Decision, b: Decision): boolean {
  return gist(a) === gist(b);
}

function gist(decision: Decision): string {
  const { verdict, reasons, subject, base, head, judge, tree, carried, approvals, digests, target } = decision;
  const { input: _, ...lasting } = digests;
  const { emergency = null, external = [] } = decision;
  const outside = external.map(({ name, sha256, failure }) => ({ name, sha256, code: failure?.code ?? null }));
  const stands = { carried, given: approvals.given, emergency };
  const said = { verdict, reasons, subject, base, head, judge, tree, stands, lasting, outside, target };
  return canonicalJson(said as unknown as JsonValue);
}
