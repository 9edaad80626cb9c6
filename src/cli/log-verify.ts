/** `sluice log verify`: verifies a whole log from its bytes alone. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { readSecret } from "../config/secret.ts";
import { absoluteStore, logPlace } from "../gate/wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { noteSigner } from "../log/note.ts";
import type { LogPlace } from "../log/stores.ts";
import type { LogVerification } from "../log/verification.ts";
import { verifyLog, verifyStore } from "../log/verify.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, listOption, textOption } from "./command.ts";
import { CONFIG_OPTION, gateConfiguration } from "./opening.ts";
import type { Paint } from "./reports/paint.ts";

export const logVerify: Command = {
  name: "log verify",
  summary: "verify a log from bytes alone",
  usage: ["log verify PATH --key VKEY... [--known FILE]...", "log verify --config gate.yaml"],
  options: {
    config: { ...CONFIG_OPTION, description: "verify the gate's own log, with its own key and anchor" },
    key: { type: "string", multiple: true, value: "VKEY", description: "verifier key of the log; may be repeated" },
    known: {
      type: "string",
      multiple: true,
      value: "FILE",
      description: "a checkpoint seen earlier; the log must contain it",
    },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 1],
  exitCodes: [
    [0, "intact"],
    [1, "not what was recorded: the first entry that differs is named"],
  ],
  example:
    "sluice log verify ./data/log.db --key gate.example/log+27b7457b+ATCT...\nhashes every entry, needs no gate, and names the first entry that is wrong",
  run,
};

interface Verified {
  /** What is said to be verified. */
  readonly path: string;
  /** Where it is, unless it is at the path. */
  readonly place: LogPlace | null;
  readonly keys: readonly string[];
  readonly known: readonly string[];
}

async function run(invocation: Invocation): Promise<number> {
  const { path, place, keys, known } = await whatToVerify(invocation);
  const done = invocation.output.progress("verifying the log");
  const options = { keys, known };
  const verification = await (place === null ? verifyLog(path, options) : verifyStore(place, options)).finally(done);
  answer(invocation, report(path, verification), (paint) => text(path, verification, paint));
  return verification.kind === "intact" ? 0 : 1;
}

async function whatToVerify(invocation: Invocation): Promise<Verified> {
  const [named] = invocation.positionals;
  const known = listOption(invocation, "known").map((file) => readText(resolve(invocation.folder, file)));
  if (textOption(invocation, "config") !== undefined) return own(invocation, named, known);
  const keys = listOption(invocation, "key");
  if (named === undefined || keys.length === 0) {
    throw new SluiceError("usage", "A log is verified against its key.", {
      fix: "sluice log verify PATH --key VKEY, or --config gate.yaml",
    });
  }
  return { path: resolve(invocation.folder, named), place: null, keys, known };
}

async function own(invocation: Invocation, named: string | undefined, known: readonly string[]): Promise<Verified> {
  const configuration = await gateConfiguration(invocation);
  const evidence = ownEvidence(invocation, configuration);
  const checks = { keys: evidence.keys, known: [...known, ...evidence.known] };
  if (named !== undefined) return { path: resolve(invocation.folder, named), place: null, ...checks };
  return { path: absoluteStore(configuration).replace(/^sqlite:/, ""), place: logPlace(configuration), ...checks };
}

/** What a gate holds its own log against: its key, and what its anchor remembers now. */
export function ownEvidence(
  invocation: Invocation,
  { gate, folder }: GateConfiguration,
): Pick<Verified, "keys" | "known"> {
  const key = readSecret(gate.log.key, folder, invocation.surroundings.environment);
  const anchor = gate.log.anchor === undefined ? null : resolve(folder, gate.log.anchor);
  const note = anchor !== null && existsSync(anchor) ? readText(anchor) : "";
  return { keys: noteSigner(key).vkeys, known: note === "" ? [] : [note] };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new SluiceError("configuration-missing", `${path} cannot be read.`, { fix: "name an existing file", cause });
  }
}

function report(path: string, verification: LogVerification) {
  const common = { apiVersion: "sluice/v1", kind: "LogVerification", path, intact: verification.kind === "intact" };
  if (verification.kind === "broken") {
    const { code, index, differs, detail } = verification;
    return { ...common, origin: null, size: null, code, index, differs, detail, disclosures: null, redactions: [] };
  }
  const { checkpoint, disclosures, redactions } = verification;
  return {
    ...common,
    origin: checkpoint.origin,
    size: checkpoint.size,
    code: null,
    index: null,
    differs: null,
    detail: null,
    disclosures,
    redactions,
  };
}

/** Somebody who sees it broken has to know what to do next, and what not to do. */
function text(path: string, verification: LogVerification, paint: Paint): string {
  if (verification.kind === "broken") {
    const { code, index, differs, detail } = verification;
    const place = index === null ? `the ${differs}; no single entry can be named` : `entry ${index}, its ${differs}`;
    return [
      `${paint("deny", "BROKEN")}  ${path}`,
      `${code}  ${detail}`,
      `        in   ${place}`,
      `        fix  keep this copy as it is and tell whoever runs the gate; then sluice explain ${code}`,
      "",
    ].join("\n");
  }
  const { origin, size } = verification.checkpoint;
  const { redacted = 0 } = verification.disclosures ?? {};
  const by = verification.redactions.length === 0 ? "" : ` by redactions: log ${verification.redactions.join(", ")}`;
  const withheld = redacted === 0 ? "" : `        ${redacted} values are withheld${by}\n`;
  return `${paint("allow", "INTACT")}  ${path}\n        ${origin}: ${size} entries, all in the signed tree\n${withheld}`;
}
