/**
 * What an agent did, said by itself: a signed note `{agent, target, sequence, manifestDigest, result, at, checkpoint}`. It
 * counts when a key that gate.yaml lists for the target signed it, when it speaks of a release that was made, and when it
 * is not older than what that agent reported before. It then becomes an `applied` entry.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { JsonObject } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, parseTime } from "../lib/time.ts";
import { openCheckpoint } from "../log/checkpoint.ts";
import type { Checkpoint, DecisionLog } from "../log/decision-log.ts";
import { openNoFollow } from "../log/durable.ts";
import type { EntryDraft, LoggedEntry } from "../log/entry.ts";
import { MAXIMUM_NOTE_BYTES, type NoteSigner, type NoteVerifier } from "../log/note.ts";
import { readEntries } from "./holds.ts";
import { openStatement, type StatementCodes, signStatement } from "./statement.ts";

export interface Report {
  readonly v: 1;
  /** Name of the agent and of its key. */
  readonly agent: string;
  readonly target: string;
  readonly sequence: number;
  readonly manifestDigest: string;
  readonly result: "applied";
  readonly at: string;
  /** The checkpoint note under which it was verified. */
  readonly checkpoint: string;
}

const REPORT_CODES: StatementCodes = {
  malformed: "report-malformed",
  untrusted: "report-unknown-agent",
  tooLarge: "report-malformed",
};
const REPORT_FILE = /^[A-Za-z0-9%-]+\.[0-9]{1,15}\.report$/;
const MAXIMUM_REPORT_FILES = 10_000;

const text = z.string().min(1).max(10_000);
const reportSchema = z.strictObject({
  v: z.literal(1),
  agent: text,
  target: text,
  sequence: z.int().min(1),
  manifestDigest: z.string().regex(/^[0-9a-f]{64}$/),
  result: z.literal("applied"),
  at: z.string().refine((at) => formatTime(parseTime(at) ?? 0) === at),
  checkpoint: text,
});

/** A name that reportFile() gives, and whose sequence it is; null for any other. */
export function reportSequence(file: string): { readonly file: string; readonly sequence: number } | null {
  return REPORT_FILE.test(file) ? { file, sequence: Number(file.split(".").at(-2)) } : null;
}

