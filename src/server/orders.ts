/** What routes may ask of the service and order it to do, beside what the log alone answers. */

import type { AdmissionRequest, AdmissionVerdict } from "../admission/review.ts";
import { admissionVerdict } from "../admission/verdict.ts";
import { admitRequest } from "../gate/admission.ts";
import { adoptAgain, adoptTarget } from "../gate/adopt.ts";
import { releaseInEmergency } from "../gate/emergency.ts";
import { readHistory, type TargetHistory } from "../gate/history.ts";
import { changeHold } from "../gate/holding.ts";
import { type AdoptionReport, adoptionReport } from "../gate/json/adoption.ts";
import { checkReport } from "../gate/json/check.ts";
import { landedReport } from "../gate/json/landed.ts";
import { redactionReport } from "../gate/json/redaction.ts";
import { readJudgeWaivers, readSluiceConfiguration, targetYaml } from "../gate/judge.ts";
import { redactOpenLog } from "../gate/redacting.ts";
import { openReview, reviewEmergency } from "../gate/review.ts";
import { commitId } from "../git/object.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import type { HoldRequest } from "../release/holds.ts";
import { isHeld, readHolds } from "../release/holds.ts";
import { lastRelease } from "../release/record.ts";
import type { Room } from "./free-space.ts";
import { handingIn } from "./handing-in.ts";
import { rulesState } from "./rules.ts";
import type { Service } from "./service.ts";
import type {
  AdoptRequest,
  CheckRequest,
  Holding,
  Landings,
  LogView,
  MetricFacts,
  Readiness,
  ReleaseRequest,
  ServiceView,
  TargetState,
  WaiverState,
} from "./view.ts";

/** Hints are checked by whoever has their secrets. */
type Orders = Omit<ServiceView, keyof LogView | "hint">;

export function serviceOrders(service: Service): Orders {
  const { gate, judging } = service;
  return {
    targets: () => Promise.all(targetNames(service).map((target) => targetState(service, target))),
    rules: (target, asOf) => rulesState(gate, target, asOf),
    waivers: async (targets) => (await Promise.all(targets.map((target) => waiverStates(service, target)))).flat(),
    releaseFile: async (target, path) => (await gate.channels(target))[0]?.read(path) ?? null,
    check: (request) => check(service, request),
    hold: (request) => holding(service, "hold", request),
    resume: (request) => holding(service, "resume", request),
    release: (request) => release(service, request),
    review: (wish) => reviewEmergency(gate, wish),
    ...handingIn(service),
    adopt: (request) => adopt(service, request),
    redact: async (order) => {
      const done = await redactOpenLog(gate.log, order);
      return redactionReport(done, order.request, done.index);
    },
    admit: (request, signal) => admission(service, request, signal),
    readiness: async () => readiness(service),
    metrics: async () => metrics(service, judging.counts),
  };
}

function targetNames({ gate }: Service): readonly string[] {
  return Object.keys(gate.configuration.gate.targets).sort();
}

async function historyOf({ gate }: Service, target: string): Promise<TargetHistory | null> {
  try {
    return await readHistory(gate.log, target);
  } catch (thrown) {
    if (asSluiceError(thrown).code === "target-not-adopted") return null;
    throw thrown;
  }
}

async function targetState(service: Service, target: string): Promise<TargetState> {
  const { gate, facts, judging } = service;
  const { repository, branch } = gate.target(target);
  const history = await historyOf(service, target);
  const release = history?.latestRelease ?? null;
  const head = facts.head(target);
  const { sequence, commit, time } = release?.release ?? {};
  return {
    target,
    repository,
    branch,
    mode: history === null ? null : await modeOf(service, target, history),
    adopted: history !== null,
    released: sequence === undefined || commit === undefined || time === undefined ? null : { sequence, commit, time },
    head: head === null ? null : { issuedAt: head.issuedAt, notAfter: head.notAfter },
    hold: isHeld(await readHolds(gate.log), target, repository),
    review: await openReview(gate.log, target, gate.services.clock()),
    waiting: judging.waitingFor(target),
  };
}

/** null where the repository cannot be read now. */
async function modeOf({ gate }: Service, target: string, { judge }: TargetHistory): Promise<TargetState["mode"]> {
  try {
    const configuration = await readSluiceConfiguration(await gate.repository(target), judge);
    return targetYaml({ configuration }, target).mode;
  } catch (thrown) {
    if (thrown instanceof SluiceError) return null;
    throw thrown;
  }
}

async function waiverStates(service: Service, target: string): Promise<readonly WaiverState[]> {
  const history = await historyOf(service, target);
  if (history === null) return [];
  const waivers = await readJudgeWaivers(await service.gate.repository(target), history.judge);
  return waivers
    .filter((one) => one.target === target)
    .map(({ until: _, untilText, ...waiver }) => ({ ...waiver, until: untilText }));
}

