/** The only reader of the environment; no variable weakens a check. */
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
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
  const home = environment["HOME"] ?? homedir();
  return {
    environment,
    cacheFolder: join(environment["XDG_CACHE_HOME"] ?? join(home, ".cache"), "sluice"),
    cacheKeyFile: join(environment["XDG_CONFIG_HOME"] ?? join(home, ".config"), "sluice", "cache.key"),
    ci: environment["CI"] !== undefined && environment["CI"] !== "" && environment["CI"] !== "false",
    stateFolder: join(environment["XDG_STATE_HOME"] ?? join(home, ".local/state"), "sluice"),
    temporaryFolder: tmpdir(),
    operatingSystemUser: userName(),
    colours: environment["NO_COLOR"] === undefined && environment["TERM"] !== "dumb",
    sluiceBinary: environment["SLUICE_BIN"] ?? null,
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
