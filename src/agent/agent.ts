/**
 * runOnce(): one turn of the pull reconciler. Nothing is applied unless everything was verified (invariant 4).
 *
 *    1 lock       one agent on this state folder            7 accept    remembered before anything is applied
 *    2 memory     what was seen; without it, a person       8 plan      compared with what stands there
 *    3 head       signed, of this target, not older         9 apply     one switch; prunes only what is ours
 *    4 log        continues every checkpoint seen          10 remember  the point from which a second run changes nothing
 *    5 may it?    fresh, not held, witnessed; else exit 4  11 report    signed, and sent again until it was written or taken
 *    6 release    signature, sequence, decision, objects
 *
 * A head that passed 3 and 4 is remembered even if 5 says wait: an older one is refused from then on.
 */
import { join, resolve } from "node:path";
import type { AgentConfiguration, AgentYaml } from "../config/agent-yaml.ts";
import type { Environment } from "../config/secret.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import { type Clock, formatTime } from "../lib/time.ts";
import { type NoteSigner, noteSigner } from "../log/note.ts";
import type { AppliedRecord, Applier, Inspection } from "../release/applier.ts";
import { openApplier } from "../release/appliers.ts";
import { openChannel } from "../release/channels.ts";
import { objectName } from "../release/object-file.ts";
import type { Head, ReleaseObject } from "../release/release.ts";
import { reportFile, signReport } from "../release/report.ts";
import type { GateAddress } from "../server/http/client.ts";
import { lockState } from "./lock.ts";
import { gateAddress, keepReport, sendReports } from "./outbox.ts";
import { type AgentOutcome, applied, drifted, outcomeOf, type Plan, unchanged } from "./outcome.ts";
import { type AgentState, makeStateFolder, readState, writeState } from "./state.ts";
import { type TrustRoot, trustRootOf } from "./trust-root.ts";
import { checkMayApply, checkWitnessed, readHead, readLog, readRelease, type VerifiedRelease } from "./verify.ts";

export interface AgentRun {
  readonly configuration: AgentConfiguration;
  /** Text of the agent's signing key, as `readSecret()` gives it. */
  readonly key: string;
  /** Where a secret that `report:` names may lie. */
  readonly environment: Environment;
  readonly clock: Clock;
}

/** Never throws: whatever goes wrong is an outcome with a code, and then nothing new was applied or the next run completes it. */
export async function runOnce(run: AgentRun): Promise<AgentOutcome> {
  try {
    const setup = await open(run);
    const unlock = lockState(setup.stateFolder); //                                                                 1
    try {
      return await reconcile(setup, run.clock);
    } finally {
      unlock();
    }
  } catch (thrown) {
    return outcomeOf(thrown);
  }
}

interface Setup {
  readonly root: TrustRoot;
  readonly minimumGiven: boolean;
  readonly signer: NoteSigner;
  readonly applier: Applier;
  readonly channel: Awaited<ReturnType<typeof openChannel>>;
  readonly stateFolder: string;
  /** null where no reports are asked for. */
  readonly reports: Reports | null;
}

interface Reports {
  readonly folder: string;
  readonly fileMode: number;
  /** null where the gate reads the folder itself. */
  readonly gate: (() => GateAddress) | null;
}

/** @throws SluiceError `not-supported`, `note-key-invalid`, `agent-key-name` */
async function open({ configuration: { agent, folder }, key, environment }: AgentRun): Promise<Setup> {
  const signer = noteSigner(key);
  if (signer.name !== agent.name) {
    throw new SluiceError("agent-key-name", `The agent is named ${agent.name}, its key ${signer.name}.`);
  }
  const stateFolder = resolve(folder, agent.state);
  await makeStateFolder(stateFolder);
  return {
    root: trustRootOf(agent),
    minimumGiven: agent.minimumSequence !== undefined,
    signer,
    applier: await openApplier(absolute(agent.apply, folder)),
    channel: await openChannel(absolute(agent.channel, folder)),
    stateFolder,
    reports: agent.report === undefined ? null : reportsOf(agent.report, { folder, stateFolder, environment }),
  };
}

