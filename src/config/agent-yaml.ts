/** `agent.yaml`: the agent's own trust root; no default keys, no key from the channel. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { readDocument } from "../lib/document.ts";
import { SluiceError } from "../lib/errors.ts";
import { readConfigurationFile } from "./gate-yaml.ts";
import { secretSchema } from "./secret.ts";

const verifierKey = z.string().regex(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/, "is a verifier key: name+hash+base64");

export const agentSchema = z.strictObject({
  version: z.literal(1),
  target: z.string().min(1).max(63).describe("The target whose releases are applied."),
  channel: z.union([
    z.strictObject({ directory: z.string().min(1) }),
    z.strictObject({ branch: z.unknown() }),
    z.strictObject({ oci: z.unknown() }),
    z.strictObject({ gate: z.string() }),
  ]),
  apply: z.union([
    z.strictObject({ files: z.string().min(1).describe("Folder that the objects are written to.") }),
    z.strictObject({ kubernetes: z.unknown() }),
  ]),
  name: z.string().min(1).max(100).describe("The agent's name in its reports; the name of its key."),
  key: secretSchema.describe("From `sluice keygen agent`."),
  report: z.union([z.strictObject({ directory: z.string().min(1) }), z.strictObject({ gate: z.string() })]).optional(),
  log: z.strictObject({
    origin: z.string().min(1).max(200),
    keys: z.array(verifierKey).min(1).max(4).describe("Verifier keys of the log; two during a rotation."),
  }),
  releaseKeys: z.array(verifierKey).min(1).max(4),
  minimumSequence: z.int().min(0).optional().describe("Needed when there is no state yet; lost state needs it again."),
  state: z.string().min(1).describe("Folder of the agent's memory."),
  witnesses: z.strictObject({ keys: z.array(z.string()).default([]), quorum: z.int().min(0).default(0) }).prefault({}),
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
  if (!("files" in agent.apply)) return "an applier that is not files";
  if (agent.report !== undefined && !("directory" in agent.report)) return "reports sent to a gate";
  return agent.witnesses.quorum > 0 ? "witnesses" : null;
}
