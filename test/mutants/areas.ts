/** Every list of mutants by the area it belongs to. */
import { AGENT_MUTANTS } from "./list/agent.ts";
import { CLI } from "./list/cli.ts";
import { CONFIG } from "./list/config.ts";
import { DECISION } from "./list/decision.ts";
import { GATE } from "./list/gate.ts";
import { GIT } from "./list/git.ts";
import { LOG } from "./list/log.ts";
import { POLICY } from "./list/policy.ts";
import { POSTGRES } from "./list/postgres.ts";
import { RELEASE } from "./list/release.ts";
import { RENDER_AND_LIB } from "./list/render.ts";
import { REPLAYING } from "./list/replay.ts";
import { SERVER } from "./list/server.ts";
import { SERVICE } from "./list/service.ts";
import { SIGNATURE } from "./list/signature.ts";
import { WITNESSES } from "./list/witness.ts";
import { X509 } from "./list/x509.ts";
import type { Mutant } from "./mutant.ts";

export const AREAS: Readonly<Record<string, readonly Mutant[]>> = {
  git: GIT,
  signature: SIGNATURE,
  x509: X509,
  render: RENDER_AND_LIB,
  policy: POLICY,
  decision: DECISION,
  log: LOG,
  postgres: POSTGRES,
  witness: WITNESSES,
  release: RELEASE,
  agent: AGENT_MUTANTS,
  config: CONFIG,
  gate: GATE,
  replay: REPLAYING,
  service: SERVICE,
  server: SERVER,
  cli: CLI,
};
