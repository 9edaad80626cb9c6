/**
 * Worker threads that evaluations share, one evaluation a thread. The first is started at once, others only when all
 * are busy; who comes when they are, waits, and when too many wait, is turned away.
 */
import { type PolicyWorker, startPolicyWorker, type WorkerLimits } from "./policy-worker.ts";

export interface PoolLimits extends WorkerLimits {
  /** Threads at most; 1 where nobody says. */
  readonly workers?: number;
  /** Evaluations that may wait for a thread; 256 where nobody says. */
  readonly waiting?: number;
}

export interface WorkerPool {
  /** Runs when a thread is free, in the order of the calls; null, and nothing run, where too many wait already. */
  use<T>(run: (worker: PolicyWorker) => Promise<T>): Promise<T | null>;
  /** Waits for what runs and for what waits. */
  close(): Promise<void>;
}

const DEFAULT_WAITING = 256;

export function openWorkerPool(limits: PoolLimits): WorkerPool {
  const { workers: most = 1, waiting: mostWaiting = DEFAULT_WAITING } = limits;
  const all = [startPolicyWorker(limits)];
  const idle = [...all];
  const waiting: ((worker: PolicyWorker) => void)[] = [];
  const running = new Set<Promise<unknown>>();

  function take(): PolicyWorker | Promise<PolicyWorker> | null {
    const free = idle.pop();
    if (free !== undefined) return free;
    if (all.length < most) {
      const started = startPolicyWorker(limits);
      all.push(started);
      return started;
    }
    return waiting.length >= mostWaiting ? null : new Promise((resolve) => waiting.push(resolve));
  }

  function giveBack(worker: PolicyWorker): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(worker);
    else next(worker);
  }

  return {
    use(run) {
      const taken = take();
      if (taken === null) return Promise.resolve(null);
      const used = (async () => {
        const worker = await taken;
        try {
          return await run(worker);
        } finally {
          giveBack(worker);
        }
      })();
      const settled: Promise<unknown> = used.catch(() => undefined).then(() => running.delete(settled));
      running.add(settled);
      return used;
    },
    async close() {
      while (running.size > 0) await Promise.all(running);
      await Promise.all(all.map((worker) => worker.close()));
    },
  };
}
