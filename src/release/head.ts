/**
 * `head.json`: the short-lived signed statement which release is current and whether a hold is on. A release never
 * expires; its head does after 10 minutes, so a channel can hide a hold or a newer release no longer than that.
 */
import * as z from "zod";
import type { JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import type { Checkpoint } from "../log/decision-log.ts";
import type { NoteSigner, NoteVerifier } from "../log/note.ts";
import type { Hold } from "./holds.ts";
import type { Head } from "./release.ts";
import { openStatement, type StatementCodes, signStatement } from "./statement.ts";

export const HEAD_LIFETIME_MS = 10 * 60_000;
/** How far the clocks of gate and agent may disagree. */
const CLOCK_SKEW_MS = 60_000;

const HEAD_CODES: StatementCodes = {
  malformed: "head-malformed",
  untrusted: "head-untrusted",
  tooLarge: "head-malformed",
};

const time = z.string().refine((text) => {
  const at = parseTime(text);
  return at !== null && formatTime(at) === text;
});
const text = z.string().min(1).max(10_000);

const headSchema = z
  .strictObject({
    v: z.literal(1),
    target: text,
    origin: text,
    latestSequence: z.int().min(0),
    manifestDigest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    hold: z.strictObject({ scope: text, reason: text, by: text, since: time }).nullable(),
    issuedAt: time,
    notAfter: time,
    checkpoint: text,
  })
  .refine((head) => (head.latestSequence === 0) === (head.manifestDigest === null));

export interface HeadFacts {
  readonly target: string;
  /** The latest release as signed, or null where nothing was released yet. */
  readonly latest: { readonly sequence: number; readonly manifestDigest: string } | null;
  readonly hold: Hold | null;
  readonly checkpoint: Checkpoint;
}

/** The head as it stands at `now`. */
export function makeHead({ target, latest, hold, checkpoint }: HeadFacts, now: Instant): Head {
  return {
    v: 1,
    target,
    origin: checkpoint.origin,
    latestSequence: latest?.sequence ?? 0,
    manifestDigest: latest?.manifestDigest ?? null,
    hold: hold === null ? null : { scope: hold.scope, reason: hold.reason, by: hold.by, since: hold.since },
    issuedAt: formatTime(now),
    notAfter: formatTime(now + HEAD_LIFETIME_MS),
    checkpoint: checkpoint.note,
  };
}

export function signHead(head: Head, signer: NoteSigner): Uint8Array {
  return signStatement(head as unknown as JsonObject, signer, HEAD_CODES);
}

/** The signature and the form of a head; how old it is and what it names is the reader's to judge. @throws `head-malformed`, `head-untrusted` */
export function openHead(note: Uint8Array, releaseKeys: readonly NoteVerifier[]): Head {
  return openStatement(note, releaseKeys, headSchema, "head.json", HEAD_CODES).statement;
}

/** @throws SluiceError `head-stale` when it is over, not yet valid, or would live longer than a head may */
export function checkFresh(head: Head, now: Instant): void {
  const [issued, over] = [Date.parse(head.issuedAt), Date.parse(head.notAfter)];
  if (over - issued > HEAD_LIFETIME_MS || over <= issued) {
    throw new SluiceError("head-malformed", "head.json would be valid for longer than 10 minutes.");
  }
  if (now < over && issued <= now + CLOCK_SKEW_MS) return;
  throw new SluiceError("head-stale", `The head of ${head.target} was signed at ${head.issuedAt} and is over.`, {
    fix: "let the gate sign a fresh one: sluice head TARGET --config gate.yaml",
    retryable: true,
  });
}
