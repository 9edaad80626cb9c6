/** `token new`. */
import * as z from "zod";
import { ROLES } from "../../../config/access-yaml.ts";
import { apiVersion, name } from "../../../gate/json/schemas/parts.ts";

export const tokenNewSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Token"),
  token: z.string().describe("Shown this once, kept nowhere."),
  file: z.string().describe("Where its SHA-256 is written."),
  role: z.enum(ROLES),
  person: name,
  targets: z.array(name).describe("Empty for every target."),
  until: z.iso.date().nullable().describe("First day on which it no longer counts."),
});

export type TokenNewReport = z.infer<typeof tokenNewSchema>;
