/**
 * The agent's memory: what it saw and accepted, so that nothing older is ever taken again. One file, mode 0600, replaced
 * as a whole. What was accepted is written before it is applied: a crash in between is completed, never forgotten.
 */
import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { replaceFile } from "../log/durable.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const MAXIMUM_STATE_BYTES = 1024 * 1024;

const stateSchema = z.strictObject({
  v: z.literal(1),
  target: z.string(),
  origin: z.string(),
  /** `issuedAt` of the newest head that was taken. */
  headIssuedAt: z.string(),
  /** Note of the newest checkpoint that a taken head carried. */
  checkpoint: z.string(),
  /** The newest release that was verified in full. */
  accepted: z
    .strictObject({ sequence: z.int().min(1), manifestDigest: z.string(), decisionIndex: z.int().min(0) })
    .nullable(),
  /** The sequence that stands in place, 0 for none. */
  applied: z.int().min(0),
  /** The sequence that was reported last, 0 for none. */
  reported: z.int().min(0),
});

export type AgentState = Readonly<z.infer<typeof stateSchema>>;

export async function makeStateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
}

/** null when there is none. @throws SluiceError `agent-state-malformed`: a damaged memory is not an empty one */
export async function readState(folder: string): Promise<AgentState | null> {
  const path = join(folder, "state.json");
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return null;
    throw malformed(path, thrown);
  });
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    if (size > MAXIMUM_STATE_BYTES) throw new Error("too large");
    return stateSchema.parse(JSON.parse(await handle.readFile("utf8")));
  } catch (cause) {
    throw malformed(path, cause);
  } finally {
    await handle.close();
  }
}

export async function writeState(folder: string, state: AgentState): Promise<void> {
  await replaceFile(join(folder, "state.json"), utf8(canonicalJson(state as unknown as JsonObject)), FILE_MODE);
}

function malformed(path: string, cause: unknown): SluiceError {
  return new SluiceError("agent-state-malformed", `${path} is not the memory of an agent.`, {
    fix: `move ${path} away and set minimumSequence in agent.yaml anew`,
    cause,
  });
}
