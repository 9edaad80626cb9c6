/** Reads every configuration file that is there and says of each how it stands; `config check` and `doctor` share it. */
import { gateAddress } from "../agent/outbox.ts";
import { type AgentConfiguration, readAgentYaml } from "../config/agent-yaml.ts";
import { BASELINE_YAML, readBaselineYaml } from "../config/baseline-yaml.ts";
import { type GateConfiguration, readGateYaml } from "../config/gate-yaml.ts";
import { type Environment, logKey, readSecret, releaseKey, type SecretReference } from "../config/secret.ts";
import { readSluiceYaml, SLUICE_YAML, type SluiceYaml } from "../config/sluice-yaml.ts";
import { checkWaivers, readWaivers } from "../decision/waiver.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Clock } from "../lib/time.ts";
import { cosignatureVerifier } from "../log/cosignature.ts";
import { noteSigner, noteVerifier } from "../log/note.ts";
import { DATA_FILE } from "../policy/data-files.ts";
import { isPolicyFile, selectPolicies } from "../policy/reading.ts";
import { readTrustFolder } from "../signature/trust-folder.ts";
import { counted } from "./counted.ts";
import { readTreeFile, readTreeFolder } from "./folder-files.ts";
import { examine, failed, type Remark } from "./remark.ts";
import { examineServing } from "./serving-files.ts";

export interface Examined<T> {
  /** null where it could not be read; the remarks say why. */
  readonly value: T | null;
  readonly remarks: readonly Remark[];
}

/** sluice.yaml of a work tree, and the files that it names. `revokedKeys` are those of the gate, where there is one. */
export async function examineRepository(
  folder: string,
  revokedKeys: readonly string[],
  clock: Clock,
): Promise<Examined<SluiceYaml>> {
  const [value, remark] = await read(SLUICE_YAML, () => readSluiceYaml(textOf(folder, SLUICE_YAML)), targetsText);
  if (value === null) return { value, remarks: [remark] };
  const remarks = [
    remark,
    await examine("", value.trust, () => trustText(folder, value.trust, revokedKeys)),
    await examine("", value.waivers, () => waiversText(folder, value.waivers, clock)),
    await examine("", value.policies, () => policiesText(folder, value.policies)),
    ...(readTreeFile(folder, BASELINE_YAML) === null
      ? []
      : [await examine("", BASELINE_YAML, () => baselineText(folder))]),
  ];
  return { value, remarks };
}

export async function examineGate(
  path: string,
  environment: Environment,
  clock: Clock,
): Promise<Examined<GateConfiguration>> {
  const [value, remark] = await read(path, () => readGateYaml(path), gateText);
  if (value === null) return { value, remarks: [remark] };
  const { gate, folder } = value;
  const keyRemarks = [
    await examine("", keyName(gate.log.key), () => logKeyText(value, environment)),
    await examine("", keyName(gate.release.key), () => releaseKeyText(value, environment)),
  ];
  const witnesses = gate.log.witnesses.map(({ url, key }) =>
    examine("", `witness ${url}`, () => `witness ${cosignatureVerifier(key).name}`),
  );
  const others = Object.entries(gate.targets).flatMap(([name, target]) =>
    target.agents.map((vkey) => examine("", `agents of ${name}`, () => verifierText(vkey))),
  );
  const credentials = Object.entries(gate.repositories).flatMap(([name, { credentials: secret }]) =>
    secret === undefined
      ? []
      : [examine("", `credentials of ${name}`, () => secretText(readSecret(secret, folder, environment)))],
  );
  const listed = await Promise.all([...witnesses, ...others, ...credentials]);
  return {
    value,
    remarks: [remark, ...keyRemarks, ...listed, ...(await examineServing(value, path, environment, clock()))],
  };
}

export async function examineAgent(path: string, environment: Environment): Promise<Examined<AgentConfiguration>> {
  const [value, remark] = await read(path, () => readAgentYaml(path), agentText);
  if (value === null) return { value, remarks: [remark] };
  const { agent, folder } = value;
  const remarks = [
    remark,
    await examine("", keyName(agent.key), () =>
      agentKeyText(agent.name, readSecret(agent.key, folder, environment, { use: "agent", name: agent.name })),
    ),
    ...(await Promise.all(
      agent.log.keys.map((key) => examine("", "log key", () => logVerifierText(key, agent.log.origin))),
    )),
    ...(await Promise.all(agent.releaseKeys.map((key) => examine("", "release key", () => verifierText(key))))),
    ...(await examineReports(value, environment)),
  ];
  return { value, remarks };
}

/** What an agent needs to send its reports, which nothing else would miss before there is one. */
async function examineReports({ agent: { report }, folder }: AgentConfiguration, environment: Environment) {
  if (report === undefined || "directory" in report) return [];
  const gate = () => `${new URL(gateAddress(report, folder, environment).url).host}, with what it needs`;
  return [await examine("", "reports to", gate)];
}

/** gate.yaml names each target's branch too; disagreement would make it unclear what lands. */
export function examineBranches(sluice: SluiceYaml, { gate }: GateConfiguration): readonly Remark[] {
  return Object.entries(gate.targets).flatMap(([name, { branch }]) => {
    const said = Object.hasOwn(sluice.targets, name) ? sluice.targets[name]?.branch : undefined;
    if (said === undefined || said === branch) return [];
    const sentence = `${name} is branch ${said} in sluice.yaml and branch ${branch} in gate.yaml.`;
    return [failed("", name, new SluiceError("branch-mismatch", sentence))];
  });
}

