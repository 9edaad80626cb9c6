/** A redaction by the process that writes the log: what is appended meanwhile is looked at before it is called done. */
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { Erasure } from "../log/entry.ts";
import { planRedaction, type RedactionPlan, type RedactionWish } from "../log/redaction/plan.ts";
import { type RedactionRequest, redactionDraft } from "../log/redaction/record.ts";
import { neededValues } from "./needed.ts";

export interface RedactionOrder {
  readonly wish: RedactionWish;
  readonly request: RedactionRequest;
  /** Also what the current release rests on. */
  readonly evenNeeded: boolean;
  /** Only says what would be erased. */
  readonly dryRun: boolean;
}

export interface Redacted extends RedactionPlan {
  /** Of the newest entry that says so; null for a dry run. */
  readonly index: number | null;
}

/**
 * @throws SluiceError `nothing-to-redact`, `redaction-needed`, `redaction-unnamed`, `redaction-repeats`, `not-supported`
 * for a store that cannot
 */
export async function redactOpenLog(log: DecisionLog, order: RedactionOrder): Promise<Redacted> {
  const { wish, dryRun } = order;
  const plan = await checkedPlan(log, order);
  if (dryRun) return { ...plan, index: null };
  if (plan.erasures.length === 0)
    throw new SluiceError("nothing-to-redact", "No entry discloses what is to be redacted.");
  if (log.redact === undefined) throw new SluiceError("not-supported", "This store takes no values away yet.");
  const erasures: Erasure[] = [];
  let index: number | null = null;
  for (let left: RedactionPlan = plan; left.erasures.length > 0; left = await checkedPlan(log, order)) {
    const receipt = await log.redact(redactionDraft(order.request, left.erasures, wish.subject), left.erasures);
    index = receipt.index;
    erasures.push(...left.erasures);
  }
  return { erasures, kept: plan.kept, index };
}

async function checkedPlan(log: DecisionLog, { wish, request, evenNeeded }: RedactionOrder): Promise<RedactionPlan> {
  const plan = await planRedaction(log, wish);
  redactionDraft(request, plan.erasures, wish.subject);
  if (!evenNeeded) await refuseNeeded(log, plan);
  return plan;
}

/** @throws SluiceError `redaction-needed` */
export async function refuseNeeded(log: DecisionLog, { erasures }: RedactionPlan): Promise<void> {
  const needed = await neededValues(log);
  const hit = erasures.find(({ index, names }) => {
    const values = needed.get(index);
    return values !== undefined && (values === null || names.some((name) => values.has(name)));
  });
  if (hit === undefined) return;
  throw new SluiceError("redaction-needed", `What entry ${hit.index} says is still needed: ${hit.names.join(", ")}.`);
}