/** One file per agent and sequence, so that a slow gate misses none. */
export function reportFile(agent: string, sequence: number): string {
  const name = encodeURIComponent(agent).replace(/[^A-Za-z0-9%-]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `${name}.${sequence}.report`;
}

export function signReport(report: Report, signer: NoteSigner): Uint8Array {
  return signStatement(report as unknown as JsonObject, signer, REPORT_CODES);
}

/** What the gate knows of a target's reports: all of it from its own log. */
export interface ReportHistory {
  readonly target: string;
  /** Digest of release.json by sequence. */
  readonly released: ReadonlyMap<number, string>;
  /** SHA-256 of every report that was recorded. */
  readonly recorded: ReadonlySet<string>;
  /** Highest recorded sequence by agent. */
  readonly newest: ReadonlyMap<string, number>;
}

export type ReportReading =
  | { readonly kind: "verified"; readonly file: string; readonly report: Report; readonly sha256: string }
  | { readonly kind: "rejected"; readonly file: string; readonly code: Code; readonly message: string };

/** One report, as a file or as sent. A report that was recorded already gives null: reading a folder twice records once. */
export function readReport(
  note: Uint8Array,
  file: string,
  agentKeys: readonly NoteVerifier[],
  history: ReportHistory,
): ReportReading | null {
  const sha256 = sha256Hex(note);
  if (history.recorded.has(sha256)) return null;
  try {
    return { kind: "verified", file, report: acceptable(note, agentKeys, history), sha256 };
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { kind: "rejected", file, code: thrown.code, message: thrown.message };
  }
}

function acceptable(note: Uint8Array, agentKeys: readonly NoteVerifier[], history: ReportHistory): Report {
  const { statement: report, by } = openStatement(note, agentKeys, reportSchema, "The report", REPORT_CODES);
  const { agent, target, sequence } = report;
  if (!by.some((key) => key.name === agent)) {
    throw new SluiceError("report-unknown-agent", `The report speaks for ${agent}, whose key did not sign it.`);
  }
  if (target !== history.target || history.released.get(sequence) !== report.manifestDigest) {
    throw new SluiceError("report-mismatch", `${agent} reports a release of ${target} that was never made.`);
  }
  if (sequence < (history.newest.get(agent) ?? 0)) {
    throw new SluiceError("report-stale", `${agent} reports release ${sequence} after a newer one.`);
  }
  return report;
}

/** All reports in a folder that agents write to, oldest sequence first; files of other names are not looked at. */
export async function readReports(
  folder: string,
  agentKeys: readonly NoteVerifier[],
  history: ReportHistory,
): Promise<readonly ReportReading[]> {
  const names = (await readdir(folder)).filter((name) => REPORT_FILE.test(name));
  if (names.length > MAXIMUM_REPORT_FILES) {
    throw new SluiceError("report-malformed", `${folder} holds more than ${MAXIMUM_REPORT_FILES} reports.`);
  }
  const readings: ReportReading[] = [];
  const newest = new Map(history.newest);
  for (const name of names.sort((a, b) => sequenceIn(a) - sequenceIn(b) || (a < b ? -1 : 1))) {
    const note = await readSmallFile(join(folder, name));
    const reading =
      note === null
        ? ({
            kind: "rejected",
            file: name,
            code: "report-malformed",
            message: `${name} is not a report's file.`,
          } as const)
        : readReport(note, name, agentKeys, { ...history, newest });
    if (reading === null) continue;
    if (reading.kind === "verified") newest.set(reading.report.agent, reading.report.sequence);
    readings.push(reading);
  }
  return readings;
}

/** The log as an agent has seen it, by the checkpoint of its newest report. */
interface SeenByAgent {
  readonly agent: string;
  readonly checkpoint: Checkpoint;
}

/** Of every agent's newest report in a folder; what does not verify, also of a log under another key, says nothing. */
export async function seenByAgents(
  folder: string,
  agentKeys: readonly NoteVerifier[],
  origin: string,
  logKeys: readonly NoteVerifier[],
): Promise<readonly SeenByAgent[]> {
  const newest = new Map<string, string>();
  for (const name of (await readdir(folder).catch(() => [])).filter((one) => REPORT_FILE.test(one))) {
    const agent = name.replace(/\.[0-9]+\.report$/, "");
    if (sequenceIn(name) >= sequenceIn(newest.get(agent) ?? "")) newest.set(agent, name);
  }
  const seen: SeenByAgent[] = [];
  for (const name of newest.values()) {
    const note = await readSmallFile(join(folder, name));
    try {
      if (note === null) continue;
      const { statement } = openStatement(note, agentKeys, reportSchema, "The report", REPORT_CODES);
      seen.push({ agent: statement.agent, checkpoint: openCheckpoint(statement.checkpoint, origin, logKeys) });
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
    }
  }
  return seen;
}

/** Only orders the reading; the sequence that counts is the signed one. */
function sequenceIn(name: string): number {
  return Number(/\.([0-9]{1,15})\.report$/.exec(name)?.[1] ?? 0);
}

/** null for a link, a pipe, or more than a note may hold. */
async function readSmallFile(path: string): Promise<Uint8Array | null> {
  const handle = await openNoFollow(path).catch(() => null);
  if (handle === null) return null;
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > MAXIMUM_NOTE_BYTES) return null;
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** The `applied` entry of a verified report. */
export function appliedDraft(report: Report, sha256: string, code: string | null): EntryDraft {
  const { agent, target, sequence, manifestDigest, result, at } = report;
  return {
    kind: "applied",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: {},
    digests: { policies: null, trust: null, configuration: null, waivers: null, code },
    disclosed: { agent, sequence, manifestDigest, result, at, report: sha256 },
    terms: [{ kind: "release", value: String(sequence) }],
  };
}

export async function readReportHistory(log: DecisionLog, target: string): Promise<ReportHistory> {
  return reportHistory(target, await readEntries(log, ["release", "applied"], target));
}

/** A pure fold over the target's `release` and `applied` entries. */
export function reportHistory(target: string, entries: readonly LoggedEntry[]): ReportHistory {
  const released = new Map<number, string>();
  const recorded = new Set<string>();
  const newest = new Map<string, number>();
  for (const { leaf, disclosed } of entries) {
    const [sequence, digest] = [disclosed["sequence"]?.value, disclosed["manifestDigest"]?.value];
    const [agent, report] = [disclosed["agent"]?.value, disclosed["report"]?.value];
    if (typeof sequence !== "number" || typeof digest !== "string") continue;
    if (leaf.kind === "release") released.set(sequence, digest);
    if (leaf.kind !== "applied" || typeof agent !== "string" || typeof report !== "string") continue;
    recorded.add(report);
    newest.set(agent, Math.max(newest.get(agent) ?? 0, sequence));
  }
  return { target, released, recorded, newest };
}
