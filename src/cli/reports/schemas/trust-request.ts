/** `trust request`: a newcomer's block for people.yaml. */
import * as z from "zod";
import { apiVersion, exitCode, name } from "../../../gate/json/schemas/parts.ts";

export const trustRequestSchema = z.strictObject({
  apiVersion,
  kind: z.literal("TrustRequest"),
  exitCode,
  person: name.describe("Id in the block, made of the address."),
  emails: z.array(name),
  key: z.strictObject({ format: z.enum(["ssh", "openpgp"]), fingerprint: name }),
  block: name.describe("YAML to stand below `people:`."),
  files: z.record(z.string(), z.string()).describe("Key files that the block names, by path from the trust folder."),
});

export type TrustRequestReport = z.infer<typeof trustRequestSchema>;
