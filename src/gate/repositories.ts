/** The gate's own copies of the repositories that gate.yaml names: opened when first asked for, fetched when told. */
import { join, resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { type GateRepository, openGateRepository } from "../git/gate.ts";
import { SluiceError } from "../lib/errors.ts";

export interface Repositories {
  /** Opened and fetched once; what fails is tried again at the next call. @throws `fetch-failed`, `url-refused`, … */
  ready(name: string): Promise<GateRepository>;
  /** Opened as it lies here, nothing fetched. @throws as ready(), but for the fetch */
  kept(name: string): Promise<GateRepository>;
  /** Opened, and fetched anew; answers the configured branches that are gone. @throws as ready() */
  refresh(name: string): Promise<readonly string[]>;
  /** Ends every fetch that runs, and lets none begin. */
  interrupt(): Promise<void>;
  /** Closes those which `next` names no longer, or otherwise. Nobody may be using them. */
  keepOnly(next: GateConfiguration): Promise<void>;
  close(): Promise<void>;
}

interface Opened {
  /** What the repository was opened with: another plan opens it anew. */
  readonly plan: string;
  readonly repository: Promise<GateRepository>;
  fetched: Promise<readonly string[]> | null;
}

const WITH_SCHEME = /^(?:[a-z][a-z0-9+.-]*:\/\/|[^/]+@[^/:]+:)/;

/** `data` is the folder below which the copies lie; `configuration` says what is in force when it is asked. */
export function openRepositories(configuration: () => GateConfiguration, data: string): Repositories {
  const opened = new Map<string, Opened>();

  function open(name: string): Opened {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const plan = planOf(configuration(), name);
    const repository = openGateRepository({ ...plan, folder: join(data, "git", name) });
    const one: Opened = { plan: JSON.stringify(plan), repository, fetched: null };
    opened.set(name, one);
    repository.catch(() => forget(name, one));
    return one;
  }

  function forget(name: string, one: Opened): void {
    if (opened.get(name) === one) opened.delete(name);
  }

  async function shut(name: string, one: Opened): Promise<void> {
    forget(name, one);
    const repository = await one.repository.catch(() => null);
    await repository?.close();
  }

  /** A branch that is gone concerns whoever resolves it; the others are here. */
  function fetchInto(one: Opened): Promise<readonly string[]> {
    const fetched = one.repository.then((repository) => repository.fetchPresent());
    one.fetched = fetched;
    fetched.catch(() => {
      if (one.fetched === fetched) one.fetched = null;
    });
    return fetched;
  }

  return {
    async ready(name) {
      const one = open(name);
      await (one.fetched ?? fetchInto(one));
      return one.repository;
    },
    kept: (name) => open(name).repository,
    refresh: async (name) => fetchInto(open(name)),
    async interrupt() {
      for (const one of opened.values()) (await one.repository.catch(() => null))?.interrupt();
    },
    async keepOnly(next) {
      for (const [name, one] of opened) {
        const isSame = next.gate.repositories[name] !== undefined && JSON.stringify(planOf(next, name)) === one.plan;
        if (!isSame) await shut(name, one);
      }
    },
    async close() {
      for (const [name, one] of opened) await shut(name, one);
    },
  };
}

interface Plan {
  readonly url: string;
  readonly branches: readonly string[];
  readonly extraRefs: readonly string[];
}

function planOf({ gate, folder }: GateConfiguration, name: string): Plan {
  const configured = gate.repositories[name];
  if (configured === undefined)
    throw new SluiceError("gate-configuration-invalid", `gate.yaml has no repository ${name}.`);
  if (configured.credentials !== undefined) {
    throw new SluiceError("not-supported", `Repository ${name} has credentials, which are not there yet.`, {
      fix: "use an ssh URL and the operator's ssh agent",
    });
  }
  const branches = Object.values(gate.targets)
    .filter((one) => one.repository === name)
    .map((one) => one.branch);
  return {
    url: WITH_SCHEME.test(configured.url) ? configured.url : resolve(folder, configured.url),
    branches: [...new Set(branches)].sort(),
    extraRefs: configured.proposals,
  };
}
