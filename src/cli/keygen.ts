/** `keygen`: an Ed25519 key in the form of signed notes, written once and for its owner only. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { generateCosigningKey } from "../log/cosignature.ts";
import { generateNoteKey } from "../log/note.ts";
import { isNoteName } from "../log/note-key.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import type { KeygenReport } from "./reports/schemas.ts";

const USES = ["log", "release", "agent", "witness"] as const;
const SEED_BYTES = 32;

export const keygen: Command = {
  name: "keygen",
  summary: "make a log, release, agent or witness key",
  usage: ["keygen log|release|agent|witness --name NAME --out FILE"],
  options: {
    name: {
      type: "string",
      value: "NAME",
      description: "what the key is called: a log's origin, gate.example/release, the agent's name",
    },
    out: { type: "string", value: "FILE", description: "file for the private key; it must not exist" },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  words: USES,
  exitCodes: [[0, "the key is written, its public half is printed"]],
  example:
    "sluice keygen log --name gate.example/log --out log.key\nprints the verifier key that agents and auditors are given",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const use = requireUse(invocation.positionals[0] ?? "");
  const name = requireName(textOption(invocation, "name"));
  const out = textOption(invocation, "out");
  if (out === undefined || out === "") throw new SluiceError("usage", "--out FILE is missing.", { fix: "--out FILE" });
  const generate = use === "witness" ? generateCosigningKey : generateNoteKey;
  const { skey, vkey } = generate(name, invocation.random(SEED_BYTES));
  writePrivateFile(resolve(invocation.folder, out), `${skey}\n`, out);
  const report: KeygenReport = { apiVersion: "sluice/v1", kind: "Key", use, name, file: out, verifierKey: vkey };
  answer(invocation, report, () => `${vkey}\n`);
  return EXIT.fine;
}

function requireUse(text: string): (typeof USES)[number] {
  const use = USES.find((known) => known === text);
  if (use !== undefined) return use;
  throw new SluiceError("usage", `${JSON.stringify(text)} is no use of a key; there are ${USES.join(", ")}.`, {
    fix: "sluice keygen log --name NAME --out FILE",
  });
}

function requireName(name: string | undefined): string {
  if (name !== undefined && isNoteName(name) && name.length <= 200) return name;
  throw new SluiceError("usage", "A key has a name of at most 200 characters without white space and +.", {
    fix: "--name gate.example/log",
  });
}

/** O_EXCL: neither a file nor a link is ever followed or replaced. Durable before the public half is shown. */
function writePrivateFile(path: string, text: string, shown: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, "wx", 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new SluiceError("key-exists", `${shown} exists; a key is never replaced.`, {
        fix: "name another file",
        cause,
      });
    }
    throw new SluiceError("usage", `${shown} cannot be written.`, { fix: "name a file in a folder of yours", cause });
  }
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
