/** The composition root: the only place that makes the things which everything else is given. */
import { join, resolve } from "node:path";
import type { Surroundings } from "../config/environment.ts";
import type { GateConfiguration, GateTarget } from "../config/gate-yaml.ts";
import { logKey, readSecret, releaseKey } from "../config/secret.ts";
import { dataFolderOf, placeOfLog, storeOf } from "../config/store-yaml.ts";
import type { GateRepository } from "../git/gate.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseDuration } from "../lib/time.ts";
import { openTurns, type Turns } from "../lib/turns.ts";
import { checkContains } from "../log/contains.ts";
import { cosignatureVerifier } from "../log/cosignature.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { makeFolderSync } from "../log/durable.ts";
import { type NoteSigner, type NoteVerifier, noteSigner, noteVerifier } from "../log/note.ts";
import { type LogPlace, openLog, openLogReader } from "../log/stores.ts";
import { openWitnesses, type Witnesses } from "../log/witness/client.ts";
import { processCompiledCache } from "../policy/compiled-cache.ts";
import { givenSources, notRecorded } from "../policy/external.ts";
import { openChannel } from "../release/channels.ts";
import { type ObjectStore, openObjectStore } from "../release/object-store.ts";
import type { Channel } from "../release/release.ts";
import { seenByAgents } from "../release/report.ts";
import { type Activations, openActivations } from "./activation.ts";
import { loggedLandings, NO_LANDINGS } from "./carrying.ts";
import { openExternalSources } from "./external.ts";
import { type Histories, openHistories } from "./histories.ts";
import { type Means, type OpenServices, openServices } from "./judge-wiring.ts";
import { logMasks } from "./log-masks.ts";
import { loggedApprovals } from "./logged-approvals.ts";
import { loggedReceipts, receivedNow } from "./receipts.ts";
import type { Replayer } from "./replay.ts";
import { openRepositories, type Repositories } from "./repositories.ts";

/** Policy sets that a replayer holds compiled: decisions come in order, so mostly one is asked for again and again. */
const REPLAYED_SETS = 8;

/** A gate opened by its gate.yaml: the authority that logs and releases. */
export interface Gate {
  readonly configuration: GateConfiguration;
  readonly log: DecisionLog;
  readonly releaseSigner: NoteSigner;
  readonly witnesses: Witnesses;
  readonly objects: ObjectStore;
  readonly services: OpenServices;
  readonly histories: Histories;
  readonly activations: Activations;
  target(name: string): GateTarget;
  /** The repository of a target, fetched at least once. @throws `fetch-failed` */
  repository(target: string): Promise<GateRepository>;
  readonly repositories: Repositories;
  /** By target: who publishes a head waits for whoever did before, so that an older one never follows a newer one. */
  readonly turns: Turns;
  channels(target: string): Promise<readonly Channel[]>;
  /**
   * Puts another gate.yaml in force; nobody may be judging meanwhile. The log and the keys stay what they are.
   * @throws SluiceError `restart-needed` where it names other ones: then nothing has changed
   */
  reconfigure(next: GateConfiguration): Promise<void>;
  close(): Promise<void>;
}

/** @throws SluiceError `log-busy` and the log's other refusals, `secret-missing`, `gate-configuration-invalid` */
export async function openGate(configuration: GateConfiguration, means: Means): Promise<Gate> {
  const { gate, folder } = configuration;
  const keys = readKeys(configuration, means.surroundings);
  const { logKey, releaseKey } = keys;
  const standsOn = foundations(configuration, keys);
  const data = dataFolder(configuration);
  makeFolderSync(data);
  const { clock, random } = means;
  const anchor = gate.log.anchor === undefined ? null : resolve(folder, gate.log.anchor);
  const log = await openLog({
    ...logPlace(configuration),
    origin: gate.log.origin,
    key: logKey,
    anchor,
    masks: await logMasks(configuration),
    clock,
    random,
  });
  const witnesses = await openWitnessed(log, configuration, logKey, means.onWitnessFailure);
  let current = configuration;
  const external = openExternalSources(() => current, means.surroundings.environment, clock);
  const services = openServices(means, { ...memoryOf(log, clock), external }, data);
  const repositories = openRepositories(() => current, data);
  const target = (name: string): GateTarget => gateTarget(current, name);
  const repository = (name: string) => repositories.ready(target(name).repository);
  return {
    get configuration() {
      return current;
    },
    log,
    releaseSigner: noteSigner(releaseKey),
    witnesses,
    objects: await openObjectStore(join(data, "objects")),
    services,
    histories: openHistories(log),
    activations: openActivations({ log, services, configuration: () => current, target, repository }),
    target,
    repository,
    repositories,
    turns: openTurns(),
    channels: (name) =>
      Promise.all(target(name).channels.map((channel) => openChannel(absoluteChannel(channel, current.folder)))),
    reconfigure: async (next) => {
      if (foundations(next, readKeys(next, means.surroundings)) !== standsOn) throw restartNeeded();
      await repositories.keepOnly(next);
      current = next;
    },
    close: async () => {
      await repositories.close();
      await services.close();
      await log.close();
    },
  };
}

/** Agents say under which checkpoint they applied: the log must contain it. @throws `log-rolled-back`, `log-forked` */
async function checkReported(
  log: DecisionLog,
  { gate, folder }: Pick<GateConfiguration, "gate" | "folder">,
  logKeys: readonly NoteVerifier[],
): Promise<void> {
  for (const { agents, reports } of Object.values(gate.targets)) {
    if (reports === undefined) continue;
    const seen = await seenByAgents(resolve(folder, reports), agents.map(noteVerifier), log.origin, logKeys);
    for (const { agent, checkpoint } of seen) await checkContains(log, checkpoint, `The agent ${agent}`);
  }
}

