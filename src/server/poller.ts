/** Looks again and again: after an interval, at once when told, later and later while it fails. */
import { setTimeout as sleep } from "node:timers/promises";

const LONGEST_PAUSE_MS = 5 * 60_000;
/** Up to so much of the interval is added, so that many services do not ask one server at the same moment. */
const JITTER_SHARE = 0.1;

export interface PollerOptions {
  readonly intervalMs: number;
  /** A number from 0 up to 1, drawn anew for each pause. */
  readonly jitter: () => number;
  /** MUST not throw; false where it failed. */
  readonly look: () => Promise<boolean>;
}

export interface Poller {
  /** Looks at once; while a look is under way, once more after it. */
  hint(): void;
  /** Resolves when the look that is under way has ended; none follows. */
  stop(): Promise<void>;
}

export function startPoller({ intervalMs, jitter, look }: PollerOptions): Poller {
  let pause = new AbortController();
  let isStopped = false;
  let isHinted = false;

  async function run(): Promise<void> {
    let failures = 0;
    while (!isStopped) {
      isHinted = false;
      failures = (await look()) ? 0 : failures + 1;
      if (isStopped || isHinted) continue;
      pause = new AbortController();
      const ms = pauseMs(intervalMs, failures, jitter());
      await sleep(ms, undefined, { signal: pause.signal }).catch(() => undefined);
    }
  }

  const running = run();
  return {
    hint: () => {
      isHinted = true;
      pause.abort();
    },
    stop: () => {
      isStopped = true;
      pause.abort();
      return running;
    },
  };
}

/** Milliseconds. */
export function pauseMs(intervalMs: number, failures: number, jitter: number): number {
  const longest = Math.max(intervalMs, LONGEST_PAUSE_MS);
  const base = Math.min(intervalMs * 2 ** Math.min(failures, 20), longest);
  return Math.round(base * (1 + JITTER_SHARE * jitter));
}
