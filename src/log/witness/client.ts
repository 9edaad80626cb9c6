/** Asks the witnesses of a log for their cosignatures, and believes of what they saw only what the log itself signed. */
import { decodeUtf8, encodeHex, gatherBytes, utf8 } from "../../lib/bytes.ts";
import { sha256 } from "../../lib/digest.ts";
import { asSluiceError, SluiceError } from "../../lib/errors.ts";
import { openTurns } from "../../lib/turns.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { checkContains } from "../contains.ts";
import { type CosignatureVerifier, cosignaturesOf } from "../cosignature.ts";
import type { Checkpoint, DecisionLog } from "../decision-log.ts";
import type { NoteVerifier } from "../note.ts";
import { writeAddCheckpoint } from "./add-checkpoint.ts";

const MAXIMUM_ANSWER_BYTES = 64 * 1024;

export interface WitnessAddress {
  /** Prefix of its requests, without a slash at the end. */
  readonly url: string;
  readonly verifier: CosignatureVerifier;
  /** For each request. Heads wait for it, those that say a hold is on as well. */
  readonly deadlineMs: number;
}

export interface WitnessFailure {
  readonly name: string;
  readonly code: SluiceError["code"];
  readonly message: string;
}

export interface WitnessedCheckpoint {
  /** The newest one; its note has the cosignatures that came in time. */
  readonly checkpoint: Checkpoint;
  readonly by: readonly string[];
  readonly failures: readonly WitnessFailure[];
}

export interface Witnesses {
  /** @throws `log-rolled-back`, `log-forked` when a witness shows more of this log, or other, than there is */
  newest(): Promise<WitnessedCheckpoint>;
  /** Before anything is signed: what the witnesses saw is still there. One that does not answer proves nothing. */
  checkContinues(): Promise<void>;
}

export interface WitnessOptions {
  readonly log: DecisionLog;
  readonly logKeys: readonly NoteVerifier[];
  readonly addresses: readonly WitnessAddress[];
  /** Hears of a witness that gave nothing, once until it gives again. */
  readonly onFailure?: (failure: WitnessFailure) => void;
}

export function openWitnesses({ log, logKeys, addresses, onFailure }: WitnessOptions): Witnesses {
  const members = addresses.map((address) => new Member(address, log, logKeys));
  const turns = openTurns();
  let last: WitnessedCheckpoint | null = null;
  const ask = async (): Promise<WitnessedCheckpoint> => {
    const checkpoint = await log.checkpoint();
    if (last !== null && last.failures.length === 0 && last.checkpoint.size === checkpoint.size) return last;
    const silent = new Set(last?.failures.map(({ name }) => name));
    last = joined(checkpoint, await Promise.all(members.map((member) => member.cosign(checkpoint))));
    for (const failure of last.failures) if (!silent.has(failure.name)) onFailure?.(failure);
    return last;
  };
  return {
    newest: () => (members.length === 0 ? log.checkpoint().then(alone) : turns.take("witnesses", ask)),
    checkContinues: async () => {
      await Promise.all(members.map((member) => member.checkContinues().catch(onlyProven)));
    },
  };
}

function alone(checkpoint: Checkpoint): WitnessedCheckpoint {
  return { checkpoint, by: [], failures: [] };
}

type Answer = { readonly name: string; readonly line: string } | WitnessFailure;

function joined(checkpoint: Checkpoint, answers: readonly Answer[]): WitnessedCheckpoint {
  const given = answers.filter((answer) => "line" in answer);
  const note = `${checkpoint.note}${given.map(({ line }) => line).join("")}`;
  const failures = answers.filter((answer) => "code" in answer);
  return { checkpoint: { ...checkpoint, note }, by: given.map(({ name }) => name), failures };
}

/** What is proven stops the gate; what a witness merely says, or that it is silent, does not. */
function onlyProven(thrown: unknown): void {
  const { code } = asSluiceError(thrown);
  if (code === "log-rolled-back" || code === "log-forked") throw thrown;
}

class Member {
  readonly #address: WitnessAddress;
  readonly #log: DecisionLog;
  readonly #logKeys: readonly NoteVerifier[];
  /** Size of what it saw last, as far as we know. */
  #seen = 0;

  constructor(address: WitnessAddress, log: DecisionLog, logKeys: readonly NoteVerifier[]) {
    this.#address = address;
    this.#log = log;
    this.#logKeys = logKeys;
  }

  async cosign(checkpoint: Checkpoint): Promise<Answer> {
    const { name } = this.#address.verifier;
    try {
      return { name, line: await this.#ask(checkpoint) };
    } catch (thrown) {
      onlyProven(thrown);
      const { code, message } = asSluiceError(thrown);
      return { name, code, message };
    }
  }

  async checkContinues(): Promise<void> {
    const origin = encodeHex(sha256(utf8(this.#log.origin)));
    const { status, body } = await this.#request(`${origin}/checkpoint`);
    if (status === 404) return;
    if (status !== 200) throw this.#refused(`it answers ${status} when asked what it saw`);
    const seen = openCheckpoint(body, this.#log.origin, this.#logKeys);
    await checkContains(this.#log, seen, this.#address.verifier.name);
    this.#seen = seen.size;
  }

  /** Once more where it has seen another size than we thought. */
  async #ask(checkpoint: Checkpoint, again = true): Promise<string> {
    const proof = await this.#log.consistencyProof(this.#seen, checkpoint.size);
    const request = writeAddCheckpoint({ oldSize: this.#seen, proof, checkpoint });
    const { status, body } = await this.#request("add-checkpoint", request);
    if (status === 409 && again) {
      const size = Number(/^(0|[1-9][0-9]{0,15})\n?$/.exec(body)?.[1] ?? Number.NaN);
      if (!(size <= checkpoint.size)) await this.checkContinues();
      else this.#seen = size;
      return this.#ask(checkpoint, false);
    }
    if (status !== 200) throw this.#refused(`it answers ${status} to the newest checkpoint`);
    this.#seen = checkpoint.size;
    return this.#lineOf(checkpoint, body);
  }

  /** Only its own cosignature goes into the note, however many lines it sends. */
  #lineOf(checkpoint: Checkpoint, body: string): string {
    for (const line of body.split("\n")) {
      const note = `${checkpoint.note}${line}\n`;
      if (line !== "" && cosignaturesOf(note, [this.#address.verifier])?.length === 1) return `${line}\n`;
    }
    throw this.#refused("its answer is no cosignature of its key");
  }

  async #request(path: string, body?: string): Promise<{ readonly status: number; readonly body: string }> {
    try {
      const response = await fetch(`${this.#address.url}/${path}`, {
        ...(body === undefined ? {} : { method: "POST", body }),
        redirect: "error",
        signal: AbortSignal.timeout(this.#address.deadlineMs),
      });
      const tooLarge = () => new Error("the answer is too large");
      const answer = response.body === null ? null : await gatherBytes(response.body, MAXIMUM_ANSWER_BYTES, tooLarge);
      return { status: response.status, body: (answer && decodeUtf8(answer)) ?? "" };
    } catch (cause) {
      const message = `The witness ${this.#address.verifier.name} does not answer.`;
      throw new SluiceError("witness-silent", message, { retryable: true, cause });
    }
  }

  #refused(what: string): SluiceError {
    return new SluiceError("witness-refused", `The witness ${this.#address.verifier.name} gave nothing: ${what}.`);
  }
}
