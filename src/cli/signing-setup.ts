/** `signing setup`: tells git to sign with an SSH key. It asks first, and says every setting and what it was before. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { readSetting, writeSetting } from "../git/settings.ts";
import { configurationFileOf, findRepository } from "../git/source.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { gitIdentity, globalSettingsFile } from "./git-identity.ts";
import type { SigningSetupReport } from "./reports/schemas/people.ts";
import { findKey, makeKey, namedKey, newKeyFile, type SigningKey } from "./signing-key.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

export const signingSetup: Command = {
  name: "signing setup",
  summary: "tell git to sign your commits with an SSH key",
  usage: ["signing setup [--repo DIR | --global] [--key FILE] [--yes | --dry-run]"],
  options: {
    repo: { type: "string", value: "DIR", description: "the repository; the current folder when absent" },
    global: { type: "boolean", description: "for all your repositories instead" },
    key: { type: "string", value: "FILE", description: "your public SSH key (default: one in ~/.ssh, else a new one)" },
    yes: { type: "boolean", description: "do not ask; a new key then has no passphrase" },
    "dry-run": { type: "boolean", description: "show what would be set, change nothing" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "set, or shown with --dry-run"],
    [1, "the answer was no; nothing was changed"],
  ],
  example: "sluice signing setup --dry-run\nshows the key and the four lines that would stand in git's configuration",
  run,
};

interface Plan {
  readonly scope: "repository" | "global";
  readonly file: string;
  /** null: it has yet to be made, at `keyFile`. */
  readonly key: SigningKey | null;
  readonly keyFile: string;
  readonly settings: SigningSetupReport["settings"];
}

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const isDry = isSet(invocation, "dry-run");
  const { ask } = invocation.output;
  if (!isDry && !isSet(invocation, "yes") && ask === undefined) throw nobodyHere();
  const plan = await makePlan(invocation);
  const isAgreed = isDry || isSet(invocation, "yes") || (await agreed(plan, invocation));
  const made = isAgreed && !isDry ? await carryOut(plan, invocation) : null;
  const report = await toReport(plan, made, isAgreed, invocation);
  answer(invocation, report, () => text(report, isDry));
  return report.exitCode;
}

function nobodyHere(): SluiceError {
  return new SluiceError("usage", "This changes git's settings, and there is no terminal on which to ask.", {
    fix: "sluice signing setup --dry-run to see it, sluice signing setup --yes to do it",
  });
}

async function makePlan(invocation: Invocation): Promise<Plan> {
  const home = homeOf(invocation);
  const isGlobal = isSet(invocation, "global");
  const file = isGlobal ? writable(globalSettingsFile(invocation)) : repositoryFile(invocation);
  const given = textOption(invocation, "key");
  const key = given === undefined ? findKey(home) : namedKey(invocation.folder, given);
  const keyFile = key?.file ?? newKeyFile(home);
  const wanted = { "gpg.format": "ssh", "user.signingkey": keyFile, "commit.gpgSign": "true", "tag.gpgSign": "true" };
  const settings: Plan["settings"] = [];
  for (const [name, value] of Object.entries(wanted)) {
    settings.push({ name, value, before: await readSetting(file, name) });
  }
  return { scope: isGlobal ? "global" : "repository", file, key, keyFile, settings };
}

function homeOf({ surroundings }: Invocation): string {
  const home = surroundings.environment["HOME"];
  if (home !== undefined && home !== "") return home;
  throw new SluiceError("usage", "The variable HOME is not set, so nobody's keys can be found.", {
    fix: 'HOME="$(getent passwd "$USER" | cut -d: -f6)" sluice signing setup',
  });
}

function repositoryFile(invocation: Invocation): string {
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  return configurationFileOf(findRepository(folder) ?? folder);
}

/** @throws SluiceError `usage` for /dev/null, which some set to have no settings at all */
function writable(file: string | null): string {
  const status = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file !== null && (status === undefined || status.isFile())) return file;
  throw new SluiceError("usage", `${file} is no file for git's settings.`, { fix: "unset GIT_CONFIG_GLOBAL" });
}

