/** A log that masks what it is given before it records it: whatever store lies below. */
import type { DecisionLog } from "../decision-log.ts";
import { type Mask, masked } from "./mask.ts";

export function maskedLog(log: DecisionLog, masks: readonly Mask[]): DecisionLog {
  if (masks.length === 0) return log;
  const redact = log.redact?.bind(log);
  return {
    ...(redact === undefined ? {} : { redact }),
    origin: log.origin,
    append: async (draft) => log.append(masked(draft, masks)),
    appendAll: async (drafts) => log.appendAll(drafts.map((draft) => masked(draft, masks))),
    read: (index) => log.read(index),
    find: (query) => log.find(query),
    findIndexes: (query) => log.findIndexes(query),
    count: (query) => log.count(query),
    latest: (target, kinds) => log.latest(target, kinds),
    checkpoint: () => log.checkpoint(),
    inclusionProof: (index, size) => log.inclusionProof(index, size),
    consistencyProof: (oldSize, newSize) => log.consistencyProof(oldSize, newSize),
    resource: (path) => log.resource(path),
    close: () => log.close(),
  };
}
