/** `doctor`, fourth part: an agent by its agent.yaml, with the head as the agent itself would take it. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readState } from "../agent/state.ts";
import { trustRootOf } from "../agent/trust-root.ts";
import { readHead } from "../agent/verify.ts";
import type { AgentConfiguration } from "../config/agent-yaml.ts";
import type { Environment } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Clock } from "../lib/time.ts";
import { openChannel } from "../release/channels.ts";
import { checkFresh } from "../release/head.ts";
import { examineAgent, grouped } from "./configuration-files.ts";
import { diskRemark } from "./doctor-machine.ts";
import { examine, fine, type Remark, warning } from "./remark.ts";

const GROUP = "agent";

export async function examineAgentHere(
  path: string,
  environment: Environment,
  clock: Clock,
): Promise<readonly Remark[]> {
  const { value, remarks } = await examineAgent(path, environment);
  if (value === null) return grouped(GROUP, remarks);
  const { agent, folder } = value;
  const apply = "files" in agent.apply ? [diskRemark(GROUP, "apply folder", resolve(folder, agent.apply.files))] : [];
  return [
    ...grouped(GROUP, remarks),
    await examine(GROUP, "state folder", () => stateRemark(value)),
    ...apply,
    await examine(GROUP, "head", () => headRemark(value, clock)),
  ];
}

async function stateRemark({ agent, folder }: AgentConfiguration): Promise<Remark | string> {
  const path = resolve(folder, agent.state);
  const state = existsSync(path) ? await readState(path) : null;
  if (state !== null) return `${path}, release ${state.applied} is in place`;
  if (agent.minimumSequence === undefined) {
    throw new SluiceError("agent-state-missing", `${path} holds no memory, and agent.yaml names no minimumSequence.`);
  }
  const sentence = `${path} holds no memory; releases from ${agent.minimumSequence} on are taken.`;
  return warning(GROUP, "state folder", sentence, "sluice agent --once");
}

async function headRemark({ agent, folder }: AgentConfiguration, clock: Clock): Promise<Remark | string> {
  const directory = "directory" in agent.channel ? resolve(folder, agent.channel.directory) : null;
  if (directory === null || !existsSync(directory)) {
    throw new SluiceError("head-missing", `The channel ${directory ?? ""} does not exist, so there is no head.`);
  }
  const channel = await openChannel({ directory });
  const statePath = resolve(folder, agent.state);
  const state = existsSync(statePath) ? await readState(statePath) : null;
  const head = await readHead(channel, trustRootOf(agent), state);
  checkFresh(head, clock());
  const sentence = `release ${head.latestSequence}, fresh until ${head.notAfter}`;
  if (head.hold === null) return fine(GROUP, "head", sentence);
  return warning(
    GROUP,
    "head",
    `${sentence}, held by ${head.hold.by}: ${head.hold.reason}`,
    "sluice resume SCOPE --reason TEXT",
  );
}