/** Only a plain yes is one. */
async function agreed(plan: Plan, { output }: Invocation): Promise<boolean> {
  const lines = [
    keyLine(plan, "would make"),
    ...settingLines(plan.settings, "would set", plan.file),
    "Shall I? [y/N] ",
  ];
  return /^y(?:es)?$/i.test(((await output.ask?.(lines.join("\n"))) ?? "").trim());
}

/** The key first: settings that name a key which is not there would stop every commit. */
async function carryOut(plan: Plan, invocation: Invocation): Promise<SigningKey> {
  const home = homeOf(invocation);
  const comment = invocation.surroundings.operatingSystemUser;
  const key = plan.key ?? makeKey(home, comment, !isSet(invocation, "yes"));
  for (const { name, value, before } of plan.settings) {
    if (before !== value) await writeSetting(plan.file, name, value);
  }
  return key;
}

async function toReport(
  plan: Plan,
  made: SigningKey | null,
  isAgreed: boolean,
  invocation: Invocation,
): Promise<SigningSetupReport> {
  const key = plan.key ?? made;
  const email = (await gitIdentity(invocation)).email ?? "YOU@example.com";
  return {
    apiVersion: "sluice/v1",
    kind: "SigningSetup",
    exitCode: isAgreed ? EXIT.fine : EXIT.denied,
    written: made !== null,
    scope: plan.scope,
    file: plan.file,
    key: { file: plan.keyFile, fingerprint: key?.fingerprint ?? null, isNew: plan.key === null },
    settings: plan.settings,
    resign: `git rebase -f -S ${baseOf(invocation)} && git push --force-with-lease`,
    request: `sluice trust request --key ${shellWord(plan.keyFile)} --email ${shellWord(email)}`,
  };
}

/** One word of a command line, whatever it holds. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Where a branch began is nearly always the tip of what it will be merged into. */
function baseOf(invocation: Invocation): string {
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const targets = Object.values(workTreeConfiguration(folder)?.targets ?? {});
  const branches = new Set(targets.map(({ branch }) => branch));
  const [branch] = branches;
  return branches.size === 1 && branch !== undefined ? `origin/${branch}` : "BASE";
}

function text({ written, exitCode, file, key, settings, resign, request }: SigningSetupReport, isDry: boolean): string {
  if (exitCode !== EXIT.fine) return "no       nothing was changed\nnext     sluice signing setup\n";
  const plan = { key: key.isNew && !written ? null : { file: key.file, fingerprint: key.fingerprint ?? "" } };
  const made = written && key.isNew ? `made     a new key; ${passphraseCommand(key.file)} gives it a passphrase\n` : "";
  return [
    `${made}${keyLine({ ...plan, keyFile: key.file }, "would make")}`,
    ...settingLines(settings, written ? "set" : "would set", file),
    `re-sign  a branch that is there already: ${resign}`,
    `         ${resign.includes("BASE") ? "BASE is where your branch began, for example origin/main" : "only commits that are not on the target's branch yet"}`,
    `unknown  to the gate until a colleague adds you: ${request}`,
    ...(isDry ? ["next     sluice signing setup"] : []),
    "",
  ].join("\n");
}

function passphraseCommand(publicFile: string): string {
  return `ssh-keygen -p -f ${shellWord(publicFile.replace(/\.pub$/, ""))}`;
}

function keyLine({ key, keyFile }: Pick<Plan, "key" | "keyFile">, word: string): string {
  return key === null
    ? `key      ${word} ${printable(keyFile)} with ssh-keygen`
    : `key      ${printable(keyFile)}  ${key.fingerprint}`;
}

/** One line a setting, with what stood there before; what is so already is said to be. */
function settingLines(settings: SigningSetupReport["settings"], word: string, file: string): readonly string[] {
  const lines = settings.map(({ name, value, before }) => {
    const was = before === null ? "" : before === value ? "   (is so already)" : `   (was ${before})`;
    return `         ${name} = ${printable(`${value}${was}`)}`;
  });
  return [`${word.padEnd(8)} in ${printable(file)}:`, ...lines];
}
