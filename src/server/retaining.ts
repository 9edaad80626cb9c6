/** Takes values away that are older than gate.yaml keeps them: when the service starts, then once an hour. */
import { retain } from "../gate/retention.ts";
import { dataFolder, type Gate, logPlace } from "../gate/wiring.ts";
import type { Clock } from "../lib/time.ts";
import { growingRoom } from "./free-space.ts";
import { failureFields, type Journal } from "./journal.ts";

const INTERVAL_MS = 60 * 60_000;

export interface Retaining {
  /** Resolves when the step that runs has ended; the rest is left for the next start. */
  stop(): Promise<void>;
}

/** What fails is said, and tried again an hour later: nothing else depends on it. */
export function startRetaining(gate: Gate, journal: Journal, clock: Clock): Retaining {
  let isStopped = false;
  const look = async (): Promise<void> => {
    const { retention } = gate.configuration.gate.log;
    if (retention === undefined || isStopped) return;
    const room = () => growingRoom(dataFolder(gate.configuration), logPlace(gate.configuration), retention.size);
    try {
      const done = await retain(gate.log, retention, { clock, room, isStopped: () => isStopped });
      if (done.entries > 0) journal.say("info", "old values erased", { entries: done.entries, values: done.values });
    } catch (thrown) {
      journal.say("error", "old values not erased", failureFields(thrown));
    }
  };
  let last = look();
  const timer = setInterval(() => {
    last = last.then(look);
  }, INTERVAL_MS);
  return {
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await last;
    },
  };
}
