/** Takes in what agents signed about what they applied; each becomes an `applied` entry, once. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import { noteVerifier } from "../log/note.ts";
import { appliedDraft, readReport, readReportHistory, readReports } from "../release/report.ts";
import type { Gate } from "./wiring.ts";

export interface IngestedReports {
  readonly applied: number;
  readonly refused: readonly { readonly file: string; readonly code: string; readonly message: string }[];
}

/** One reading of a target's folder at a time, or one report would be recorded twice. */
export function ingestReports(gate: Gate, target: string): Promise<IngestedReports> {
  return gate.turns.take(`reports ${target}`, () => readInTurn(gate, target));
}

/** One that was sent: its `applied` entry, null where it was recorded before. @throws SluiceError what readReport() rejects it with */
export function takeReport(gate: Gate, target: string, note: Uint8Array): Promise<number | null> {
  return gate.turns.take(`reports ${target}`, async () => {
    const keys = gate.target(target).agents.map(noteVerifier);
    const reading = readReport(note, "the report", keys, await readReportHistory(gate.log, target));
    if (reading === null) return null;
    if (reading.kind === "rejected") throw new SluiceError(reading.code, reading.message);
    return (await gate.log.append(appliedDraft(reading.report, reading.sha256, VERSION))).index;
  });
}

/** A folder that does not exist yet holds no report: the agent makes it with its first one. */
async function readInTurn(gate: Gate, target: string): Promise<IngestedReports> {
  const { agents, reports } = gate.target(target);
  if (reports === undefined) return { applied: 0, refused: [] };
  const folder = resolve(gate.configuration.folder, reports);
  if (!existsSync(folder)) return { applied: 0, refused: [] };
  const readings = await readReports(folder, agents.map(noteVerifier), await readReportHistory(gate.log, target));
  const verified = readings.filter((one) => one.kind === "verified");
  await gate.log.appendAll(verified.map(({ report, sha256 }) => appliedDraft(report, sha256, VERSION)));
  const refused = readings
    .filter((one) => one.kind === "rejected")
    .map(({ file, code, message }) => ({ file, code, message }));
  return { applied: verified.length, refused };
}
