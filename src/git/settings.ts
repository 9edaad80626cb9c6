/**
 * A person's own settings of git, in one named file: read and written by git itself, which never gets a repository for it
 * and follows no include.
 */
import { SluiceError } from "../lib/errors.ts";
import { MAX_CONFIG_BYTES, QUICK_DEADLINE_MS } from "./limits.ts";
import { runGit } from "./process.ts";

const NOT_SET = 1;

/** The last value, as git itself takes it; null where there is none. @throws SluiceError `git-missing`, `usage` */
export async function readSetting(file: string, name: string): Promise<string | null> {
  const { exitCode, stdout, stderr } = await config(file, ["--null", "--get", name]);
  if (exitCode === 0) return stdout.toString("utf8").replace(/\0$/, "");
  if (exitCode === NOT_SET) return null;
  throw unusable(file, stderr);
}

/** Every value of that name gives way to this one. @throws SluiceError `git-missing`, `usage` */
export async function writeSetting(file: string, name: string, value: string): Promise<void> {
  const { exitCode, stderr } = await config(file, ["--replace-all", name, value]);
  if (exitCode !== 0) throw unusable(file, stderr);
}

function config(file: string, args: readonly string[]) {
  const run = { maxOutputBytes: MAX_CONFIG_BYTES, deadlineMs: QUICK_DEADLINE_MS };
  return runGit(null, { args: ["config", "--no-includes", "--file", file, ...args], ...run });
}

function unusable(file: string, stderr: string): SluiceError {
  return new SluiceError("usage", `git cannot use its settings in ${file}.`, {
    fix: `git config --file ${JSON.stringify(file)} --list says why`,
    cause: new Error(stderr),
  });
}