interface Surroundings {
  readonly folder: string;
  readonly stateFolder: string;
  readonly environment: Environment;
}

function reportsOf(report: NonNullable<AgentYaml["report"]>, around: Surroundings): Reports {
  const { folder, stateFolder, environment } = around;
  if ("directory" in report) return { folder: resolve(folder, report.directory), fileMode: 0o644, gate: null };
  const gate = (): GateAddress => gateAddress(report, folder, environment);
  return { folder: join(stateFolder, "outbox"), fileMode: 0o600, gate };
}

function absolute(configured: Readonly<Record<string, unknown>>, folder: string): Readonly<Record<string, unknown>> {
  const paths = Object.entries(configured).map(([kind, path]) => [
    kind,
    typeof path === "string" ? resolve(folder, path) : path,
  ]);
  return Object.fromEntries(paths);
}

async function reconcile(setup: Setup, clock: Clock): Promise<AgentOutcome> {
  const { root, channel, applier, stateFolder } = setup;
  const inspection = await applier.inspect();
  const before = await recall(setup, inspection); //                                                                2
  const head = await readHead(channel, root, before); //                                                            3
  const log = await readLog(channel, root, head, before); //                                                        4
  let state = remembering(root, before, head);
  await writeState(stateFolder, state);
  checkMayApply(head, clock()); //                                                                                  5
  checkWitnessed(root, log);
  if (head.latestSequence === 0 && state.accepted === null) return unchanged(`${root.target} has no release yet.`);

  const verified = await readRelease(channel, root, head, log, state); //                                           6
  const { sequence } = verified.release;
  const facts = { sequence, manifestDigest: verified.manifestDigest, drift: inspection.drift };
  state = { ...state, accepted: acceptedOf(verified) };
  await writeState(stateFolder, state); //                                                                          7
  const plan = planOf(inspection.record?.objects ?? [], verified.release.objects); //                               8
  const stands = state.applied === sequence && inspection.record?.manifestDigest === verified.manifestDigest;
  if (!stands) {
    checkMayApply(head, clock()); // reading may have taken long; the head must be fresh at the switch
    await applyRelease(applier, recordOf(root, verified), verified); //                                             9
    state = { ...state, applied: sequence };
    await writeState(stateFolder, state); //                                                                       10
  }
  await report(setup, verified, head, state, clock); //                                                            11
  if (!stands) return applied(`${root.target} is release ${sequence} now.`, { ...facts, plan });
  if (inspection.drift.length === 0)
    return unchanged(`${root.target} is release ${sequence} already.`, { ...facts, plan });
  const files = inspection.drift.map(({ file, how }) => `${objectName(file)} (${how})`).join(", ");
  return drifted(`${root.target} is release ${sequence}, but this is not as it was applied: ${files}.`, {
    ...facts,
    plan,
  });
}

/**
 * The agent's memory, or null on a first run. `minimumSequence` is a person's answer to "from which release on?", given
 * once with a new agent. What was applied carries a marker (AppliedRecord) in the folder it was applied to, apart from
 * the state: with a marker and no state the memory was lost, and the old answer no longer counts. A person has to look
 * which release runs and give a new, higher one. An agent whose state and objects are both gone is a new agent.
 */
