/** The sources of data from outside that gate.yaml declares: who may read which, and how long what was fetched counts. */
import { resolve } from "node:path";
import { readConfigurationFile } from "../config/configuration-file.ts";
import type { ExternalSource } from "../config/external-yaml.ts";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { type Environment, readSecret } from "../config/secret.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import { type Clock, formatTime, type Instant, parseDuration } from "../lib/time.ts";
import { type ExternalRecord, type ExternalSources, externalFailure, externalRecord } from "../policy/external.ts";
import { fetchSource } from "./external-fetch.ts";

interface Kept {
  readonly source: ExternalSource;
  readonly at: Instant;
  readonly record: Promise<ExternalRecord>;
}

/** @param configuration in force now: another gate.yaml forgets what was fetched for the one before */
export function openExternalSources(
  configuration: () => GateConfiguration,
  environment: Environment,
  clock: Clock,
): ExternalSources {
  const kept = new Map<string, Kept>();

  /** Who asks while it is being fetched waits for the same answer. A failure is not kept. */
  function fetched(name: string, source: ExternalSource, folder: string): Promise<ExternalRecord> {
    const now = clock();
    const before = kept.get(name);
    const age = now - (before?.at ?? 0);
    if (before?.source === source && age >= 0 && age < (parseDuration(source.fresh) ?? 0)) return before.record;
    const record = fetchRecord(name, source, folder, environment, now);
    const mine: Kept = { source, at: now, record };
    kept.set(name, mine);
    record.then(({ failure }) => {
      if (failure !== null && kept.get(name) === mine) kept.delete(name);
    });
    return record;
  }

  return {
    ask(target, names) {
      const { gate, folder } = configuration();
      const { external = {} } = gate;
      return Promise.all(
        names.map(async (name) => {
          const source = Object.hasOwn(external, name) ? external[name] : undefined;
          if (source?.targets.includes(target) === true) return fetched(name, source, folder);
          return externalFailure(name, formatTime(clock()), undeclared(name, target));
        }),
      );
    },
  };
}

function undeclared(name: string, target: string): SluiceError {
  return new SluiceError("external-undeclared", `gate.yaml declares no source ${name} for ${target}.`, {
    fix: `add ${name} under external in gate.yaml, with ${target} in its targets; or read it no more`,
  });
}

async function fetchRecord(
  name: string,
  { url, authority, credentials, deadline }: ExternalSource,
  folder: string,
  environment: Environment,
  now: Instant,
): Promise<ExternalRecord> {
  const at = formatTime(now);
  try {
    const text = await fetchSource({
      ...{ name, url, deadlineMs: parseDuration(deadline) ?? 0 },
      authority: authority === undefined ? null : readConfigurationFile(resolve(folder, authority), authority),
      token: credentials === undefined ? null : readSecret(credentials, folder, environment),
    });
    return externalRecord(name, at, text);
  } catch (thrown) {
    return externalFailure(name, at, asSluiceError(thrown));
  }
}
