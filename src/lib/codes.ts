/** The one published list of codes: what each means, an example that fails, and the fix. Folders bring their own part. */
import type { CodeEntry } from "./code-entry.ts";
import { AGENT_CODES } from "./codes/agent.ts";
import { CLI_CODES } from "./codes/cli.ts";
import { CONFIG_CODES } from "./codes/config.ts";
import { DECISION_CODES } from "./codes/decision.ts";
import { GATE_CODES } from "./codes/gate.ts";
import { GENERAL_CODES } from "./codes/general.ts";
import { GIT_CODES } from "./codes/git.ts";
import { LOG_CODES } from "./codes/log.ts";
import { POLICY_CODES } from "./codes/policy.ts";
import { RELEASE_CODES } from "./codes/release.ts";
import { RENDER_CODES } from "./codes/render.ts";
import { SERVER_CODES } from "./codes/server.ts";
import { SIGNATURE_CODES } from "./codes/signature.ts";

export type { CodeClass, CodeEntry } from "./code-entry.ts";

export const CODES = {
  ...GENERAL_CODES,
  ...GIT_CODES,
  ...SIGNATURE_CODES,
  ...RENDER_CODES,
  ...POLICY_CODES,
  ...DECISION_CODES,
  ...LOG_CODES,
  ...RELEASE_CODES,
  ...CONFIG_CODES,
  ...GATE_CODES,
  ...SERVER_CODES,
  ...AGENT_CODES,
  ...CLI_CODES,
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof CODES;

export function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}

export function codeEntry(code: Code): CodeEntry {
  return CODES[code];
}
