/** One worker thread at a time, replaced when it is stopped: runs jobs and says of each how it ended. */
import { Worker } from "node:worker_threads";
import { siblingModule } from "../lib/sibling-module.ts";
import type { Batch, Fault, Job, LoadedPolicies, Outcome, Report } from "./batch.ts";

export interface WorkerLimits {
  /** Milliseconds that one job may take before its worker is ended. */
  readonly jobDeadlineMs: number;
  /** Memory of the policy module; the thread itself has as much again. */
  readonly memoryBytes: number;
}

export type BatchContent = Omit<Batch, "policies" | "jobs" | "progress" | "memoryBytes">;

export interface PolicyWorker {
  /**
   * Outcomes by job, in the order of `jobs`. A job that exceeds its deadline or the thread's memory gets an outcome
   * that says so and ends the call: null stands for jobs that were then not asked. Never rejects.
   * @param policies loaded once as long as it is the same object.
   * @param until instant of `performance.now()` at which everything still open is ended.
   */
  run(
    policies: LoadedPolicies,
    content: BatchContent,
    jobs: readonly Job[],
    until: number,
  ): Promise<readonly (Outcome | null)[]>;
  close(): Promise<void>;
}

const WATCH_EVERY_MS = 10;
/** A thread that does not even start within this time is broken. */
const START_DEADLINE_MS = 15_000;
const MEGABYTE = 1024 * 1024;

/** Starts the first thread at once, so that it is ready when the documents are. */
export function startPolicyWorker(limits: WorkerLimits): PolicyWorker {
  let current: Worker | null = start();
  let loaded: LoadedPolicies | null = null;

  function start(): Worker {
    const thread = startThread(limits);
    thread.once("exit", () => {
      if (current === thread) [current, loaded] = [null, null];
    });
    return thread;
  }

  async function replace(): Promise<void> {
    const old = current;
    current = null;
    loaded = null;
    await old?.terminate();
  }

  return {
    async run(policies, content, jobs, until) {
      current ??= start();
      const thread = current;
      const progress = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
      const batch: Batch = {
        ...content,
        policies: loaded === policies ? null : policies,
        jobs,
        progress,
        memoryBytes: limits.memoryBytes,
      };
      thread.ref();
      const { outcomes, healthy } = await watch(thread, batch, limits.jobDeadlineMs, until);
      thread.unref();
      if (healthy) loaded = policies;
      else await replace();
      return outcomes;
    },
    close: replace,
  };
}

/** Nothing of this process's environment goes in. */
function startThread({ memoryBytes }: WorkerLimits): Worker {
  const thread = new Worker(siblingModule(import.meta.url, "worker"), {
    env: {},
    execArgv: [],
    stdin: false,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memoryBytes / MEGABYTE) },
  });
  thread.unref();
  thread.on("error", () => undefined);
  return thread;
}

interface Watched {
  readonly outcomes: readonly (Outcome | null)[];
  readonly healthy: boolean;
}

function watch(thread: Worker, batch: Batch, jobDeadlineMs: number, until: number): Promise<Watched> {
  const outcomes: (Outcome | null)[] = batch.jobs.map(() => null);
  return new Promise((resolve) => {
    let job = -1;
    let since = performance.now();

    function finish(fault: Fault | null): void {
      clearInterval(timer);
      thread.off("message", receive).off("error", failed).off("exit", ended);
      const running = Math.max(0, Atomics.load(batch.progress, 0));
      if (fault !== null && running < outcomes.length) outcomes[running] ??= { ok: false, ...fault };
      resolve({ outcomes, healthy: fault === null });
    }
    function receive(report: Report): void {
      for (const [offset, outcome] of report.outcomes.entries()) outcomes[report.first + offset] = outcome;
      if (report.done) finish(null);
    }
    function failed(error: Error & { code?: string }): void {
      const memory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      finish(
        memory
          ? { code: "policy-memory", message: "the policy's memory is used up" }
          : { code: "policy-aborted", message: "the worker ended" },
      );
    }
    function ended(): void {
      finish({ code: "policy-aborted", message: "the worker ended" });
    }
    function look(): void {
      const now = performance.now();
      const running = Atomics.load(batch.progress, 0);
      if (running !== job) [job, since] = [running, now];
      const allowed = job < 0 ? START_DEADLINE_MS : jobDeadlineMs;
      if (now >= until) finish({ code: "policy-deadline", message: "the time for all policies is used up" });
      else if (now - since > allowed) finish({ code: "policy-deadline", message: `no answer within ${allowed} ms` });
    }

    const timer = setInterval(look, WATCH_EVERY_MS);
    thread.on("message", receive).on("error", failed).on("exit", ended);
    thread.postMessage(batch);
  });
}
