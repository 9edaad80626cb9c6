/** `agent.yaml`: the agent's own trust root; no default keys, no key from the channel. */
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { readDocument } from "../lib/document.ts";
import { SluiceError } from "../lib/errors.ts";
import { readConfigurationFile } from "./configuration-file.ts";
import { isSafeUrl, verifierKey } from "./parts.ts";
import { secretSchema } from "./secret.ts";

/** Two keys of one witness are one witness. */
function nameOf(vkey: string): string {
  return vkey.slice(0, vkey.indexOf("+"));
}

const notYet = z.unknown().describe("Not supported yet.");

export const agentSchema = z.strictObject({
  version: z.literal(1).describe("Form of this file."),
  target: z.string().min(1).max(63).describe("The target whose releases are applied."),
  channel: z
    .union([
      z.strictObject({ directory: z.string().min(1).describe("Folder that the gate writes to.") }),
      z.strictObject({ branch: notYet }),
      z.strictObject({ oci: notYet }),
      z.strictObject({ gate: z.string().describe("Not supported yet.") }),
    ])
    .describe("Where releases are read from; it is not trusted."),
  apply: z
    .union([
      z.strictObject({ files: z.string().min(1).describe("Folder that the objects are written to.") }),
      z.strictObject({ kubernetes: notYet }),
    ])
    .describe("What a verified release is applied to."),
  name: z.string().min(1).max(100).describe("The agent's name in its reports; the name of its key."),
  key: secretSchema.describe("From `sluice keygen agent`."),
  report: z
    .union([
      z.strictObject({ directory: z.string().min(1).describe("Folder that the gate reads, `reports` in gate.yaml.") }),
      z.strictObject({
        gate: z
          .string()
          .max(2000)
          .refine(isGateUrl, "is https://HOST of a gate, or http on this machine")
          .describe("Address of the gate; each report is kept below `state` and sent until the gate has taken it."),
        token: secretSchema
          .optional()
          .describe("Of role caller, from `sluice token new`; where the gate asks for one."),
        authority: z
          .string()
          .min(1)
          .optional()
          .describe("PEM of who certifies the gate; the system's authorities when absent."),
      }),
    ])
    .optional()
    .describe("Where signed reports of what was applied go."),
  log: z
    .strictObject({
      origin: z.string().min(1).max(200).describe("Name of the gate's log."),
      keys: z.array(verifierKey).min(1).max(4).describe("Verifier keys of the log; two during a rotation."),
    })
    .describe("The log that every release must stand in."),
  releaseKeys: z.array(verifierKey).min(1).max(4).describe("Verifier keys of releases; two during a rotation."),
  minimumSequence: z.int().min(0).optional().describe("Needed when there is no state yet; lost state needs it again."),
  state: z.string().min(1).describe("Folder of the agent's memory."),
  witnesses: z
    .strictObject({
      keys: z
        .array(verifierKey)
        .max(16)
        .default([])
        .describe("Verifier keys of witnesses, from `sluice keygen witness`."),
      quorum: z
        .int()
        .min(0)
        .max(16)
        .default(0)
        .describe("How many of them must have cosigned the log before anything is applied."),
    })
    .refine(
      ({ keys, quorum }) => quorum <= new Set(keys.map(nameOf)).size,
      "asks for more witnesses than it has keys of",
    )
    .prefault({})
    .describe("Who else saw the log."),
});

export type AgentYaml = z.infer<typeof agentSchema>;

export interface AgentConfiguration {
  readonly agent: AgentYaml;
  readonly folder: string;
}

/** @throws SluiceError `configuration-missing`, `agent-configuration-invalid`, `not-supported` */
export function readAgentYaml(path: string): AgentConfiguration {
  const file = resolve(path);
  const agent = readDocument(readConfigurationFile(file), path, agentSchema, "agent-configuration-invalid");
  const unsupported = unsupportedPart(agent);
  if (unsupported !== null)
    throw new SluiceError("not-supported", `${path} asks for ${unsupported}, which is not there yet.`);
  return { agent, folder: dirname(file) };
}

function unsupportedPart(agent: AgentYaml): string | null {
  if (!("directory" in agent.channel)) return "a channel that is not a directory";
  return "files" in agent.apply ? null : "an applier that is not files";
}

function isGateUrl(text: string): boolean {
  return isSafeUrl(text) && new URL(text).pathname === "/" && new URL(text).search === "";
}
