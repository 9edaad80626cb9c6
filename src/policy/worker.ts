/**
 * The thread in which policies run, so that an endless one can be ended from outside. It holds one instance from batch to
 * batch, drops it after any throw, and reports in short intervals, so that little is lost when it is ended.
 */
import { type MessagePort, parentPort } from "node:worker_threads";
import { builtinWarning, readAnswer } from "./answer.ts";
import type { AskedRule, Batch, Fault, Job, LoadedPolicies, Outcome, RawFinding, Report, Span } from "./batch.ts";
import type { Builtin } from "./builtins/call.ts";
import { loadBuiltins } from "./builtins.ts";
import { RESULT_ENTRYPOINT, ruleEntrypoint } from "./entrypoints.ts";
import { recordedCalls } from "./recorded-calls.ts";
import { EvaluationFault, type InputParts, instantiate, type PolicyInstance } from "./wasm-instance.ts";

const REPORT_EVERY_MS = 20;

if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  let policies: LoadedPolicies | null = null;
  let functions: ReadonlyMap<string, Builtin> | null = null;
  let kept: PolicyInstance | null = null;
  port.on("message", async (batch: Batch) => {
    if (batch.policies !== null) [policies, functions, kept] = [batch.policies, null, null];
    if (policies === null) return;
    if (functions === null) {
      // A module of which no instance can be made imports nothing: each of its jobs then says why.
      const { module } = policies;
      const instance = attempt(() => instantiate(module, batch.memoryBytes));
      functions = await loadBuiltins(instance?.imports ?? []);
      kept = attempt(() => ready(instance, functions, policies));
    }
    kept = new Run(batch, policies, functions, kept).all((report) => port.postMessage(report));
  });
}

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}

/** With everything that stays as long as it lives. @throws EvaluationFault */
function ready<T extends PolicyInstance | null>(
  instance: T,
  functions: ReadonlyMap<string, Builtin> | null,
  policies: LoadedPolicies | null,
): T {
  if (functions !== null) instance?.use(functions);
  instance?.load(policies?.data ?? []);
  return instance;
}

class Run {
  readonly #batch: Batch;
  readonly #policies: LoadedPolicies;
  readonly #functions: ReadonlyMap<string, Builtin>;
  readonly #ruleOf: ReadonlyMap<string, number>;
  #instance: PolicyInstance | null;
  #context: number | null = null;

  /** `kept` is an instance of the policies that has not thrown, or null: what documents share is given to it anew. */
  constructor(
    batch: Batch,
    policies: LoadedPolicies,
    functions: ReadonlyMap<string, Builtin>,
    kept: PolicyInstance | null,
  ) {
    this.#instance = kept;
    this.#batch = batch;
    this.#policies = policies;
    this.#functions = functions;
    this.#ruleOf = new Map(batch.rules.map(({ id }, index) => [id, index]));
  }

  /** @returns the instance for the next batch, null where it has to be a new one. */
  all(send: (report: Report) => void): PolicyInstance | null {
    const { jobs, progress } = this.#batch;
    let outcomes: Outcome[] = [];
    let sent = 0;
    let last = performance.now();
    for (const [index, job] of jobs.entries()) {
      Atomics.store(progress, 0, index);
      outcomes.push(this.#one(job));
      const now = performance.now();
      if (now - last < REPORT_EVERY_MS) continue;
      send({ first: sent, outcomes, done: false });
      sent += outcomes.length;
      outcomes = [];
      last = now;
    }
    send({ first: sent, outcomes, done: true });
    return this.#instance;
  }

  #one(job: Job): Outcome {
    try {
      const outcome = this.#read(job, this.#evaluate(job));
      if (this.#instance?.isSwollen() === true) this.#instance = null;
      return outcome;
    } catch (thrown) {
      this.#instance = null;
      const fault: Fault =
        thrown instanceof EvaluationFault
          ? thrown
          : { code: "policy-aborted", message: "the worker met a state that it did not expect" };
      return { ok: false, code: fault.code, message: fault.message };
    }
  }

  #evaluate(job: Job): string | null {
    const document = this.#batch.documents[job.document];
    if (document === undefined) throw new EvaluationFault("policy-aborted", "the worker was not given its input");
    if (this.#instance === null) {
      const instance = instantiate(this.#policies.module, this.#batch.memoryBytes);
      this.#instance = ready(instance, this.#functions, this.#policies);
      this.#context = null;
    }
    if (this.#context !== document.context) {
      this.#context = null;
      this.#instance.share(this.#parts(this.#batch.contexts[document.context] ?? {}), this.#data());
      this.#context = document.context;
    }
    const name = job.rule === null ? RESULT_ENTRYPOINT : ruleEntrypoint(job.rule);
    const entrypoint = this.#instance.entrypoints[name];
    // Which rule made a call that failed is known only where one is asked alone; the engine then does that.
    const onFailure = job.rule === null ? "error" : (this.#batch.rules[job.rule]?.onFailure ?? "error");
    if (entrypoint === undefined) return null;
    const [shared, own] = [this.#parts(this.#batch.contexts[document.context] ?? {}), this.#parts(document.own)];
    return this.#instance.evaluate(entrypoint, own, { onFailure, context: recordedCalls(shared, own) });
  }

  #data(): Uint8Array | null {
    const { bytes, data } = this.#batch;
    return data === null ? null : bytes.subarray(data[0], data[1]);
  }

  #parts(spans: Readonly<Record<string, Span>>): InputParts {
    const { bytes } = this.#batch;
    return Object.fromEntries(Object.entries(spans).map(([key, [start, end]]) => [key, bytes.subarray(start, end)]));
  }

  /** An undefined answer is no answer: the engine then misses its rules. */
  #read(job: Job, text: string | null): Outcome {
    const value: unknown = text === null ? null : JSON.parse(text);
    const { rules } = this.#batch;
    if (job.rule !== null) {
      const outcome = collect(value === null ? [] : [[job.rule, value]], [], rules);
      const failures = (this.#instance?.takeFailures() ?? []).map((why) => builtinWarning(job.rule ?? 0, why));
      return outcome.ok ? { ...outcome, findings: [...outcome.findings, ...failures] } : outcome;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return collect([], [], rules);
    const known: [number, unknown][] = [];
    const unknown: string[] = [];
    for (const [id, one] of Object.entries(value)) {
      const rule = this.#ruleOf.get(id);
      if (rule === undefined) unknown.push(id);
      else known.push([rule, one]);
    }
    return collect(known, unknown, rules);
  }
}

function collect(
  said: readonly (readonly [number, unknown])[],
  unknown: readonly string[],
  rules: readonly AskedRule[],
): Outcome {
  const answered: number[] = [];
  const findings: RawFinding[] = [];
  const malformed: (Fault & { rule: number })[] = [];
  for (const [rule, value] of said) {
    const answer = readAnswer(rule, rules[rule]?.form ?? "findings", value);
    if ("code" in answer) {
      malformed.push({ rule, ...answer });
    } else {
      answered.push(rule);
      findings.push(...answer);
    }
  }
  return { ok: true, answered, findings, malformed, unknown };
}
