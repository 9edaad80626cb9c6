/** `trust request`: what a newcomer hands to a colleague, who compares the fingerprint, adds the block and signs it. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { type PeopleFiles, toPeopleFiles } from "../signature/people-text.ts";
import { sshKeyFromLine } from "../signature/ssh-key.ts";
import { readTrustFolder } from "../signature/trust-folder.ts";
import { type FoundKey, importKeyring } from "../signature/trust-import.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { type GitIdentity, gitIdentity } from "./git-identity.ts";
import { required } from "./opening.ts";
import type { TrustRequestReport } from "./reports/schemas/trust-request.ts";
import { keyLine } from "./starter.ts";

const MAXIMUM_KEY_BYTES = 1024 * 1024;

export const trustRequest: Command = {
  name: "trust request",
  summary: "print the block with which a colleague adds you",
  usage: ["trust request [--key FILE] [--email ADDRESS]"],
  options: {
    key: {
      type: "string",
      value: "FILE",
      description: "your public key: an SSH .pub file, or an armoured OpenPGP key (default: what git signs with)",
    },
    email: {
      type: "string",
      value: "ADDRESS",
      description: "the address of your commits (default: git's; OpenPGP: its own)",
    },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [[0, "printed; nothing is written, nobody is trusted by it"]],
  example:
    "sluice trust request --key ~/.ssh/id_ed25519.pub --email ada@example.com\nprints your block; send it, and say its fingerprint by another way",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const identity = await gitIdentity(invocation);
  const key = readKey(invocation, publicHalf(textOption(invocation, "key"), identity), identity);
  const made = toPeopleFiles({ keys: [key], authorities: [], skipped: [] });
  // What is handed on must be what the reader of trust folders accepts; its refusal names the place.
  const bytes = new Map([...made.files].map(([path, text]) => [path, new Uint8Array(Buffer.from(text))]));
  await readTrustFolder(bytes, { revokedKeys: [], folder: "requested " });
  const report = toReport(key, made);
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

/** git may be told the private key's file; only the public one beside it is read. */
function publicHalf(given: string | undefined, { signingKey }: GitIdentity): string {
  if (given !== undefined) return given;
  if (signingKey !== null) return signingKey.endsWith(".pub") ? signingKey : `${signingKey}.pub`;
  throw new SluiceError("usage", "--key is missing, and git signs with no SSH key yet.", {
    fix: "--key FILE, or first: sluice signing setup",
  });
}

/** @throws SluiceError `configuration-missing`, `usage` for anything but one public key */
export function readKey(invocation: Invocation, file: string, identity: GitIdentity): FoundKey {
  const path = resolve(invocation.folder, file);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size > MAXIMUM_KEY_BYTES) {
    throw new SluiceError("configuration-missing", `${file} is no file with a public key.`, {
      fix: "--key ~/.ssh/id_ed25519.pub",
    });
  }
  const bytes = new Uint8Array(readFileSync(path));
  const content = decodeUtf8(bytes) ?? "";
  if (content.includes("PRIVATE KEY")) {
    throw new SluiceError("usage", `${file} is a private key, which is for nobody else's eyes.`, {
      fix: `--key ${file}.pub`,
    });
  }
  return content.includes("BEGIN PGP")
    ? openPgpKey(invocation, bytes, file)
    : sshKey(invocation, content, file, identity);
}

function sshKey(invocation: Invocation, content: string, file: string, identity: GitIdentity): FoundKey {
  const given = textOption(invocation, "email") ?? identity.email;
  const email = (given ?? required(invocation, "email", "ADDRESS")).toLowerCase();
  const key = sshKeyFromLine(content.trim());
  if (key.kind !== "key") {
    throw new SluiceError("usage", `${file} holds no public SSH key. ${key.detail}`, {
      fix: "--key ~/.ssh/id_ed25519.pub",
    });
  }
  const line = keyLine(key.type, key.blob, "").trim();
  const nothing = { certificate: null, from: null, until: null };
  return { format: "ssh", fingerprint: key.fingerprint, line, emails: [email], source: "requested", ...nothing };
}

function openPgpKey(invocation: Invocation, bytes: Uint8Array, file: string): FoundKey {
  const [key, ...others] = importKeyring(bytes, file).keys;
  if (key === undefined || others.length > 0) {
    throw new SluiceError("usage", `${file} does not hold exactly one usable OpenPGP key.`, {
      fix: "gpg --armor --export FINGERPRINT > me.asc",
    });
  }
  const email = textOption(invocation, "email")?.toLowerCase();
  return { ...key, emails: email === undefined ? key.emails : [email], source: "requested" };
}

function toReport({ fingerprint, format }: FoundKey, { people, files }: PeopleFiles): TrustRequestReport {
  const [person] = people;
  const whole = files.get("people.yaml") ?? "";
  const block = whole.slice(whole.indexOf("\npeople:\n") + "\npeople:\n".length);
  const keyFiles = [...files].filter(([path]) => path !== "people.yaml");
  const { id = "", emails = [] } = person ?? {};
  const key = { format, fingerprint };
  const common = { apiVersion: "sluice/v1", kind: "TrustRequest", exitCode: EXIT.fine } as const;
  return { ...common, person: id, emails: [...emails], key, block, files: Object.fromEntries(keyFiles) };
}

function text({ key, block, files }: TrustRequestReport): string {
  const written = Object.entries(files).map(([path, content]) => `\n# in trust/${path}:\n${content.trimEnd()}\n`);
  return [
    "# Send this to a colleague, and say the fingerprint by another way, in person or by telephone:",
    `#   ${printable(key.fingerprint)}`,
    "# Colleague: compare it, add this below people: in trust/people.yaml in a signed commit of your own,",
    "# with the roles that are due, then run: sluice trust check",
    `${block.trimEnd()}\n${written.join("")}`,
  ].join("\n");
}
