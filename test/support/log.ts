/** A log in a temporary folder, and drafts in which only what matters need be said. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/lib/time.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { generateNoteKey } from "../../src/log/note.ts";
import { type LogOptions, openLog, openLogReader } from "../../src/log/stores.ts";
import { type Scope, tempFolder } from "./temp.ts";

export const ORIGIN = "gate.example/log";
export const KEY = generateNoteKey(ORIGIN, new Uint8Array(32).fill(7));
const HEX40 = "5d2c0aa0e15d2c0aa0e15d2c0aa0e15d2c0aa0e1";
const HEX64 = "ab".repeat(32);

/** A realistic decision: a leaf of about 1 KB with six commitments. */
export function draft(change: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: "decision",
    target: "prod",
    purpose: "gate",
    verdict: "allow",
    reasons: [],
    subject: { base: HEX40, head: HEX40, judge: HEX40, tree: HEX40 },
    digests: { policies: HEX64, trust: HEX64, configuration: HEX64, waivers: null, code: "0.1.0" },
    disclosed: {
      input: { documents: 12, sha256: HEX64 },
      objects: [{ id: "Deployment/apps/web", action: "update", sha256: HEX64 }],
      persons: ["ada", "lin"],
      findings: [],
      approvals: [{ person: "lin", at: "2026-11-20T10:12:00.000Z" }],
      paths: ["apps/web/kustomization.yaml"],
    },
    terms: [
      { kind: "resource", value: "Deployment/apps/web" },
      { kind: "person", value: "ada" },
      { kind: "commit", value: HEX40 },
    ],
    ...change,
  };
}

/** The store of a new log in a folder of its own. */
export function logPath(scope: Scope): string {
  const folder = join(tempFolder(scope), "log");
  mkdirSync(folder, { mode: 0o700 });
  return join(folder, "log.db");
}

export function openTestLog(path: string, change: Partial<LogOptions> = {}): Promise<DecisionLog> {
  return openLogOf(`sqlite:${path}`, change);
}

export function openTestReader(path: string): Promise<DecisionLog> {
  return openReaderOf(`sqlite:${path}`);
}

/** The same of any store. */
export function openLogOf(store: string, change: Partial<LogOptions> = {}): Promise<DecisionLog> {
  const clock: Clock = () => Date.now();
  return openLog({ store, origin: ORIGIN, key: KEY.skey, clock, random: randomBytes, ...change });
}

export function openReaderOf(store: string): Promise<DecisionLog> {
  return openLogReader({ store, origin: ORIGIN, keys: [KEY.vkey] });
}

/** Appends `count` entries in one transaction for each thousand. */
export async function fill(log: DecisionLog, count: number, change: Partial<EntryDraft> = {}): Promise<void> {
  for (let done = 0; done < count; done += 1000)
    await log.appendAll(Array.from({ length: Math.min(1000, count - done) }, () => draft(change)));
}
