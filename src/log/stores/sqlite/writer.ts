/** The writer's thread: takes whatever has arrived as one batch, so commits group themselves without waiting. */
import { type MessagePort, parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads";
import { asSluiceError, SluiceError } from "../../../lib/errors.ts";
import { siblingModule } from "../../../lib/sibling-module.ts";
import type { Erasure, Receipt } from "../../entry.ts";
import type { PreparedEntry } from "../../leaf.ts";
import { redactWith } from "./redact.ts";
import { type Outcome, Sequencer, type WriterOptions } from "./sequencer.ts";

/** Error as it crosses the threads. */
export interface Refusal {
  readonly code: SluiceError["code"];
  readonly message: string;
  readonly fix: string | null;
  readonly retryable: boolean;
  readonly cause: string | null;
}

export type ToWriter =
  | { readonly kind: "append"; readonly groups: readonly (readonly PreparedEntry[])[] }
  /** Answered like one group. */
  | { readonly kind: "redact"; readonly entry: PreparedEntry; readonly erasures: readonly Erasure[] }
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** Answers in the order in which the groups were sent. */
  | { readonly kind: "done"; readonly outcomes: readonly (readonly Receipt[] | Refusal)[] };

/** How long nothing must arrive before the index is brought up to date and the storage tidied. */
const IDLE_MS = 20;
/** Whoever ends waits for so many steps; the words of the rest are read from the log until the next idle moment. */
const CLOSING_TEXT_STEPS = 4;
/** Without a pause a thread of its own brings the index up to date: queries read what waits for it one by one. */
const MAXIMUM_WAITING_GROUPS = 5000;

function run(port: MessagePort, options: WriterOptions): void {
  const sequencer = open(port, options);
  if (sequencer === null) return;
  let idle: NodeJS.Timeout | undefined;
  const indexer = lazyIndexer(options.path);
  let waiting = 0;
  const tidy = () => {
    if (sequencer.indexTerms() || sequencer.indexTexts()) {
      idle = setTimeout(tidy, 0);
      return;
    }
    waiting = 0;
    sequencer.checkpointStorage();
  };
  port.on("message", (first: ToWriter) => {
    clearTimeout(idle);
    const arrived = [first, ...drain(port)];
    const isRedaction = (message: ToWriter) => message.kind === "redact";
    if (arrived.some(isRedaction)) indexer.end();
    for (let at = arrived.findIndex(isRedaction); at >= 0; at = arrived.findIndex(isRedaction))
      answer(port, { kind: "done", outcomes: redacting(sequencer, options.path, arrived.splice(0, at + 1)) });
    const groups = groupsOf(arrived);
    if (groups.length > 0) answer(port, { kind: "done", outcomes: sequencer.commit(groups).map(crossing) });
    waiting += groups.length;
    if (waiting > MAXIMUM_WAITING_GROUPS) {
      waiting = 0;
      indexer.follow();
    }
    if (arrived.some((message) => message.kind === "close")) return close(port, sequencer);
    idle = setTimeout(tidy, IDLE_MS);
  });
  answer(port, { kind: "ready" });
}

function groupsOf(messages: readonly ToWriter[]): readonly (readonly PreparedEntry[])[] {
  return messages.flatMap((message) => (message.kind === "append" ? message.groups : []));
}

/** What came before a redaction is recorded before it; the redaction is the last of the messages. */
function redacting(
  sequencer: Sequencer,
  path: string,
  messages: readonly ToWriter[],
): (readonly Receipt[] | Refusal)[] {
  const before = groupsOf(messages);
  const outcomes = before.length > 0 ? sequencer.commit(before).map(crossing) : [];
  const last = messages.at(-1);
  if (last?.kind !== "redact") return outcomes;
  try {
    return [...outcomes, [redactWith(sequencer, path, last.entry, last.erasures)]];
  } catch (thrown) {
    return [...outcomes, refusalOf(asSluiceError(thrown))];
  }
}

/** A thread that follows with the index, started when first asked to catch up. Its end is nobody's loss. */
function lazyIndexer(path: string) {
  let worker: Worker | null = null;
  return {
    follow() {
      if (worker === null) {
        worker = new Worker(siblingModule(import.meta.url, "indexer"), { workerData: path, name: "log-indexer" });
        worker.on("error", () => {});
        worker.unref();
      }
      worker.postMessage("follow");
    },
    /** It would go on in an index file that is gone. */
    end() {
      void worker?.terminate();
      worker = null;
    },
  };
}

function open(port: MessagePort, options: WriterOptions): Sequencer | null {
  try {
    return new Sequencer(options);
  } catch (thrown) {
    answer(port, { kind: "refused", refusal: refusalOf(asSluiceError(thrown)) });
    return null;
  }
}

function close(port: MessagePort, sequencer: Sequencer): void {
  while (sequencer.indexTerms());
  for (let step = 0; step < CLOSING_TEXT_STEPS && sequencer.indexTexts(); step++);
  sequencer.close();
  port.close();
}

function drain(port: MessagePort): ToWriter[] {
  const messages: ToWriter[] = [];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
    messages.push(next.message as ToWriter);
  return messages;
}

function answer(port: MessagePort, message: FromWriter): void {
  port.postMessage(message);
}

function crossing(outcome: Outcome): readonly Receipt[] | Refusal {
  return outcome instanceof SluiceError ? refusalOf(outcome) : outcome;
}

function refusalOf({ code, message, fix, retryable, cause }: SluiceError): Refusal {
  return { code, message, fix, retryable, cause: cause instanceof Error ? cause.message : null };
}

if (parentPort !== null) run(parentPort, workerData as WriterOptions);