async function check(service: Service, { repository, head, targets, by }: CheckRequest) {
  const { gate, judging } = service;
  refuseWithoutRoom(service.room());
  const all = targetNames(service).filter((target) => gate.target(target).repository === repository);
  const wanted = targets.length === 0 ? all : [...new Set(targets)].sort();
  if (all.length === 0) {
    throw new SluiceError(
      "target-unknown",
      `gate.yaml has no repository ${JSON.stringify(repository)} with a target.`,
      {
        fix: "--repository NAME, as gate.yaml calls it",
      },
    );
  }
  const unknown = wanted.find((target) => !all.includes(target));
  if (unknown !== undefined) {
    throw new SluiceError("target-unknown", `gate.yaml has no target ${unknown} of repository ${repository}.`, {
      fix: `leave --target out, and every target of ${repository} is judged`,
    });
  }
  const started = gate.services.clock();
  const asked = wanted.map((target) =>
    judging.proposal({
      target,
      place: `${target} ${by} ${head}`,
      head: commitId(head),
      author: by,
      isAgain: false,
      onlyIfOpen: false,
    }),
  );
  return checkReport(await Promise.all(asked), { total: gate.services.clock() - started });
}

async function holding(service: Service, kind: "hold" | "resume", request: HoldRequest): Promise<Holding> {
  const { index, targets } = await changeHold(service.gate, kind, request);
  service.reconsider(targets);
  return { index, targets };
}

async function release(service: Service, { target, by, emergency }: ReleaseRequest): Promise<Landings> {
  const { gate, judging } = service;
  await gate.repositories.refresh(gate.target(target).repository);
  const landed = await (emergency === undefined
    ? judging.landing(target, gate.services.clock())
    : judging.act(target, (watch) => releaseInEmergency(gate, { target, by, ...emergency }, watch)));
  const held = landed.at(-1)?.held ?? null;
  if (held !== null) throw held;
  const current = (await lastRelease(gate.log, target))?.release.sequence ?? null;
  return landedReport(landed, { target, current });
}

async function adopt(service: Service, { again, ...wish }: AdoptRequest): Promise<AdoptionReport> {
  const { gate, judging } = service;
  await gate.repositories.refresh(gate.target(wish.target).repository);
  const adoption = await judging.act(wish.target, () => (again ? adoptAgain : adoptTarget)(gate, wish));
  service.reconsider([wish.target]);
  return adoptionReport(wish.target, adoption, null);
}

/** By the target that gate.yaml names now. */
async function admission(service: Service, request: AdmissionRequest, signal: AbortSignal): Promise<AdmissionVerdict> {
  const { gate, facts } = service;
  const { admission: configured } = gate.configuration.gate;
  if (configured === undefined) throw new SluiceError("route-unknown", "gate.yaml names no target for admission.");
  const admitted = await admitRequest(gate, service.standing, configured.target, request, signal);
  facts.decided(admitted);
  return admissionVerdict(admitted.decision, admitted.record);
}

function refuseWithoutRoom(room: Room): void {
  if (room === "too-little") throw new SluiceError("disk-low", "The log's volume has no room left for more proposals.");
}

function readiness(service: Service): Readiness {
  const { gate, facts } = service;
  const room = service.room();
  const log = facts.logFailure;
  const isStopping = service.isStopping;
  const repositories = Object.keys(gate.configuration.gate.repositories).sort();
  return {
    ready: log === null && room !== "too-little" && !isStopping,
    facts: [
      { what: "service", code: isStopping ? "service-stopping" : null, message: isStopping ? "stopping" : "running" },
      { what: "log", code: log?.code ?? null, message: log?.message ?? "written" },
      { what: "disk", code: room === "too-little" || room === "little" ? "disk-low" : null, message: ROOM[room] },
      ...repositories.map((name) => {
        const failure = facts.pollFailure(name);
        return { what: `repository ${name}`, code: failure?.code ?? null, message: failure?.message ?? "fetched" };
      }),
    ],
  };
}

const ROOM: Readonly<Record<Room, string>> = {
  enough: "enough free space",
  little: "less than 1 GiB free",
  "too-little": "less than 100 MiB free: no proposal is taken",
  unknown: "free space is not known",
};

async function metrics(service: Service, queue: MetricFacts["queue"]): Promise<MetricFacts> {
  const { gate, facts } = service;
  const holds = await readHolds(gate.log);
  const targets = targetNames(service).map(async (target) => {
    const head = facts.head(target);
    return {
      target,
      sequence: head?.latestSequence ?? 0,
      held: isHeld(holds, target, gate.target(target).repository) !== null,
      review: (await openReview(gate.log, target, gate.services.clock()))?.state ?? null,
      headNotAfter: head === null ? null : Date.parse(head.notAfter),
    };
  });
  const { startedAt, polls, decisions, landingToRelease } = facts;
  const logSize = (await gate.log.checkpoint()).size;
  const room = { logSize, freeBytes: service.freeBytes() };
  return { startedAt, ...room, queue, polls, decisions, targets: await Promise.all(targets), landingToRelease };
}
