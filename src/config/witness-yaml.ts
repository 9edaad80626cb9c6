/** `witness.yaml`: whose logs a witness watches, and where it answers. Somebody other than the gate's operator runs it. */
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { readDocument } from "../lib/document.ts";
import { readConfigurationFile } from "./configuration-file.ts";
import { verifierKey } from "./parts.ts";
import { secretSchema } from "./secret.ts";

export const witnessSchema = z.strictObject({
  version: z.literal(1).describe("Form of this file."),
  key: secretSchema.describe("From `sluice keygen witness`."),
  store: z.string().min(1).max(1000).describe("File of the witness's memory; its folder belongs to the witness alone."),
  logs: z
    .array(
      z.strictObject({
        origin: z
          .string()
          .regex(/^[^\s+]{1,200}$/, "has no white space and no +")
          .describe("Name of the log."),
        keys: z.array(verifierKey).min(1).max(4).describe("Verifier keys of the log; two during a rotation."),
      }),
    )
    .min(1)
    .max(1000)
    .refine((logs) => new Set(logs.map(({ origin }) => origin)).size === logs.length, "names each origin once")
    .describe("The logs that it cosigns."),
  listen: z
    .strictObject({
      address: z.string().min(1).max(200).default("127.0.0.1").describe("Address to answer on."),
      port: z.int().min(0).max(65_535).describe("Port to answer on; 0 takes a free one, which is printed."),
    })
    .describe("Plain HTTP: put a proxy with TLS before it where others reach it. What it answers is signed."),
});

export interface WitnessConfiguration {
  readonly witness: z.infer<typeof witnessSchema>;
  /** Folder that relative paths resolve from. */
  readonly folder: string;
}

/** @throws SluiceError `configuration-missing`, `witness-configuration-invalid` */
export function readWitnessYaml(path: string): WitnessConfiguration {
  const file = resolve(path);
  const witness = readDocument(readConfigurationFile(file), path, witnessSchema, "witness-configuration-invalid");
  return { witness, folder: dirname(file) };
}
