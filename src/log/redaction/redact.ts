/** Redacts a log: plans, records and erases under one lock. */

import { SluiceError } from "../../lib/errors.ts";
import type { DecisionLog } from "../decision-log.ts";
import { prepareEntry } from "../leaf.ts";
import { type Redacted, redactDatabase } from "../stores/sqlite/redact.ts";
import { type LogOptions, openLogReader, sqlitePath } from "../stores.ts";
import { planRedaction, type RedactionPlan, type RedactionWish } from "./plan.ts";
import { type RedactionRequest, redactionDraft } from "./record.ts";

export interface Redaction extends RedactionPlan, Redacted {}

/**
 * `refuse` sees the plan before anything is written, and throws where it must not be done.
 * @throws SluiceError `nothing-to-redact`, `redaction-unnamed`, `redaction-repeats`, what planRedaction(), `refuse` and
 * openLog() throw
 */
export async function redactLog(
  options: LogOptions,
  wish: RedactionWish,
  request: RedactionRequest,
  refuse: (log: DecisionLog, plan: RedactionPlan) => Promise<void>,
): Promise<Redaction> {
  const { store, origin, key, anchor = null, checkpointFile = null, clock, random } = options;
  const planned: { plan: RedactionPlan | null } = { plan: null };
  const redacted = await redactDatabase({ path: sqlitePath(store), origin, key, anchor, checkpointFile }, async () => {
    const log = await openLogReader({ store, origin });
    try {
      const plan = await planRedaction(log, wish);
      planned.plan = plan;
      if (plan.erasures.length === 0)
        throw new SluiceError("nothing-to-redact", "No entry discloses what is to be redacted.");
      await refuse(log, plan);
      const draft = redactionDraft(request, plan.erasures, wish.subject);
      return { entry: prepareEntry(draft, clock(), random), erasures: plan.erasures };
    } finally {
      await log.close(); // a reader would keep the former pages
    }
  });
  return { ...(planned.plan as RedactionPlan), ...redacted };
}
