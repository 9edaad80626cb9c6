/** `sluice token new`: lets somebody call the service. The token is shown once and kept nowhere. */
import { resolve } from "node:path";
import { ROLES, type Role, type TokenYaml, tokensSchema } from "../config/access-yaml.ts";
import { readGateYaml } from "../config/gate-yaml.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, parseTime } from "../lib/time.ts";
import { addToken, TOKEN_BYTES, tokenText } from "../server/access/tokens.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, listOption, textOption } from "./command.ts";
import { CONFIG_OPTION, required } from "./opening.ts";
import type { TokenNewReport } from "./reports/schemas/token.ts";

export const tokenNew: Command = {
  name: "token new",
  summary: "let somebody call the service",
  usage: [
    "token new --role ROLE --person NAME [--until DATE] [--targets T]... --config gate.yaml",
    "token new --role ROLE --person NAME [--until DATE] [--targets T]... --file tokens.yaml",
  ],
  options: {
    role: { type: "string", value: "ROLE", values: ROLES, description: ROLES.join(", ") },
    person: { type: "string", value: "NAME", description: "who it is for, as the log will name them" },
    until: { type: "string", value: "DATE", description: "first day without it; an auditor has one" },
    targets: { type: "string", multiple: true, value: "T", description: "only this target; may be repeated" },
    config: { ...CONFIG_OPTION, description: "gate.yaml, which names the file of tokens" },
    file: { type: "string", value: "FILE", description: "the file of tokens itself" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [[0, "the token is printed, its SHA-256 is written"]],
  example:
    "sluice token new --role reader --person e.kim --config gate.yaml\nprints the token once; the file of tokens holds its SHA-256 only",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const formats = formatsOf(invocation);
  const entry = wishedEntry(invocation);
  const file = tokensFile(invocation, entry.targets ?? []);
  const token = tokenText(invocation.random(TOKEN_BYTES));
  addToken(file, entry, token);
  const { role, person, until = null } = entry;
  const targets = [...(entry.targets ?? [])];
  const report: TokenNewReport = { apiVersion: "sluice/v1", kind: "Token", token, file, role, person, targets, until };
  answer(invocation, report, () => `${token}\n`);
  if (formats.includes("text")) invocation.output.remark(aboutToken(report));
  return 0;
}

/** Beside the token, not among it: `sluice token new ... > FILE` makes what --token-file reads. */
function aboutToken({ file, role, person, until, targets }: TokenNewReport): string {
  const scope = targets.length === 0 ? "every target" : targets.join(", ");
  const end = until === null ? "" : `, until ${until}`;
  return `${role} ${person}: ${scope}${end}; its SHA-256 is in ${file}\nnext       keep it now, it is not shown again; then reload the service\n`;
}

/** @throws SluiceError `usage`, `access-endless` */
function wishedEntry(invocation: Invocation): Omit<TokenYaml, "sha256"> {
  const until = textOption(invocation, "until");
  const end = until === undefined ? null : parseTime(until);
  if (until !== undefined && (end === null || until.length !== 10 || end <= invocation.clock())) {
    throw new SluiceError("usage", "--until is a day after today.", {
      fix: `--until ${dayAhead(invocation)}`,
    });
  }
  const role = roleOf(required(invocation, "role", "ROLE"));
  const person = required(invocation, "person", "NAME");
  if (role === "auditor" && until === undefined) {
    throw new SluiceError("access-endless", `The token of ${person} is an auditor's and has no end.`, {
      fix: `--until ${dayAhead(invocation)}`,
    });
  }
  const targets = [...new Set(listOption(invocation, "targets"))].sort();
  const entry = {
    role,
    person,
    ...(targets.length === 0 ? {} : { targets }),
    ...(until === undefined ? {} : { until }),
  };
  const { success } = tokensSchema.safeParse({ version: 1, tokens: [{ sha256: "0".repeat(64), ...entry }] });
  if (success) return entry;
  throw new SluiceError("usage", "A person's name is letters, digits and . _ @ - without white space.", {
    fix: "--person e.kim",
  });
}

/** A week from now: an example that holds. */
function dayAhead({ clock }: Invocation): string {
  return formatTime(clock() + 7 * 86_400_000).slice(0, 10);
}

function roleOf(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role !== undefined) return role;
  throw new SluiceError("usage", `${JSON.stringify(text)} is no role; there are ${ROLES.join(", ")}.`, {
    fix: `--role ${ROLES[0]}`,
  });
}

/** gate.yaml knows where tokens lie and which targets there are; `--file` knows only the first. */
function tokensFile(invocation: Invocation, targets: readonly string[]): string {
  const [config, file] = [textOption(invocation, "config"), textOption(invocation, "file")];
  if ((config === undefined) === (file === undefined)) {
    throw new SluiceError("usage", "A token is written to the file that gate.yaml names, or to --file.", {
      fix: "--config gate.yaml",
    });
  }
  if (file !== undefined) return resolve(invocation.folder, file);
  const { gate, folder } = readGateYaml(resolve(invocation.folder, config ?? ""));
  const unknown = targets.find((target) => !Object.hasOwn(gate.targets, target));
  if (unknown !== undefined) {
    throw new SluiceError("target-unknown", `gate.yaml has no target ${JSON.stringify(unknown)}.`, {
      fix: `--targets ${Object.keys(gate.targets)[0]}`,
    });
  }
  const tokens = gate.access?.tokens;
  if (tokens !== undefined) return resolve(folder, tokens.file);
  throw new SluiceError("gate-configuration-invalid", "gate.yaml names no file of tokens.", {
    fix: "add to gate.yaml: access: {tokens: {file: tokens.yaml}}",
  });
}
