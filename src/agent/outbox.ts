/**
 * Reports on their way to a gate. Each is signed once and kept in the agent's state until the gate has taken exactly these
 * bytes: an answer that was lost is asked for again, and the gate, which knows a report by its digest, records it once.
 */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import type { AgentYaml } from "../config/agent-yaml.ts";
import { readConfigurationFile } from "../config/configuration-file.ts";
import { type Environment, readSecret } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import { replaceFile } from "../log/durable.ts";
import { reportSequence } from "../release/report.ts";
import type { GateAddress } from "../server/http/client.ts";

/** An agent that has more to say says the rest at its next runs. */
const REPORTS_AT_ONCE = 50;
const DEADLINE_MS = 20_000;
const takenSchema = z.looseObject({ kind: z.literal("GivenReport"), index: z.int().nullable() });

export type GateReports = Extract<NonNullable<AgentYaml["report"]>, { readonly gate: string }>;

export async function keepReport(folder: string, file: string, note: Uint8Array, mode: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, file), note, mode);
}

/**
 * Sends what is kept, oldest release first; the first that the gate does not take ends it. One that is older than what the
 * gate has recorded can never count, and goes.
 * @throws SluiceError what callGate() and reading the token throw
 */
export async function sendReports(folder: string, target: string, address: () => GateAddress): Promise<void> {
  const kept = await keptReports(folder);
  if (kept.length === 0) return;
  const { callGate } = await import("../server/http/client.ts"); // an agent that sends nothing goes without
  const gate = address();
  for (const file of kept.slice(0, REPORTS_AT_ONCE)) {
    const path = join(folder, file);
    try {
      await callGate(gate, `/v1/reports?target=${encodeURIComponent(target)}`, await readFile(path), takenSchema);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== "report-stale") throw thrown;
    }
    await rm(path);
  }
}

async function keptReports(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return [];
    throw thrown;
  });
  return names
    .flatMap((name) => reportSequence(name) ?? [])
    .sort((a, b) => a.sequence - b.sequence)
    .map(({ file }) => file);
}

/** Read when there is something to send: a token that is not there keeps nothing from being applied. */
export function gateAddress(
  { gate, token, authority }: GateReports,
  folder: string,
  environment: Environment,
): GateAddress {
  return {
    url: gate,
    token: token === undefined ? null : readSecret(token, folder, environment),
    authority: authority === undefined ? null : readConfigurationFile(resolve(folder, authority), authority),
    deadlineMs: DEADLINE_MS,
  };
}
