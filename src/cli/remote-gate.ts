/** Commands that act through a gate over the network instead of opening it: `--gate URL --token-file FILE`. */
import { resolve } from "node:path";
import type * as z from "zod";
import { readConfigurationFile } from "../config/configuration-file.ts";
import { readSecretFile } from "../config/secret.ts";
import type { AdoptionReport } from "../gate/json/adoption.ts";
import type { CheckReport } from "../gate/json/check.ts";
import type { RedactionReport } from "../gate/json/redaction.ts";
import type { ReviewState } from "../gate/review.ts";
import type { JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import type { LandingsReport } from "./reports/landed.ts";

export const GATE_OPTIONS = {
  gate: { type: "string", value: "URL", description: "ask the gate that runs there, instead of opening one" },
  "token-file": { type: "string", value: "FILE", description: "file with the token for --gate, mode 0600" },
  ca: { type: "string", value: "FILE", description: "authority of the gate's certificate, PEM" },
} as const satisfies Command["options"];

const NO_TOKEN = "write your token into it, mode 0600; an operator makes one: sluice token new";

/** Answers are held to their schemas as they come; a test holds what is written to the same schemas. */
export async function checkAnswer(): Promise<z.ZodType<CheckReport>> {
  return (await import("../gate/json/schemas/check.ts")).checkSchema as unknown as z.ZodType<CheckReport>;
}

export async function landingsAnswer(): Promise<z.ZodType<LandingsReport>> {
  return (await import("../gate/json/schemas/check.ts")).landingsSchema as unknown as z.ZodType<LandingsReport>;
}

export async function adoptionAnswer(): Promise<z.ZodType<AdoptionReport>> {
  return (await import("../gate/json/schemas/acts.ts")).adoptionSchema as unknown as z.ZodType<AdoptionReport>;
}

export async function redactionAnswer(): Promise<z.ZodType<RedactionReport>> {
  return (await import("../gate/json/schemas/redaction.ts")).redactionSchema as unknown as z.ZodType<RedactionReport>;
}

export async function reviewAnswer(): Promise<z.ZodType<ReviewState>> {
  return (await import("../gate/json/schemas/acts.ts")).reviewedSchema as unknown as z.ZodType<ReviewState>;
}

/** `schema` is read when the gate is asked: a command that asks none goes without. */
export type GateCall = <T>(path: string, body: JsonValue, schema: () => Promise<z.ZodType<T>>) => Promise<T>;

/** null where `--gate` is not given. @throws SluiceError `usage`, `secret-missing`, `secret-readable-by-others` */
export function remoteGate(invocation: Invocation): GateCall | null {
  const url = textOption(invocation, "gate");
  const [tokenFile, ca] = [textOption(invocation, "token-file"), textOption(invocation, "ca")];
  if (url === undefined) {
    if (tokenFile === undefined && ca === undefined) return null;
    throw new SluiceError("usage", "--token-file and --ca are for --gate.", { fix: "--gate https://gate.example" });
  }
  if (textOption(invocation, "config") !== undefined) {
    throw new SluiceError("usage", "Either a gate is opened here or one is asked.", {
      fix: "--config or --gate, not both",
    });
  }
  const token = tokenFile === undefined ? null : readSecretFile(resolve(invocation.folder, tokenFile), NO_TOKEN);
  const authority = ca === undefined ? null : readConfigurationFile(resolve(invocation.folder, ca), ca);
  return async (path, body, schema) => {
    const { callGate } = await import("../server/http/client.ts");
    try {
      return await callGate({ url, token, authority }, path, body, await schema());
    } catch (thrown) {
      throw withTokenFile(thrown, tokenFile);
    }
  };
}

/** What a caller over HTTP sends in a header is a file here. */
function withTokenFile(thrown: unknown, file: string | undefined): unknown {
  if (!(thrown instanceof SluiceError) || thrown.code !== "not-authenticated") return thrown;
  const fix =
    file === undefined
      ? "--token-file FILE, with the token that an operator makes by `sluice token new`"
      : `ask an operator for another token (sluice token new) and write it into ${file}`;
  return new SluiceError(thrown.code, thrown.message, { fix, cause: thrown });
}
