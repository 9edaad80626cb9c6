/** `doctor`, third part: a gate by its gate.yaml. The log is opened for reading only, and nothing is made. */
import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { GateConfiguration, GateTarget } from "../config/gate-yaml.ts";
import type { Environment } from "../config/secret.ts";
import { openExternalSources } from "../gate/external.ts";
import { openReview } from "../gate/review.ts";
import { dataFolder, openGateLog } from "../gate/wiring.ts";
import { isCode } from "../lib/codes.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import { type Clock, formatTime } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { examineGate, grouped } from "./configuration-files.ts";
import { diskRemark, isWritable } from "./doctor-machine.ts";
import { serviceRemarks } from "./doctor-service.ts";
import { examine, failed, failure, fine, type Remark, warning } from "./remark.ts";
import { reviewCommand, reviewOwed } from "./reports/review.ts";

const GROUP = "gate";
/** How far ahead of this clock an entry may stand. */
const CLOCK_SKEW_MS = 60_000;

export interface GateLook {
  readonly remarks: readonly Remark[];
  readonly revokedKeys: readonly string[];
}

export async function examineGateHere(path: string, environment: Environment, clock: Clock): Promise<GateLook> {
  const { value, remarks } = await examineGate(path, environment, clock);
  if (value === null) return { remarks: grouped(GROUP, remarks), revokedKeys: [] };
  const { gate, folder } = value;
  const targets = Object.entries(gate.targets);
  const data = dataFolder(value);
  const places = targets.flatMap(([name, target]) => placeRemarks(name, target, folder));
  const more = [
    ...(await logRemarks(
      value,
      targets.map(([name]) => name),
      clock,
      path,
    )),
    anchorRemark(value, data),
    diskRemark(GROUP, "data folder", data),
    ...serviceRemarks(GROUP, data, path, clock()),
    ...places,
    ...(await sourceRemarks(value, environment, clock)),
  ];
  return { remarks: [...grouped(GROUP, remarks), ...more], revokedKeys: gate.revoked };
}

async function logRemarks(
  configuration: GateConfiguration,
  targets: readonly string[],
  clock: Clock,
  path: string,
): Promise<readonly Remark[]> {
  let log: DecisionLog;
  try {
    log = await openGateLog(configuration);
  } catch (thrown) {
    const error = asSluiceError(thrown);
    const isNew = error.code === "log-missing";
    const adopt = `sluice adopt ${targets[0]} --config ${path} --reason TEXT`;
    return [
      isNew
        ? warning(GROUP, "log", "There is no log yet; it begins with the first adoption.", adopt)
        : failed(GROUP, "log", error),
    ];
  }
  try {
    return [
      await examine(GROUP, "log", () => logRemark(log, clock)),
      ...(await Promise.all(targets.map((target) => adoptionRemark(log, target, path)))),
      ...(await Promise.all(targets.map((target) => reviewRemarks(log, target, clock, path)))).flat(),
    ];
  } finally {
    await log.close();
  }
}

async function logRemark(log: DecisionLog, clock: Clock): Promise<Remark | string> {
  const { size } = await log.checkpoint();
  if (size === 0) return `${log.origin}, empty`;
  const { time } = (await log.read(size - 1)).leaf;
  if (Date.parse(time) <= clock() + CLOCK_SKEW_MS) return `${log.origin}, ${size} entries, newest ${time}`;
  const sentence = `The newest entry is of ${time}; this clock shows ${formatTime(clock())}.`;
  return failure(GROUP, "log", sentence, "timedatectl set-ntp true");
}

function adoptionRemark(log: DecisionLog, target: string, path: string): Promise<Remark> {
  return examine(GROUP, target, async () => {
    const genesis = await log.latest(target, ["genesis"]);
    if (genesis !== null) return `adopted on ${genesis.leaf.time.slice(0, 10)}`;
    throw new SluiceError(
      "target-not-adopted",
      `${target} has no first approved state, so nothing of it is released.`,
      {
        fix: `sluice adopt ${target} --config ${path} --reason TEXT`,
      },
    );
  });
}

