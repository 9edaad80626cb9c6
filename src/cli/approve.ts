/** `sluice approve`: a person signs a yes to exactly this content, with their own key and their own tools. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { changeDigest } from "../decision/approval.ts";
import {
  APPROVAL_LIFETIME_MS,
  APPROVAL_NAMESPACE,
  type ApprovalStatement,
  preAuthentication,
  statementBytes,
  writeEnvelope,
} from "../decision/envelope.ts";
import { readJudgeTrust, readSluiceConfiguration, targetYaml } from "../gate/judge.ts";
import { branchTip, mainTip } from "../gate/proposal.ts";
import { writeApproval } from "../git/approval-ref.ts";
import { comparePaths } from "../git/repository.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { formatTime } from "../lib/time.ts";
import { certifiedKeys } from "../signature/ssh-authority.ts";
import { certificateFromLine, type SshCertificate } from "../signature/ssh-certificate.ts";
import { sshKeyFromLine } from "../signature/ssh-key.ts";
import type { Trust } from "../signature/trust.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { refuseUncountable } from "./approvable.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { gitIdentity } from "./git-identity.ts";
import { type LocalRepository, REPO_OPTION, required, withRepository } from "./opening.ts";

const execute = promisify(execFile);
const SIGNING_DEADLINE_MS = 120_000;

export const approve: Command = {
  name: "approve",
  summary: "sign a yes to exactly this content",
  usage: ["approve [REV] --target T [--key FILE] [--repo DIR]", "approve [REV] --target T --openpgp FINGERPRINT"],
  options: {
    target: { type: "string", value: "T", description: "the target whose release you approve" },
    key: {
      type: "string",
      value: "FILE",
      description:
        "your private SSH key, its .pub when an agent holds it, or its -cert.pub (default: the key that git signs with)",
    },
    openpgp: { type: "string", value: "FINGERPRINT", description: "your OpenPGP key; gpg signs with it" },
    repo: REPO_OPTION,
    repository: {
      type: "string",
      value: "NAME",
      description: "what the gate calls the repository (default: its name at origin)",
    },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 1],
  exitCodes: [
    [0, "signed; push it so that the gate sees it"],
    [1, "not signed: it could not count, as of your own change"],
  ],
  example:
    "sluice approve feature --target prod --key ~/.ssh/id_ed25519\nsigns what feature makes of prod, and prints the git push that hands it in",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const target = required(invocation, "target", "T");
  const key = await ownKey(invocation);
  const { statement, ref, path } = await withRepository(invocation, async (local) => {
    const made = await makeStatement(invocation, local, target, key);
    const armour = await signWith(key, invocation, preAuthentication(statementBytes(made)));
    const envelope = writeEnvelope(made, armour);
    return { statement: made, ref: writeApproval(local.path, envelope, sha256Hex(envelope)), path: local.path };
  });
  const push = `git push origin ${ref}`;
  const text = `APPROVED  ${target} of ${printable(statement.repository)}  tree ${statement.tree.slice(0, 7)} by ${statement.approver}, until ${statement.expiresAt}\nnext      ${push}\n`;
  answer(invocation, { apiVersion: "sluice/v1", kind: "Approval", ref, statement, push, repository: path }, () => text);
  return 0;
}

/** Whose key it is, and the program that signs with it. */
interface OwnKey {
  /** Where `--key` names one: an authority then says whose the key is. */
  readonly certificate: SshCertificate | null;
  /** As the trust folder names it. */
  readonly fingerprint: string;
  /** For messages. */
  readonly name: string;
  /** The command that signs `file`, and the file that it writes. */
  readonly command: (file: string) => readonly [string, readonly string[], string];
  /** A command with which its owner finds out what is wrong. */
  readonly trial: string;
}

/** @throws SluiceError `usage` unless exactly one key is named, `secret-missing` */
async function ownKey(invocation: Invocation): Promise<OwnKey> {
  const openpgp = textOption(invocation, "openpgp");
  if (openpgp === undefined) {
    const given = textOption(invocation, "key") ?? (await gitIdentity(invocation)).signingKey;
    if (given !== null) return sshKey(resolve(invocation.folder, given));
    throw new SluiceError("usage", "--key is missing, and git signs with no SSH key yet.", {
      fix: "--key FILE, --openpgp FINGERPRINT, or first: sluice signing setup",
    });
  }
  if (textOption(invocation, "key") !== undefined) {
    throw new SluiceError("usage", "An approval is signed with one key.", {
      fix: "--key FILE or --openpgp FINGERPRINT",
    });
  }
  return openPgpKey(openpgp);
}

