/** The only reader of the environment; no variable weakens a check. */
import { tmpdir, userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { Environment } from "./secret.ts";

export interface Surroundings {
  readonly environment: Environment;
  /** Where compiled policies are cached; the key that authenticates them lies elsewhere. */
  readonly cacheFolder: string;
  readonly cacheKeyFile: string;
  /** True on a CI runner: caches are off, because nobody there keeps their key. */
  readonly ci: boolean;
  /** What is remembered from one command to the next, and would weaken a check if it were lost without a word. */
  readonly stateFolder: string;
  readonly temporaryFolder: string;
  /** Login name of whoever runs the command; recorded, never trusted. */
  readonly operatingSystemUser: string;
  readonly colours: boolean;
  /** For `demo`: the command line to run instead of this one, null for this one. */
  readonly sluiceBinary: string | null;
}

export function readSurroundings(environment: Environment = process.env): Surroundings {
  const home = absolute(environment["HOME"]) ?? homeOfUser();
  const folder = (variable: string, below: string): string =>
    join(absolute(environment[variable]) ?? join(home, below), "sluice");
  return {
    environment,
    cacheFolder: folder("XDG_CACHE_HOME", ".cache"),
    cacheKeyFile: join(folder("XDG_CONFIG_HOME", ".config"), "cache.key"),
    ci: environment["CI"] !== undefined && environment["CI"] !== "" && environment["CI"] !== "false",
    stateFolder: folder("XDG_STATE_HOME", ".local/state"),
    temporaryFolder: resolve(tmpdir()),
    operatingSystemUser: userName(),
    colours: environment["NO_COLOR"] === undefined && environment["TERM"] !== "dumb",
    sluiceBinary: environment["SLUICE_BIN"] ?? null,
  };
}

/**
 * What is not absolute counts as not set, as the XDG specification says: from the folder of a judged repository it would
 * name caches, and the key that authenticates them, which whoever wrote that repository could have put there.
 */
function absolute(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null;
}

/** As the system knows it, whatever HOME says; a user without one has the root, where nothing is kept. */
function homeOfUser(): string {
  try {
    return absolute(userInfo().homedir) ?? "/";
  } catch {
    return "/";
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
