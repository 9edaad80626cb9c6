/**
 * Evaluates a policy set over documents and counts. What must be answered is computed from METADATA before anything
 * runs; whatever did not answer, for whatever reason, is listed. Order of work:
 *   1. every document is asked once, all its rules together;
 *   2. a document that failed is asked again rule by rule, so that one bad rule does not hide the others;
 *   3. rules that once used up their deadline wait until everything else has answered.
 */
import type { JsonObject } from "../lib/canonical.ts";
import { resourceName } from "../render/resource.ts";
import type { Fault, Job, LoadedPolicies, Outcome, RawFinding } from "./batch.ts";
import { encodeDocuments, sharedBytes } from "./batching.ts";
import { dialectOf } from "./dialects.ts";
import type { ExternalData } from "./external.ts";
import { compareFindings, type Finding, type NotEvaluated } from "./finding.ts";
import type { PolicyInput } from "./input.ts";
import { dataText } from "./inventory.ts";
import { selectionOf, surroundingsOf } from "./match.ts";
import type { Evaluated, PolicyEngine, PolicySet, Rule } from "./policy-set.ts";
import type { PolicyWorker } from "./policy-worker.ts";
import { openWorkerPool, type PoolLimits } from "./worker-pool.ts";

export interface EngineLimits extends PoolLimits {
  /** Milliseconds for one call of `evaluate`; what has not answered by then is `policy-deadline`. */
  readonly totalDeadlineMs: number;
}

const ENGINE_LIMITS: EngineLimits = {
  jobDeadlineMs: 2000,
  totalDeadlineMs: 30_000,
  memoryBytes: 256 * 1024 * 1024,
  // A second thread is started only by who finds the first one busy: never by one check after the other.
  workers: 2,
};

const NOTHING_TO_ASK = { rules: [], bytes: new Uint8Array(0), data: null, contexts: [], documents: [] };

/**
 * Calls run one after the other, or as many at once as there are workers. `close()` MUST be called; an engine that is
 * closed evaluates nothing more.
 */
export function openPolicyEngine(limits: EngineLimits = ENGINE_LIMITS): PolicyEngine {
  const pool = openWorkerPool(limits);
  const known = new WeakMap<Uint8Array, Promise<LoadedPolicies>>();
  let prepared: Promise<unknown> = Promise.resolve();
  let closed = false;

  function policiesOf(set: PolicySet): Promise<LoadedPolicies> {
    const policies = known.get(set.wasm) ?? loaded(set);
    known.set(set.wasm, policies);
    return policies;
  }

  async function run(evaluation: Evaluation, set: PolicySet, worker: PolicyWorker): Promise<void> {
    const policies = await policiesOf(set).catch(() => null);
    if (policies === null)
      evaluation.failAll({ code: "rules-missing", message: "the compiled policies are not a WebAssembly module" });
    else await evaluation.run(worker, policies, performance.now() + limits.totalDeadlineMs);
  }

  return {
    prepare(set) {
      if (closed) return;
      const asked = pool.use(async (worker) => {
        await worker.run(await policiesOf(set), NOTHING_TO_ASK, [], performance.now() + limits.totalDeadlineMs);
      });
      prepared = asked.catch(() => undefined); // evaluate() meets the same failure and says it
    },
    async evaluate(set, documents, _digests, around, external = new Map()) {
      const evaluation = new Evaluation(set, documents, around ?? objectsOf(documents), external);
      if (closed) {
        evaluation.failAll({ code: "policy-aborted", message: "the engine is closed" });
        return evaluation.result();
      }
      const absent = set.external.find(({ name }) => !external.has(name));
      if (absent !== undefined) {
        const message = `the data of the external source ${absent.name} is not there`;
        evaluation.failAll({ code: "external-not-given", message });
        return evaluation.result();
      }
      await prepared; // else it would find the only thread busy, and start another
      const answered = await pool.use(async (worker) => {
        await run(evaluation, set, worker);
        return true;
      });
      if (answered === null)
        evaluation.failAll({ code: "policy-overloaded", message: "too many evaluations wait for their turn" });
      return evaluation.result();
    },
    async close() {
      closed = true;
      await pool.close();
    },
  };
}

async function loaded({ wasm, data }: PolicySet): Promise<LoadedPolicies> {
  const texts = data.map(([path, text]) => [path, sharedBytes(text)] as const);
  return { module: await WebAssembly.compile(wasm), data: texts };
}

/** Every object of the rendering; deletions are none. */
function objectsOf(documents: readonly PolicyInput[]): readonly JsonObject[] {
  return documents.map(({ resource }) => resource?.object ?? null).filter((object) => object !== null);
}

