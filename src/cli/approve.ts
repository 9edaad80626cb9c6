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
import { formatTime } from "../lib/time.ts";
import { sshKeyFromLine } from "../signature/ssh-key.ts";
import type { Trust } from "../signature/trust.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { type LocalRepository, REPO_OPTION, required, withRepository } from "./opening.ts";

const execute = promisify(execFile);
const SIGNING_DEADLINE_MS = 120_000;

export const approve: Command = {
  name: "approve",
  summary: "sign a yes to exactly this content",
  usage: ["approve [REV] --target T --key FILE [--repo DIR]"],
  options: {
    target: { type: "string", value: "T", description: "the target whose release you approve" },
    key: { type: "string", value: "FILE", description: "your private SSH key, or its .pub when an agent holds it" },
    repo: REPO_OPTION,
    repository: {
      type: "string",
      value: "NAME",
      description: "what the gate calls the repository (default: the folder's name)",
    },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 1],
  exitCodes: [[0, "signed; push it so that the gate sees it"]],
  example: "sluice approve feature --target prod --key ~/.ssh/id_ed25519",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const target = required(invocation, "target", "T");
  const key = resolve(invocation.folder, required(invocation, "key", "FILE"));
  const { statement, ref, path } = await withRepository(invocation, async (local) => {
    const made = await makeStatement(invocation, local, target, key);
    const armour = await signWithSshKeygen(invocation, key, preAuthentication(statementBytes(made)));
    const envelope = writeEnvelope(made, armour);
    return { statement: made, ref: writeApproval(local.path, envelope, sha256Hex(envelope)), path: local.path };
  });
  const push = `git push origin ${ref}`;
  const text = `APPROVED  ${target}  tree ${statement.tree.slice(0, 7)} by ${statement.approver}, until ${statement.expiresAt}\nnext      ${push}\n`;
  answer(invocation, { apiVersion: "sluice/v1", kind: "Approval", ref, statement, push, repository: path }, () => text);
  return 0;
}

/** What exactly is approved: the tree that merging REV gives today, for this target. */
async function makeStatement(
  invocation: Invocation,
  { repository, name }: LocalRepository,
  target: string,
  key: string,
): Promise<ApprovalStatement> {
  const head = await repository.resolve(invocation.positionals[0] ?? "HEAD");
  const configuration = await readSluiceConfiguration(repository, await mainTip(repository));
  const base = await branchTip(repository, targetYaml({ configuration }, target).branch);
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
    approver: ownerOf(await readJudgeTrust(repository, base), key),
    expiresAt: formatTime(invocation.clock() + APPROVAL_LIFETIME_MS),
  };
}

/** The person whose key it is; found out here, so that a wrong key is said now and not by the gate. */
function ownerOf(trust: Trust, keyFile: string): string {
  const file = keyFile.endsWith(".pub") ? keyFile : `${keyFile}.pub`;
  const key = sshKeyFromLine(readText(file));
  if (key.kind !== "key") throw new SluiceError("secret-missing", `${file} is no public SSH key.`);
  const owner = trust.keys.find((one) => one.fingerprint === key.fingerprint)?.owner;
  if (owner?.class === "person") return owner.id;
  throw new SluiceError("unknown-signer", `${file} (${key.fingerprint}) is no person's key in the trust folder.`, {
    fix: "ask a colleague to add it; a change to the trust folder is approved like any other",
  });
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

/** ssh-keygen asks for a passphrase or a touch by itself; the key never comes near Sluice. */
async function signWithSshKeygen(invocation: Invocation, key: string, message: Uint8Array): Promise<Uint8Array> {
  const folder = mkdtempSync(join(invocation.surroundings.temporaryFolder, "sluice-approve-"));
  const file = join(folder, "statement");
  try {
    writeFileSync(file, message, { mode: 0o600 });
    await execute("ssh-keygen", ["-Y", "sign", "-f", key, "-n", APPROVAL_NAMESPACE, file], {
      timeout: SIGNING_DEADLINE_MS,
    });
    return new Uint8Array(readFileSync(`${file}.sig`));
  } catch (cause) {
    throw new SluiceError("secret-missing", `ssh-keygen could not sign with ${key}.`, {
      fix: `ssh-keygen -Y sign -f ${key} -n test /dev/null`,
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