function sshKey(key: string): OwnKey {
  const file = key.endsWith(".pub") ? key : `${key}.pub`;
  const line = readText(file);
  const certificate = certificateFromLine(line);
  const read = certificate?.key ?? sshKeyFromLine(line);
  if (read.kind !== "key") throw new SluiceError("secret-missing", `${file} is no public SSH key.`);
  return {
    certificate,
    fingerprint: read.fingerprint,
    name: `${file} (${read.fingerprint})`,
    command: (signed) => ["ssh-keygen", ["-Y", "sign", "-f", key, "-n", APPROVAL_NAMESPACE, signed], `${signed}.sig`],
    trial: `ssh-keygen -Y sign -f ${key} -n test /dev/null`,
  };
}

/** The primary key's fingerprint, as `gpg --fingerprint` prints it; gpg may sign with a subkey of it. */
function openPgpKey(text: string): OwnKey {
  const fingerprint = text.replaceAll(" ", "").replace(/^0x/i, "").toUpperCase();
  if (!/^[0-9A-F]{40}$/.test(fingerprint)) {
    throw new SluiceError("usage", "--openpgp takes the 40 hexadecimal digits of a fingerprint.", {
      fix: "gpg --fingerprint",
    });
  }
  const args = ["--quiet", "--armor", "--detach-sign", "--local-user", fingerprint, "--output"];
  return {
    certificate: null,
    fingerprint,
    name: fingerprint,
    command: (signed) => ["gpg", [...args, `${signed}.asc`, signed], `${signed}.asc`],
    trial: `gpg --armor --detach-sign --local-user ${fingerprint} --output - /dev/null`,
  };
}

/** What exactly is approved: the tree that merging REV gives today, for this target. */
async function makeStatement(
  invocation: Invocation,
  { repository, name }: LocalRepository,
  target: string,
  key: OwnKey,
): Promise<ApprovalStatement> {
  const head = await repository.resolve(invocation.positionals[0] ?? "HEAD");
  const configuration = await readSluiceConfiguration(repository, await mainTip(repository));
  const rule = targetYaml({ configuration }, target);
  const base = await branchTip(repository, rule.branch);
  const trust = await readJudgeTrust(repository, base);
  const approver = ownerOf(trust, key);
  await refuseUncountable({ target, rule, base, head, approver, at: invocation.clock() }, repository, trust);
  const merge = await repository.merge(base, head);
  if (merge.kind === "conflict") {
    throw new SluiceError(
      "merge-conflict",
      `${head.slice(0, 7)} conflicts with ${base.slice(0, 7)} in ${merge.paths.slice(0, 5).join(", ")}.`,
    );
  }
  const before = await repository.files((await repository.commit(base)).tree);
  const changes = comparePaths(before, await repository.files(merge.tree));
  return {
    repository: name,
    target,
    base,
    head,
    tree: merge.tree,
    changeDigest: changeDigest(changes),
    judge: base,
    approver,
    expiresAt: formatTime(invocation.clock() + APPROVAL_LIFETIME_MS),
  };
}

/** The person whose key it is; found out here, so that a wrong key is said now and not by the gate. */
function ownerOf(trust: Trust, key: OwnKey): string {
  const { certificate, fingerprint } = key;
  const owner =
    certificate === null
      ? trust.keys.find((one) => one.fingerprint === fingerprint)?.owner
      : ownerOfCertified(certificate, trust);
  if (owner?.class === "person") return owner.id;
  throw new SluiceError("unknown-signer", `${key.name} is no person's key in the trust folder.`, {
    fix: "ask a colleague to add it; a change to the trust folder is approved like any other",
  });
}

function ownerOfCertified({ key, authority, principals }: SshCertificate, { sshAuthorities = [] }: Trust) {
  const issuers = sshAuthorities.filter((one) => one.fingerprint === authority.fingerprint);
  return certifiedKeys(key.fingerprint, principals, issuers, null)[0]?.owner;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SluiceError("secret-missing", `${file} cannot be read.`, {
      fix: "--key FILE, with FILE.pub beside it",
      cause,
    });
  }
}

/** The program asks for a passphrase or a touch by itself; the key never comes near Sluice. */
async function signWith(key: OwnKey, invocation: Invocation, message: Uint8Array): Promise<Uint8Array> {
  const folder = mkdtempSync(join(invocation.surroundings.temporaryFolder, "sluice-approve-"));
  const file = join(folder, "statement");
  const [program, args, signature] = key.command(file);
  try {
    writeFileSync(file, message, { mode: 0o600 });
    await execute(program, args, { timeout: SIGNING_DEADLINE_MS });
    return new Uint8Array(readFileSync(signature));
  } catch (cause) {
    throw new SluiceError("secret-missing", `${program} could not sign with ${key.name}.`, { fix: key.trial, cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
