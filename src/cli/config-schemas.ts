/** The configuration files' schemas as JSON Schema, for editors and for the reference. */
import * as z from "zod";
import { agentSchema } from "../config/agent-yaml.ts";
import { baselineSchema } from "../config/baseline-yaml.ts";
import { gateSchema } from "../config/gate-yaml.ts";
import { sluiceSchema } from "../config/sluice-yaml.ts";
import { witnessSchema } from "../config/witness-yaml.ts";
import { waiversSchema } from "../decision/waiver.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { peopleSchema } from "../signature/people-schema.ts";

export interface ConfigSchema {
  readonly name: "sluice" | "gate" | "agent" | "witness" | "people" | "waivers" | "baseline";
  readonly file: string;
  readonly title: string;
  readonly schema: z.ZodType;
}

export const CONFIG_SCHEMAS: readonly ConfigSchema[] = [
  {
    name: "sluice",
    file: "sluice.yaml",
    title: "What is judged, and how: lies in the repository.",
    schema: sluiceSchema,
  },
  {
    name: "gate",
    file: "gate.yaml",
    title: "Where and who: the operator's, outside every judged repository.",
    schema: gateSchema,
  },
  { name: "agent", file: "agent.yaml", title: "The agent's own trust root.", schema: agentSchema },
  {
    name: "witness",
    file: "witness.yaml",
    title: "Whose logs a witness watches, and where it answers.",
    schema: witnessSchema,
  },
  { name: "people", file: "trust/people.yaml", title: "Who owns which key, and who may what.", schema: peopleSchema },
  { name: "waivers", file: "waivers.yaml", title: "Reviewed, scoped, expiring exceptions.", schema: waiversSchema() },
  {
    name: "baseline",
    file: "baseline.yaml",
    title: "What adoptions found, as a copy for previews; a gate reads its log.",
    schema: baselineSchema,
  },
];

/** As people write the file: what has a default may be absent. Checks that JSON Schema cannot say are left out. */
export function toJsonSchema(schema: z.ZodType, title: string, io: "input" | "output"): JsonObject {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Record<string, unknown>;
  return { $schema, title, ...rest } as JsonObject;
}

export function configJsonSchema({ schema, file, title }: ConfigSchema): JsonObject {
  return { ...toJsonSchema(schema, file, "input"), description: title };
}
