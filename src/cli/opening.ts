/** What commands open before they work, and close whatever happens. */
import { basename, resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import type { Means } from "../gate/judge-wiring.ts";
import type { Gate } from "../gate/wiring.ts";
import { openPreviewRepository, type PreviewRepository } from "../git/preview.ts";
import { findRepository, nameAtOrigin } from "../git/source.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { formatsOf } from "./answer.ts";
import { type Invocation, type OptionText, textOption } from "./command.ts";

export const CONFIG_OPTION: OptionText = { type: "string", value: "FILE", description: "the operator's gate.yaml" };
export const REPO_OPTION: OptionText = {
  type: "string",
  value: "DIR",
  description: "the repository (default: this folder)",
};
export const AS_OPTION: OptionText = {
  type: "string",
  value: "NAME",
  description: "who acts, as recorded (default: the login name)",
};

export function means(invocation: Invocation, onStep: Means["onStep"] = () => undefined): Means {
  const { surroundings, clock, random, output } = invocation;
  const onWitnessFailure: Means["onWitnessFailure"] = ({ code, message }) => output.remark(`${code}  ${message}\n`);
  return { surroundings, clock, random, onStep, onWitnessFailure };
}

/** Opens the gate that `--config` names for one piece of work. @throws SluiceError `usage` without the option */
export async function withGate<T>(
  invocation: Invocation,
  work: (gate: Gate) => Promise<T>,
  onStep?: Means["onStep"],
  formats?: readonly string[],
): Promise<T> {
  const { openGate } = await import("../gate/wiring.ts"); // a preview goes without
  const gate = await openGate(await gateConfiguration(invocation, formats), means(invocation, onStep));
  try {
    return await work(gate);
  } finally {
    await gate.close();
  }
}

/** Opens only the log, for reading; another process may be writing it. */
export async function withGateLog<T>(
  invocation: Invocation,
  work: (log: DecisionLog) => Promise<T>,
  formats?: readonly string[],
): Promise<T> {
  const { openGateLog } = await import("../gate/wiring.ts");
  const log = await openGateLog(await gateConfiguration(invocation, formats));
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

export async function gateConfiguration(
  invocation: Invocation,
  formats?: readonly string[],
): Promise<GateConfiguration> {
  formatsOf(invocation, formats); // an unknown format is said before anything is logged
  const file = textOption(invocation, "config");
  if (file === undefined) {
    throw new SluiceError("usage", "This needs the operator's gate.yaml.", { fix: "--config gate.yaml" });
  }
  const { readGateYaml } = await import("../config/gate-yaml.ts");
  return readGateYaml(resolve(invocation.folder, file));
}

export interface LocalRepository {
  readonly repository: PreviewRepository;
  /** What people and approvals call it: `--repository`, else its name at origin, else the folder's. */
  readonly name: string;
  readonly path: string;
}

/** The local clone around `--repo`. @throws SluiceError `not-a-repository`, `shallow-clone` */
export async function withRepository<T>(
  invocation: Invocation,
  work: (local: LocalRepository) => Promise<T>,
): Promise<T> {
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const path = findRepository(folder) ?? folder;
  const repository = await openPreviewRepository({ path, scratch: invocation.surroundings.temporaryFolder });
  try {
    const name = textOption(invocation, "repository") ?? nameAtOrigin(path) ?? basename(path).replace(/\.git$/, "");
    return await work({ repository, name, path });
  } finally {
    await repository.close();
  }
}

export function personOf(invocation: Invocation): string {
  return textOption(invocation, "as") ?? invocation.surroundings.operatingSystemUser;
}

/** @throws SluiceError `usage` */
export function required(invocation: Invocation, name: string, value: string): string {
  const text = textOption(invocation, name);
  if (text !== undefined && text.trim() !== "") return text;
  throw new SluiceError("usage", `--${name} is missing.`, { fix: `--${name} ${value}` });
}
