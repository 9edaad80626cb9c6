/** An agent in a folder of its own: real agent.yaml, key, state, reports and applied folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { runOnce } from "../../src/agent/agent.ts";
import type { AgentOutcome } from "../../src/agent/outcome.ts";
import { readAgentYaml } from "../../src/config/agent-yaml.ts";
import { AGENT_KEY, RELEASE_KEY, type World } from "../release/world.ts";
import { KEY, ORIGIN } from "../support/log.ts";
import { type Scope, tempFolder } from "../support/temp.ts";

export interface TestAgent {
  readonly folder: string;
  readonly www: string;
  readonly state: string;
  readonly reports: string;
  /** Lines of agent.yaml by key; `null` leaves one out. */
  configure(lines: Readonly<Record<string, string | null>>): void;
  run(): Promise<AgentOutcome>;
  /** Files that are ours in the applied folder, by what a reader of them sees. */
  served(): Readonly<Record<string, string>>;
}

export function makeAgent(t: Scope, world: World, channelFolder = world.channelFolder): TestAgent {
  const folder = tempFolder(t);
  const lines: Record<string, string> = {
    version: "1",
    target: "prod",
    channel: `{directory: ${JSON.stringify(channelFolder)}}`,
    apply: "{files: www}",
    name: "prod-1",
    key: "{file: agent.key}",
    report: "{directory: reports}",
    log: `{origin: ${ORIGIN}, keys: ["${KEY.vkey}"]}`,
    releaseKeys: `["${RELEASE_KEY.vkey}"]`,
    minimumSequence: "1",
    state: "state",
  };
  const www = join(folder, "www");
  const file = join(folder, "agent.yaml");
  const agent: TestAgent = {
    folder,
    www,
    state: join(folder, "state"),
    reports: join(folder, "reports"),
    configure(changed) {
      const all = Object.entries({ ...lines, ...changed }).filter(([, value]) => value !== null);
      writeFileSync(file, all.map(([key, value]) => `${key}: ${value}\n`).join(""));
    },
    run: () =>
      runOnce({ configuration: readAgentYaml(file), key: AGENT_KEY.skey, environment: {}, clock: () => world.now }),
    served() {
      if (!existsSync(www)) return {};
      const names = readdirSync(www).filter((name) => name !== ".sluice");
      return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(www, name), "utf8")]));
    },
  };
  agent.configure({});
  mkdirSync(www);
  return agent;
}

/** Every regular file below a folder, as paths from it. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => relative(folder, join(folder, path)))
    .sort();
}
