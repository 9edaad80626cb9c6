/** Who git says that its user is, and with which SSH key they sign: the repository's settings, then those for all. */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { readSetting } from "../git/settings.ts";
import { configurationFileOf, findRepository } from "../git/source.ts";
import { type Invocation, textOption } from "./command.ts";

export interface GitIdentity {
  readonly email: string | null;
  /** File of a private or public key; null where git signs with something else, or not at all. */
  readonly signingKey: string | null;
}

export async function gitIdentity(invocation: Invocation): Promise<GitIdentity> {
  const top = findRepository(resolve(invocation.folder, textOption(invocation, "repo") ?? "."));
  const shared = globalSettingsFile(invocation);
  const files = [...(top === null ? [] : [configurationFileOf(top)]), ...(shared === null ? [] : [shared])];
  const read = async (name: string): Promise<string | null> => {
    for (const file of files.filter(isFile)) {
      const value = await readSetting(file, name);
      if (value !== null) return value;
    }
    return null;
  };
  const isSsh = (await read("gpg.format")) === "ssh";
  return {
    email: await read("user.email"),
    signingKey: isSsh ? keyFile(await read("user.signingkey"), invocation) : null,
  };
}

/** The file that `git config --global` would write; null without a home. */
export function globalSettingsFile({ surroundings: { environment } }: Invocation): string | null {
  const { HOME: home, XDG_CONFIG_HOME: folder, GIT_CONFIG_GLOBAL: named } = environment;
  if (named !== undefined) return named;
  if (home === undefined || home === "") return null;
  const own = join(home, ".gitconfig");
  const shared = join(folder ?? join(home, ".config"), "git", "config");
  return isFile(own) || !isFile(shared) ? own : shared;
}

/** git also takes a key itself here (`key::ssh-ed25519 ...`); that is no file. */
function keyFile(value: string | null, { surroundings, folder }: Invocation): string | null {
  if (value === null || /^(?:key::|ssh-|ecdsa-|sk-)/.test(value)) return null;
  const home = surroundings.environment["HOME"] ?? "";
  const path = value.startsWith("~/") ? join(home, value.slice(2)) : resolve(folder, value);
  return isFile(path) || isFile(`${path}.pub`) ? path : null;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