async function read<T>(what: string, open: () => T, describe: (value: T) => string): Promise<[T | null, Remark]> {
  let value: T | null = null;
  const remark = await examine("", what, () => {
    value = open();
    return describe(value);
  });
  return [value, remark];
}

function textOf(folder: string, path: string): string {
  const bytes = readTreeFile(folder, path);
  if (bytes === null) {
    throw new SluiceError("configuration-absent", `There is no ${path} here, so nothing says what is judged.`, {
      fix: "sluice init",
    });
  }
  const text = decodeUtf8(bytes);
  if (text !== null) return text;
  throw new SluiceError("configuration-invalid", `${path} is not UTF-8 text.`, { fix: `save ${path} as UTF-8` });
}

function targetsText({ targets }: SluiceYaml): string {
  const names = Object.entries(targets).map(([name, target]) => `${name} (${target.mode})`);
  return `${counted(names.length, "target")}: ${names.join(", ")}`;
}

async function trustText(folder: string, path: string, revokedKeys: readonly string[]): Promise<string> {
  const shown = path.endsWith("/") ? path : `${path}/`;
  const trust = await readTrustFolder(readTreeFolder(folder, path), { revokedKeys, folder: shown });
  const people = trust.owners.filter((owner) => owner.class === "person").length;
  return `${people === 1 ? "1 person" : `${people} people`}, ${counted(trust.keys.length, "key")}`;
}

function waiversText(folder: string, path: string, clock: Clock): string {
  const bytes = readTreeFile(folder, path);
  if (bytes === null) return "not there, so nothing is waived";
  const waivers = readWaivers(textOf(folder, path), path);
  checkWaivers(waivers, clock());
  return counted(waivers.length, "waiver");
}

function baselineText(folder: string): string {
  const targets = [...readBaselineYaml(textOf(folder, BASELINE_YAML))];
  return targets.map(([target, keys]) => `${target} ${counted(keys.size, "finding")}`).join(", ");
}

function policiesText(folder: string, path: string): string {
  const files = [...readTreeFolder(folder, path, isPolicyFile)].filter(([file]) => !DATA_FILE.test(file));
  const count = selectPolicies(files.map(([file, bytes]) => ({ path: file, text: decodeUtf8(bytes) ?? "" }))).files
    .length;
  if (count > 0) return `${counted(count, "policy file")}; \`sluice policy check\` reads them`;
  throw new SluiceError("no-policies", `${path} holds no policy: nothing would be judged, so nothing is approved.`);
}

function gateText({ gate }: GateConfiguration): string {
  return `${counted(Object.keys(gate.targets).length, "target")}: ${Object.keys(gate.targets).join(", ")}`;
}

function agentText({ agent }: AgentConfiguration): string {
  return `agent ${agent.name} of ${agent.target}`;
}

function keyName(secret: SecretReference): string {
  return "file" in secret ? secret.file : `$${secret.env}`;
}

function logKeyText({ gate, folder }: GateConfiguration, environment: Environment): string {
  const { name } = noteSigner(readSecret(gate.log.key, folder, environment, logKey(gate.log.origin)));
  if (name === gate.log.origin) return `log key ${name}`;
  throw new SluiceError("log-origin-mismatch", `The key is named ${name}; the log's origin is ${gate.log.origin}.`);
}

function releaseKeyText({ gate, folder }: GateConfiguration, environment: Environment): string {
  const secret = readSecret(gate.release.key, folder, environment, releaseKey(gate.log.origin));
  const { name } = noteSigner(secret);
  if (secret !== readLogKey(gate.log.key, folder, environment)) return `release key ${name}`;
  throw new SluiceError("gate-configuration-invalid", "The log and the releases are signed with the same key.", {
    fix: "sluice keygen release --name NAME --out release.key",
  });
}

/** null where it cannot be read: that is the log key's own line. */
function readLogKey(reference: SecretReference, folder: string, environment: Environment): string | null {
  try {
    return readSecret(reference, folder, environment);
  } catch {
    return null;
  }
}

function agentKeyText(name: string, secret: string): string {
  const signer = noteSigner(secret);
  if (signer.name === name) return `key of ${name}: ${signer.vkey}`;
  throw new SluiceError("agent-key-name", `The key is named ${signer.name}; the agent is ${name}.`, {
    fix: `sluice keygen agent --name ${name} --out agent.key`,
  });
}

function logVerifierText(vkey: string, origin: string): string {
  const { name } = noteVerifier(vkey);
  if (name === origin) return verifierText(vkey);
  throw new SluiceError("agent-configuration-invalid", `The log's key is named ${name}; its origin is ${origin}.`);
}

function verifierText(vkey: string): string {
  const { name, keyId } = noteVerifier(vkey);
  return `${name} ${keyId}`;
}

function secretText(secret: string): string {
  return secret === "" ? "empty" : "readable by its owner only";
}

/** Remarks under another group's name. */
export function grouped(group: string, remarks: readonly Remark[]): readonly Remark[] {
  return remarks.map((remark) => ({ ...remark, group }));
}