class Evaluation {
  readonly #set: PolicySet;
  readonly #documents: readonly PolicyInput[];
  /** Objects that rules may look at beside the one they are asked about. */
  readonly #objects: readonly JsonObject[];
  readonly #external: ExternalData;
  /** Rules that must answer, by document. */
  readonly #expected: readonly (readonly number[])[];
  /** By document: the reviews that imported rules are asked about, by their ids. */
  readonly #asked: readonly Record<string, readonly number[]>[];
  readonly #findings: Finding[] = [];
  readonly #faults: { readonly document: number; readonly rule: number | null; readonly fault: Fault }[] = [];
  /** Rules that have used up a deadline in this evaluation. */
  readonly #slow = new Set<number>();
  #evaluated = 0;
  #forgiven = 0;
  /** Pairs of which nobody can say whether the rule is to be asked: expected, and never answered. */
  #unclear = 0;

  constructor(
    set: PolicySet,
    documents: readonly PolicyInput[],
    objects: readonly JsonObject[],
    external: ExternalData,
  ) {
    this.#set = set;
    this.#external = external;
    this.#documents = documents;
    this.#objects = objects;
    this.#asked = documents.map(() => ({}));
    const around = surroundingsOf(set.rules.some(({ imported }) => imported !== null) ? objects : []);
    this.#expected = documents.map((document, at) =>
      set.rules.flatMap((rule, index) => {
        const selection = selectionOf(rule, document, around);
        if (selection.kind === "yes" && rule.imported !== null) this.#ask(at, rule.id, selection.reviews);
        if (selection.kind === "unclear") this.#doubt({ document: at, rule: index }, selection);
        return selection.kind === "yes" ? [index] : [];
      }),
    );
  }

  #ask(document: number, id: string, reviews: readonly number[]): void {
    const asked = this.#asked[document];
    if (asked !== undefined) asked[id] = reviews;
  }

  #doubt(job: Job, fault: Fault): void {
    this.#unclear++;
    this.#fail(job, { code: fault.code, message: fault.message });
  }

  async run(worker: PolicyWorker, policies: LoadedPolicies, until: number): Promise<void> {
    const hasImported = this.#set.rules.some(({ imported }) => imported !== null);
    const { bytes, contexts, documents, data } = encodeDocuments(this.#documents, {
      asked: hasImported ? this.#asked : null,
      data: dataText(this.#set.readsInventory ? this.#objects : null, this.#external),
    });
    const content = {
      rules: this.#set.rules.map((rule) => {
        return { id: rule.id, form: rule.imported?.form ?? "findings", onFailure: dialectOf(rule).onFailure };
      }),
      bytes,
      data,
      contexts,
      documents: documents.map((document) => document ?? { context: -1, own: {} }),
    };
    let queue = this.#expected.flatMap((rules, document): Job[] => {
      if (documents[document] === null)
        this.#fail({ document, rule: null }, { code: "policy-aborted", message: "the document has no canonical JSON" });
      return rules.length > 0 && documents[document] !== null ? [{ document, rule: null }] : [];
    });
    let late: Job[] = [];
    while (queue.length + late.length > 0) {
      if (queue.length === 0) [queue, late] = [late, []];
      const outcomes = await worker.run(policies, content, queue, until);
      if (performance.now() >= until) return this.#giveUp(queue, outcomes, late);
      const next: Job[] = [];
      for (const [index, job] of queue.entries()) {
        const outcome = outcomes[index] ?? null;
        if (outcome === null) next.push(job);
        else next.push(...this.#take(job, outcome));
      }
      const open = next.flatMap((job) => this.#split(job));
      late.push(...open.filter((job) => this.#isLate(job)));
      queue = open.filter((job) => !this.#isLate(job));
    }
  }

  /** @returns the jobs to ask instead. */
  #take(job: Job, outcome: Outcome): readonly Job[] {
    if (outcome.ok) {
      this.#accept(job, outcome);
      return [];
    }
    if (job.rule === null && (this.#expectedOf(job).length > 1 || this.#mayBeUndefined(job, outcome))) {
      return this.#expectedOf(job).map((rule) => ({ document: job.document, rule }));
    }
    if (outcome.code === "policy-deadline") for (const rule of this.#expectedOf(job)) this.#slow.add(rule);
    this.#fail(job, outcome);
    return [];
  }

  /** A built-in that failed has no value in some dialects; the worker lets that be only where one rule is asked alone. */
  #mayBeUndefined(job: Job, { code }: Fault): boolean {
    const isLenient = (rule: number) => dialectOf(this.#set.rules[rule] as Rule).onFailure === "undefined";
    return code === "builtin-error" && this.#expectedOf(job).some(isLenient);
  }

  /** A document that a slow rule selects is asked rule by rule. */
  #split(job: Job): readonly Job[] {
    const rules = this.#expectedOf(job);
    if (job.rule !== null || !rules.some((rule) => this.#slow.has(rule))) return [job];
    return rules.map((rule) => ({ document: job.document, rule }));
  }

  #isLate(job: Job): boolean {
    return job.rule !== null && this.#slow.has(job.rule);
  }

  #accept(job: Job, outcome: Extract<Outcome, { ok: true }>): void {
    const expected = this.#expectedOf(job);
    const answered = new Set(outcome.answered);
    for (const { rule, ...fault } of outcome.malformed) this.#fail({ document: job.document, rule }, fault);
    const malformed = new Set(outcome.malformed.map(({ rule }) => rule));
    for (const rule of expected) {
      if (answered.has(rule)) this.#evaluated++;
      else if (!malformed.has(rule))
        this.#fail({ document: job.document, rule }, { code: "rules-missing", message: "the rule did not answer" });
    }
    for (const rule of answered) {
      if (!expected.includes(rule))
        this.#surplus(job, rule, "the rule answered for a document that it does not select");
    }
    for (const id of outcome.unknown)
      this.#surplus(job, null, `an unknown rule ${JSON.stringify(id.slice(0, 80))} answered`);
    this.#findings.push(
      ...outcome.findings.filter(({ rule }) => expected.includes(rule)).map((raw) => this.#finding(job.document, raw)),
    );
  }

  #finding(document: number, raw: RawFinding): Finding {
    const rule = this.#set.rules[raw.rule] as Rule;
    return {
      rule: rule.id,
      policy: rule.package,
      // A rule that only observes or warns never decides, whatever it calls its finding.
      kind: rule.mode === "enforce" && rule.kinds.includes(raw.kind) ? raw.kind : "warn",
      level: rule.level,
      message: raw.message,
      fix: raw.fix ?? rule.fix,
      resource: this.#documents[document]?.resource?.id ?? null,
      at: raw.at,
      position: null,
      waivedBy: null,
      baseline: false,
      waivable: rule.waivable,
      role: rule.role,
    };
  }

  /** The failure of a rule that only observes is recorded as a warning of its own and leaves the count. */
  #fail(job: Job, fault: Fault): void {
    for (const index of this.#expectedOf(job)) {
      const rule = this.#set.rules[index] as Rule;
      if (rule.mode === "enforce") {
        this.#faults.push({ document: job.document, rule: index, fault });
      } else {
        this.#forgiven++;
        const message = `the rule was not evaluated (${fault.code}): ${fault.message}`;
        this.#findings.push(
          this.#finding(job.document, {
            rule: index,
            kind: "warn",
            message: message.slice(0, 4096),
            at: "",
            fix: null,
          }),
        );
      }
    }
  }

  /** More answers than METADATA promises: the module is not the one that these rules belong to. */
  #surplus({ document }: Job, rule: number | null, message: string): void {
    this.#faults.push({ document, rule, fault: { code: "rules-missing", message } });
  }

  failAll(fault: Fault): void {
    for (const [document] of this.#documents.entries()) this.#fail({ document, rule: null }, fault);
  }

  #giveUp(queue: readonly Job[], outcomes: readonly (Outcome | null)[], late: readonly Job[]): void {
    const fault: Fault = { code: "policy-deadline", message: "the time for all policies is used up" };
    for (const [index, job] of queue.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok === true) this.#accept(job, outcome);
      else this.#fail(job, fault);
    }
    for (const job of late) this.#fail(job, fault);
  }

  #expectedOf({ document, rule }: Job): readonly number[] {
    return rule === null ? (this.#expected[document] ?? []) : [rule];
  }

  result(): Evaluated {
    const total = this.#expected.reduce((sum, rules) => sum + rules.length, this.#unclear);
    const unruled = this.#documents.flatMap(({ resource }, index) =>
      resource !== null &&
      this.#expected[index]?.length === 0 &&
      !this.#faults.some(({ document }) => document === index)
        ? [resourceName(resource.id)]
        : [],
    );
    return {
      findings: this.#findings.sort(compareFindings),
      rulesExpected: total - this.#forgiven,
      rulesEvaluated: this.#evaluated,
      unruled: unruled.sort(),
      notEvaluated: this.#notEvaluated(),
    };
  }

  #notEvaluated(): readonly NotEvaluated[] {
    const listed = this.#faults.map(({ document, rule, fault }) => {
      const id = this.#documents[document]?.resource?.id ?? null;
      const what = [rule === null ? "" : (this.#set.rules[rule]?.id ?? ""), id === null ? "" : resourceName(id)].filter(
        (part) => part !== "",
      );
      return { what: what.length === 0 ? "the change" : what.join(" on "), code: fault.code, message: fault.message };
    });
    return listed.sort((a, b) => compareTexts(a.what, b.what) || compareTexts(a.message, b.message));
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
