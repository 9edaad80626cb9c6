/**
 * `sluice serve` without its listener: looks at every repository, judges what is new, signs heads, takes in reports,
 * until it is told to stop. Nothing is remembered outside the log that a restart would miss.
 *
 *   start   open the log (one writer), publish what a crash left and sign a head for each target: ready; then look
 *   reload  read the new gate.yaml, let what runs end, put it in force, look at everything; a bad one changes nothing
 *   stop    take nothing new, finish what runs, sign a last head for each target, close the log
 */
import type { GateConfiguration } from "../config/gate-yaml.ts";
import type { Means } from "../gate/judge-wiring.ts";
import type { QueueLimits } from "../gate/queue.ts";
import { signedHead } from "../gate/releasing.ts";
import { openStandingJudges, type StandingJudges } from "../gate/standing.ts";
import { dataFolder, type Gate, openGate } from "../gate/wiring.ts";
import { asSluiceError } from "../lib/errors.ts";
import { parseDuration } from "../lib/time.ts";
import { Facts } from "./facts.ts";
import { freeBytes, type Room, roomOf } from "./free-space.ts";
import { failureFields, type Journal } from "./journal.ts";
import { Judging, takeReports } from "./judging.ts";
import { type Poller, startPoller } from "./poller.ts";
import { type Retaining, startRetaining } from "./retaining.ts";
import { removeStatus, writeStatus } from "./status.ts";
import { RepositoryWatch } from "./watch.ts";

const HEAD_INTERVAL_MS = 60_000;
/** Until a poll interval that the schema lets through is read; it always is one. */
const DEFAULT_POLL_MS = 30_000;

const LIMITS: QueueLimits = { parallel: 4, waiting: 1000, waitingPerAuthor: 250, deadlineMs: 5 * 60_000 };

export interface ServiceOptions {
  readonly means: Means;
  readonly journal: Journal;
  readonly limits?: Partial<QueueLimits>;
  /** Bytes that the log's volume has left; asked of the system when absent. */
  readonly freeBytes?: (folder: string) => number | null;
}

export class Service {
  readonly gate: Gate;
  readonly facts: Facts;
  readonly judging: Judging;
  readonly #options: ServiceOptions;
  readonly #watches = new Map<string, RepositoryWatch>();
  readonly #pollers = new Map<string, Poller>();
  #heads: NodeJS.Timeout | null = null;
  #retaining: Retaining | null = null;
  #standing: StandingJudges | null = null;
  #room: Room = "unknown";
  #isStopping = false;
  /** Orders to reload and to stop wait for one another. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws SluiceError what opening a gate throws: `log-busy` where another process writes the log */
  static async start(configuration: GateConfiguration, options: ServiceOptions): Promise<Service> {
    const gate = await openGate(configuration, options.means);
    const service = new Service(gate, options);
    await service.signHeads();
    service.#heads = setInterval(() => void service.signHeads(), HEAD_INTERVAL_MS);
    service.#retaining = startRetaining(gate, options.journal, options.means.clock);
    return service;
  }

  private constructor(gate: Gate, options: ServiceOptions) {
    this.gate = gate;
    this.#options = options;
    this.facts = new Facts(options.means.clock);
    const { journal, limits } = options;
    this.judging = new Judging({ gate, limits: { ...LIMITS, ...limits }, facts: this.facts, journal });
  }