/** None where nobody owes a review; one that is overdue fails. */
async function reviewRemarks(log: DecisionLog, target: string, clock: Clock, path: string): Promise<readonly Remark[]> {
  const what = `review of ${target}`;
  try {
    const open = await openReview(log, target, clock());
    if (open === null) return [];
    const sentence = `In log ${open.entry} ${reviewOwed(open)}.`;
    const fix = `${reviewCommand(open.entry)} --token-file FILE --config ${path}`;
    return [open.state === "due" ? warning(GROUP, what, sentence, fix) : failure(GROUP, what, sentence, fix)];
  } catch (thrown) {
    return [failed(GROUP, what, asSluiceError(thrown))];
  }
}

function anchorRemark({ gate, folder }: GateConfiguration, data: string): Remark {
  const { anchor } = gate.log;
  if (anchor === undefined) {
    const { witnesses } = gate.log;
    const isReported = Object.values(gate.targets).some(
      ({ reports, agents }) => reports !== undefined && agents.length > 0,
    );
    const others = [...(witnesses.length > 0 ? ["witnesses"] : []), ...(isReported ? ["agents' reports"] : [])];
    if (others.length > 0)
      return fine(GROUP, "anchor", `none; ${others.join(" and ")} tell a log that was rolled back`);
    const sentence = "No anchor is configured: a log that is rolled back as a whole would not be noticed here.";
    return warning(GROUP, "anchor", sentence, "log: {anchor: FILE-ON-ANOTHER-VOLUME} in gate.yaml");
  }
  const place = dirname(resolve(folder, anchor));
  if (!existsSync(place)) return failure(GROUP, "anchor", `${place} does not exist.`, `mkdir -p ${place}`);
  if (!isWritable(place)) return failure(GROUP, "anchor", `${place} cannot be written to.`, `ls -ld ${place}`);
  if (existsSync(data) && statSync(data).dev === statSync(place).dev) {
    const sentence = "The anchor lies on the same volume as the log, and would be lost or restored with it.";
    return warning(GROUP, "anchor", sentence, "name a file on another volume in gate.yaml");
  }
  return fine(GROUP, "anchor", anchor);
}

/** Each is asked as a decision would ask it. */
function sourceRemarks(
  configuration: GateConfiguration,
  environment: Environment,
  clock: Clock,
): Promise<readonly Remark[]> {
  const sources = openExternalSources(() => configuration, environment, clock);
  const declared = Object.entries(configuration.gate.external ?? {});
  return Promise.all(
    declared.map(async ([name, { targets }]) => {
      const what = `source ${name}`;
      const [record] = await sources.ask(targets[0] ?? "", [name]);
      const { failure: why = null, text = null } = record ?? {};
      if (why === null) return fine(GROUP, what, `answers ${Buffer.byteLength(text ?? "")} bytes of JSON`);
      return failed(GROUP, what, new SluiceError(isCode(why.code) ? why.code : "internal", why.message, why));
    }),
  );
}

/** Channels are made at the first release; what is there must be writable. */
function placeRemarks(name: string, target: GateTarget, folder: string): readonly Remark[] {
  const channels = target.channels.flatMap((channel) => ("directory" in channel ? [channel.directory] : []));
  const written = channels.map((path) => ({ what: `channel of ${name}`, path: resolve(folder, path) }));
  const remarks = written.map(({ what, path }) => folderRemark(what, path));
  return target.reports === undefined
    ? remarks
    : [...remarks, folderRemark(`reports of ${name}`, resolve(folder, target.reports))];
}

function folderRemark(what: string, path: string): Remark {
  if (!existsSync(path)) return warning(GROUP, what, `${path} does not exist yet.`, `mkdir -p ${path}`);
  if (isWritable(path)) return fine(GROUP, what, path);
  return failure(GROUP, what, `${path} cannot be read and written.`, `ls -ld ${path}`);
}