/** Nothing is signed on a log of which a witness or an agent has seen more, or other. @throws `log-rolled-back`, `log-forked` */
async function openWitnessed(
  log: DecisionLog,
  { gate, folder }: Pick<GateConfiguration, "gate" | "folder">,
  logKey: string,
  onFailure: Means["onWitnessFailure"],
): Promise<Witnesses> {
  try {
    const addresses = gate.log.witnesses.map(({ url, key, deadline }) => ({
      url: url.replace(/\/$/, ""),
      verifier: cosignatureVerifier(key),
      deadlineMs: parseDuration(deadline) ?? 0,
    }));
    const options = { log, logKeys: noteSigner(logKey).vkeys.map(noteVerifier), addresses };
    const witnesses = openWitnesses({ ...options, ...(onFailure === undefined ? {} : { onFailure }) });
    await witnesses.checkContinues();
    await checkReported(log, { gate, folder }, options.logKeys);
    return witnesses;
  } catch (cause) {
    await log.close();
    throw cause;
  }
}

function memoryOf(log: DecisionLog, clock: Means["clock"]) {
  return {
    receipts: loggedReceipts(log, clock),
    landings: loggedLandings(log),
    approvals: loggedApprovals(log, clock),
  };
}

/** For judging again what the log holds: reads beside a running gate, remembers nothing, writes nothing. */
export async function openReplayer(
  configuration: GateConfiguration,
  means: Means,
): Promise<Replayer & { close(): Promise<void> }> {
  const log = await openGateLog(configuration);
  const data = dataFolder(configuration);
  const repositories = openRepositories(() => configuration, data);
  const forgetful = { ...means, surroundings: { ...means.surroundings, ci: true } };
  const external = givenSources(means.external ?? [], notRecorded);
  const memory = { receipts: receivedNow(means.clock), landings: NO_LANDINGS, external };
  const services = openServices(forgetful, memory, data);
  return {
    log,
    services: { ...services, compiledCache: processCompiledCache(REPLAYED_SETS) },
    repository: (name) => repositories.kept(gateTarget(configuration, name).repository),
    target: (name) => {
      const { repository: repositoryName, branch, minimum } = gateTarget(configuration, name);
      return { repositoryName, branch, minimum, revokedKeys: configuration.gate.revoked };
    },
    close: async () => {
      await repositories.close();
      await services.close();
      await log.close();
    },
  };
}

interface GateKeys {
  readonly logKey: string;
  readonly releaseKey: string;
}

function readKeys({ gate, folder }: GateConfiguration, { environment }: Surroundings): GateKeys {
  const { origin } = gate.log;
  const ofLog = readSecret(gate.log.key, folder, environment, logKey(origin));
  const ofReleases = readSecret(gate.release.key, folder, environment, releaseKey(origin));
  const released = secretParts(ofReleases);
  if (!secretParts(ofLog).some((part) => released.includes(part))) return { logKey: ofLog, releaseKey: ofReleases };
  throw new SluiceError("gate-configuration-invalid", "The log and the releases are signed with the same key.", {
    fix: "sluice keygen release --name NAME --out release.key",
  });
}

/** What an open gate stands on, for comparison only: where the log is, what it is called, and who signs. */
function foundations(configuration: GateConfiguration, { logKey, releaseKey }: GateKeys): string {
  const { origin, anchor = null, witnesses, masks } = configuration.gate.log;
  const store = absoluteStore(configuration);
  return sha256Hex(JSON.stringify([store, origin, anchor, witnesses, masks, logKey, releaseKey]));
}

function restartNeeded(): SluiceError {
  return new SluiceError(
    "restart-needed",
    "The new gate.yaml names another log, other masks, other witnesses or other keys.",
    {
      fix: "stop the service and start it again",
    },
  );
}

/** One secret under two names is still one key: `PRIVATE+KEY+name+hash+secret`. */
function secretParts(keys: string): readonly string[] {
  return keys.split("\n").map((key) => key.trim().split("+").slice(4).join("+"));
}

/** For commands that only read the log; needs no key. */
export function openGateLog(configuration: GateConfiguration): Promise<DecisionLog> {
  return openLogReader({ ...logPlace(configuration), origin: configuration.gate.log.origin });
}

/** @throws SluiceError `target-unknown` */
function gateTarget({ gate }: GateConfiguration, name: string): GateTarget {
  const one = Object.hasOwn(gate.targets, name) ? gate.targets[name] : undefined;
  if (one !== undefined) return one;
  const known = Object.keys(gate.targets).join(", ");
  throw new SluiceError("target-unknown", `gate.yaml has no target ${name}; it names ${known}.`, {
    fix: "name one of them",
  });
}

/** Where a database in a file lies; the gate's git stores and object bytes lie beside it. */
export function dataFolder({ gate, folder }: GateConfiguration): string {
  return dataFolderOf(gate.log, folder);
}

/** The store with its whole path: what tells one log from another. */
export function absoluteStore({ gate, folder }: GateConfiguration): string {
  return storeOf(gate.log, folder);
}

/** How the log is reached. @throws SluiceError `secret-missing`, `secret-readable-by-others` */
export function logPlace({ gate, folder }: GateConfiguration): LogPlace {
  return placeOfLog(gate.log, folder);
}

function absoluteChannel(channel: GateTarget["channels"][number], folder: string): Readonly<Record<string, unknown>> {
  return "directory" in channel ? { directory: resolve(folder, channel.directory) } : channel;
}