  /** Begins to look at the repositories; what is asked of the service is answered before, too. */
  watch(): void {
    const { repositories } = this.gate.configuration.gate;
    for (const [name, { poll }] of Object.entries(repositories)) {
      const { gate, judging, facts } = this;
      const watch = new RepositoryWatch(name, { gate, judging, facts, journal: this.#options.journal });
      this.#watches.set(name, watch);
      const intervalMs = parseDuration(poll) ?? DEFAULT_POLL_MS;
      this.#pollers.set(name, startPoller({ intervalMs, jitter: () => this.#jitter(), look: () => watch.look() }));
    }
  }

  /** Looks at a repository now, because somebody says that something is new there; a name that is none is passed over. */
  hint(repository: string): void {
    this.#pollers.get(repository)?.hint();
  }

  /** After a hold, a resume: what landed meanwhile is judged by what is true now. */
  reconsider(targets: readonly string[]): void {
    const names = new Set(targets.map((target) => this.gate.target(target).repository));
    for (const name of names) {
      this.#watches.get(name)?.reconsider();
      this.hint(name);
    }
  }

  /** Judges for one object at a time; their worker starts with the first that is asked. */
  get standing(): StandingJudges {
    this.#standing ??= openStandingJudges(this.gate);
    return this.#standing;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Of the log's volume. */
  freeBytes(): number | null {
    return (this.#options.freeBytes ?? freeBytes)(dataFolder(this.gate.configuration));
  }

  /** What the volume has room for; said when it changes. */
  room(): Room {
    const bytes = this.freeBytes();
    const room = roomOf(bytes);
    if (room !== this.#room && (room === "little" || room === "too-little"))
      this.#options.journal.say("warn", "little free space", { room, bytes });
    this.#room = room;
    return room;
  }

  /** For every target: what agents reported is taken in, what a channel lacks is published, a fresh head is signed. */
  async signHeads(): Promise<void> {
    const targets = Object.keys(this.gate.configuration.gate.targets);
    await Promise.all(targets.map((target) => this.#signHead(target)));
    this.room();
    this.#writeStatus();
  }

  async #signHead(target: string): Promise<void> {
    const { journal } = this.#options;
    await takeReports(this.gate, target, journal);
    try {
      this.facts.signed(await signedHead(this.gate, target));
    } catch (thrown) {
      const { code, message } = asSluiceError(thrown);
      if (code.startsWith("log-")) this.facts.logFailed({ code, message });
      journal.say("error", "no head", { target, ...failureFields(thrown) });
    }
  }

  /** Resolves to whether the new configuration is in force. `follow` goes along with it, or throws and nothing changes. */
  reload(read: () => GateConfiguration, follow: (next: GateConfiguration) => void = () => undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#isStopping) return false;
      const { journal } = this.#options;
      try {
        const next = read();
        await this.#stopLooking();
        await this.judging.pause();
        const before = this.gate.configuration;
        await this.gate.reconfigure(next);
        try {
          follow(next);
        } catch (thrown) {
          await this.gate.reconfigure(before);
          throw thrown;
        }
        const { repositories, targets } = next.gate;
        this.facts.keepOnly(new Set(Object.keys(targets)), new Set(Object.keys(repositories)));
        journal.say("info", "reloaded", { targets: Object.keys(targets).length });
        return true;
      } catch (thrown) {
        journal.say("error", "gate.yaml is kept as it was", failureFields(thrown));
        return false;
      } finally {
        this.judging.proceed();
        if (this.#pollers.size === 0) this.watch();
        await this.signHeads();
      }
    });
  }

  /** @throws what closing the log throws */
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.#inTurn(async () => {
      if (this.#heads !== null) clearInterval(this.#heads);
      // A fetch may take minutes and changes nothing that anybody waits for.
      await Promise.all([this.#stopLooking(), this.gate.repositories.interrupt(), this.judging.stop()]);
      await this.signHeads();
      await this.#retaining?.stop();
      removeStatus(dataFolder(this.gate.configuration));
      await this.#standing?.close();
      await this.gate.close();
    });
  }

  async #stopLooking(): Promise<void> {
    const [pollers, watches] = [[...this.#pollers.values()], [...this.#watches.values()]];
    this.#pollers.clear();
    this.#watches.clear();
    await Promise.all([...pollers, ...watches].map((one) => one.stop()));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #jitter(): number {
    const [a = 0, b = 0] = this.#options.means.random(2);
    return (a * 256 + b) / 65_536;
  }

  /** For `doctor`; what is not written is only not shown there. */
  #writeStatus(): void {
    const { means, journal } = this.#options;
    try {
      const { startedAt, polls } = this.facts;
      const failing = polls.filter(({ repository }) => this.facts.pollFailure(repository) !== null);
      const failures = failing.map(({ repository }) => repository);
      writeStatus(dataFolder(this.gate.configuration), { startedAt, at: means.clock(), room: this.#room, failures });
    } catch (thrown) {
      journal.say("warn", "status not written", failureFields(thrown));
    }
  }
}
