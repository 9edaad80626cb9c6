/** What the service counts about itself, for /metrics and for readiness; since the process began, never from before. */
import type { Admitted } from "../gate/gate.ts";
import type { Code } from "../lib/codes.ts";
import type { Clock, Instant } from "../lib/time.ts";
import type { Head } from "../release/release.ts";
import type { MetricFacts } from "./view.ts";

type Polls = MetricFacts["polls"][number];
type Decisions = MetricFacts["decisions"][number];

const BUCKETS_SECONDS = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

export class Facts {
  readonly startedAt: Instant;
  readonly #clock: Clock;
  readonly #polls = new Map<string, Polls>();
  readonly #pollFailures = new Map<string, { readonly code: Code; readonly message: string }>();
  readonly #decisions = new Map<string, Decisions>();
  readonly #heads = new Map<string, Head>();
  #seconds: readonly number[] = [];
  #sum = 0;
  #count = 0;
  #logFailure: { readonly code: Code; readonly message: string } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.startedAt = clock();
  }

  looked(repository: string, failure: { readonly code: Code; readonly message: string } | null): void {
    const before = this.#polls.get(repository) ?? { repository, succeeded: 0, failed: 0, lastSuccessAt: null };
    if (failure === null) {
      this.#polls.set(repository, { ...before, succeeded: before.succeeded + 1, lastSuccessAt: this.#clock() });
      this.#pollFailures.delete(repository);
      return;
    }
    this.#polls.set(repository, { ...before, failed: before.failed + 1 });
    this.#pollFailures.set(repository, failure);
  }

  decided({ decision }: Pick<Admitted, "decision">): void {
    const { target, subject, verdict, emergency } = decision;
    const landed = emergency === undefined ? "landed" : "emergency";
    const kind = subject === "landed" ? landed : subject === "admission" ? subject : "proposed";
    const key = `${target.name} ${kind} ${verdict}`;
    const before = this.#decisions.get(key) ?? { target: target.name, subject: kind, verdict, count: 0 };
    this.#decisions.set(key, { ...before, count: before.count + 1 });
  }

  /** From the sight of a landed commit to the head that names its release. */
  released(milliseconds: number): void {
    const seconds = milliseconds / 1000;
    this.#sum += seconds;
    this.#count += 1;
    this.#seconds = BUCKETS_SECONDS.map((le, index) => (this.#seconds[index] ?? 0) + (seconds <= le ? 1 : 0));
  }

  signed(head: Head): void {
    this.#heads.set(head.target, head);
    this.#logFailure = null; // a head rests on a checkpoint that the log gave
  }

  logFailed(failure: { readonly code: Code; readonly message: string }): void {
    this.#logFailure = failure;
  }

  head(target: string): Head | null {
    return this.#heads.get(target) ?? null;
  }

  get logFailure() {
    return this.#logFailure;
  }

  pollFailure(repository: string) {
    return this.#pollFailures.get(repository) ?? null;
  }

  get polls(): readonly Polls[] {
    return [...this.#polls.values()];
  }

  get decisions(): readonly Decisions[] {
    return [...this.#decisions.values()];
  }

  get landingToRelease(): MetricFacts["landingToRelease"] {
    const buckets = BUCKETS_SECONDS.map((le, index) => ({ le, count: this.#seconds[index] ?? 0 }));
    return { sum: this.#sum, count: this.#count, buckets };
  }

  /** What is configured no longer is counted no longer. */
  keepOnly(targets: ReadonlySet<string>, repositories: ReadonlySet<string>): void {
    for (const name of this.#heads.keys()) if (!targets.has(name)) this.#heads.delete(name);
    for (const name of this.#polls.keys()) if (!repositories.has(name)) this.#polls.delete(name);
    for (const name of this.#pollFailures.keys()) if (!repositories.has(name)) this.#pollFailures.delete(name);
  }
}