async function recall({ root, stateFolder, minimumGiven }: Setup, { record }: Inspection): Promise<AgentState | null> {
  const state = await readState(stateFolder);
  if (record !== null && record.target !== root.target) {
    throw new SluiceError("apply-other-target", `The folder holds release ${record.sequence} of ${record.target}.`);
  }
  if (state !== null) {
    if (state.target === root.target && state.origin === root.origin) return state;
    throw new SluiceError("agent-state-other", `The state folder is that of ${state.target} under ${state.origin}.`);
  }
  const needed = record === null ? 0 : Math.max(record.sequence, record.minimumSequence + 1);
  if (minimumGiven && root.minimumSequence >= needed) return null;
  throw new SluiceError("agent-state-missing", `${stateFolder} has no memory of what was applied before.`, {
    fix: `look which release must run at least, then set minimumSequence: ${Math.max(needed, 1)} or more in agent.yaml`,
  });
}

function remembering(root: TrustRoot, before: AgentState | null, head: Head): AgentState {
  const { target, origin } = root;
  const rest = before ?? { v: 1, target, origin, accepted: null, applied: 0, reported: 0 };
  return { ...rest, headIssuedAt: head.issuedAt, checkpoint: head.checkpoint };
}

function acceptedOf({ release, manifestDigest }: VerifiedRelease): AgentState["accepted"] {
  return { sequence: release.sequence, manifestDigest, decisionIndex: release.decision.index };
}

function recordOf(root: TrustRoot, { release, manifestDigest }: VerifiedRelease): AppliedRecord {
  const { target, sequence, objects } = release;
  return { v: 1, target, sequence, manifestDigest, minimumSequence: root.minimumSequence, objects };
}

function planOf(before: readonly ReleaseObject[], after: readonly ReleaseObject[]): Plan {
  const old = new Map(before.map((object) => [object.file, object.sha256]));
  const files = (wanted: (object: ReleaseObject) => boolean): string[] =>
    after.filter(wanted).map((object) => object.file);
  const kept = new Set(after.map((object) => object.file));
  return {
    create: files(({ file }) => !old.has(file)),
    update: files(({ file, sha256 }) => old.has(file) && old.get(file) !== sha256),
    delete: before.filter(({ file }) => !kept.has(file)).map((object) => object.file),
    unchanged: files(({ file, sha256 }) => old.get(file) === sha256),
  };
}

async function applyRelease(applier: Applier, record: AppliedRecord, { objects }: VerifiedRelease): Promise<void> {
  try {
    await applier.apply(record, objects);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    throw new SluiceError("apply-failed", `Release ${record.sequence} could not be put in place.`, { cause });
  }
}

/** A report that could not be written or sent does not undo what was applied; the next run sends it again. */
async function report(
  setup: Setup,
  verified: VerifiedRelease,
  head: Head,
  state: AgentState,
  clock: Clock,
): Promise<void> {
  const { reports } = setup;
  if (reports === null) return;
  if (state.reported < verified.release.sequence) await writeReport(setup, reports, verified, head, state, clock);
  if (reports.gate === null) return;
  try {
    await sendReports(reports.folder, verified.release.target, reports.gate);
  } catch (thrown) {
    const { code } = asSluiceError(thrown); // its words may be the gate's, its cause may hold an address
    const message = `Release ${verified.release.sequence} is in place, but its report was not taken by the gate (${code}).`;
    throw new SluiceError("report-failed", message, { cause: thrown });
  }
}

async function writeReport(
  setup: Setup,
  { folder, fileMode }: Reports,
  verified: VerifiedRelease,
  head: Head,
  state: AgentState,
  clock: Clock,
): Promise<void> {
  const { sequence, target } = verified.release;
  const { name: agent } = setup.signer;
  const { manifestDigest } = verified;
  const { checkpoint } = head;
  const at = formatTime(clock());
  const note = signReport(
    { v: 1, agent, target, sequence, manifestDigest, result: "applied", at, checkpoint },
    setup.signer,
  );
  try {
    await keepReport(folder, reportFile(agent, sequence), note, fileMode);
  } catch (thrown) {
    const message = `Release ${sequence} is in place, but its report could not be written.`;
    throw new SluiceError("report-failed", message, { cause: asSluiceError(thrown) });
  }
  await writeState(setup.stateFolder, { ...state, reported: sequence });
}
