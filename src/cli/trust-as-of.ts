/** `trust as-of`: people, keys and roles as they were, from the log's own entries and the commits that these name. */
import { join, resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { type InForce, inForce } from "../gate/in-force.ts";
import { readJudgeTrust } from "../gate/judge.ts";
import { dataFolder, openGateLog } from "../gate/wiring.ts";
import type { CommitId } from "../git/object.ts";
import { openPreviewRepository } from "../git/preview.ts";
import { findRepository } from "../git/source.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import type { Trust } from "../signature/trust.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { oneTarget } from "./one-target.ts";
import { CONFIG_OPTION, gateConfiguration } from "./opening.ts";
import type { TrustAsOfReport } from "./reports/schemas/people.ts";
import { listAuthorities } from "./trust-authorities.ts";
import { ownersText } from "./trust-list.ts";
import { listOwners } from "./trust-view.ts";

const PAGE = 100;

export const trustAsOf: Command = {
  name: "trust as-of",
  summary: "show people, keys and roles as they were",
  usage: ["trust as-of DATE --config gate.yaml [--target T] [--repo DIR]"],
  options: {
    config: CONFIG_OPTION,
    target: { type: "string", value: "T", description: "the target (default: the only one)" },
    repo: { type: "string", value: "DIR", description: "a clone with the commit (default: the gate's own copy)" },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "shown"],
    [1, "the log no longer says what was in force, or says otherwise"],
  ],
  example:
    "sluice trust as-of 2026-08-31 --config gate.yaml --target prod\nshows who could sign and approve then, and the log entry it rests on",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const configuration = await gateConfiguration(invocation);
  const at = givenInstant(invocation);
  const target = oneTarget(Object.keys(configuration.gate.targets), textOption(invocation, "target"), "gate.yaml");
  const log = await openGateLog(configuration);
  try {
    const force = await inForce(log, target, at);
    const trust = await trustOf(force.commit, target, configuration, invocation);
    const report = toReport(target, at, force, trust, await recordedDigest(log, target, force, trust));
    answer(invocation, report, () => text(report));
    return report.exitCode;
  } finally {
    await log.close();
  }
}

function givenInstant({ positionals, clock }: Invocation): Instant {
  const [given = ""] = positionals;
  const instant = parseTime(given);
  if (instant !== null && instant <= clock()) return instant;
  const why = instant === null ? "is not a time" : "has not come yet";
  throw new SluiceError("usage", `${JSON.stringify(given)} ${why}.`, {
    fix: "sluice trust as-of 2026-01-31 (its first instant, UTC), or 2026-01-31T10:00:00Z",
  });
}

/** Whoever's copy it is: each object is hashed again, and the log names the commit. */
async function trustOf(
  commit: CommitId,
  target: string,
  configuration: GateConfiguration,
  invocation: Invocation,
): Promise<Trust> {
  const given = textOption(invocation, "repo");
  const own = join(dataFolder(configuration), "git", configuration.gate.targets[target]?.repository ?? "");
  const path = given === undefined ? own : (findRepository(resolve(invocation.folder, given)) ?? given);
  const repository = await openPreviewRepository({ path, scratch: invocation.surroundings.temporaryFolder });
  try {
    return await readJudgeTrust(repository, commit);
  } finally {
    await repository.close();
  }
}

/** The first decision after it that was judged by this commit said which trust it used; that stands in the log's tree. */
async function recordedDigest(
  log: DecisionLog,
  target: string,
  { entry, commit }: InForce,
  { digest }: Trust,
): Promise<TrustAsOfReport["restsOn"]["recorded"]> {
  if (entry.leaf.kind !== "release") return recorded(entry, digest);
  const later = await log.find({ target, kinds: ["decision"], order: "oldest", after: entry.index, limit: PAGE });
  const judged = later.find(({ leaf }) => leaf.subject["judge"] === commit);
  return judged === undefined ? null : recorded(judged, digest);
}

function recorded({ index, leaf }: LoggedEntry, digest: string): TrustAsOfReport["restsOn"]["recorded"] {
  const said = leaf.digests.trust;
  return said === null ? null : { index, digest: said, isEqual: said === digest };
}

function toReport(
  target: string,
  at: Instant,
  { entry, commit }: InForce,
  trust: Trust,
  recorded: TrustAsOfReport["restsOn"]["recorded"],
): TrustAsOfReport {
  const { index, leaf } = entry;
  const entryKind = leaf.kind === "genesis" || leaf.kind === "bypass" ? leaf.kind : "release";
  return {
    apiVersion: "sluice/v1",
    kind: "TrustAsOf",
    exitCode: recorded?.isEqual === false ? EXIT.denied : EXIT.fine,
    target,
    digest: trust.digest,
    at: formatTime(at),
    owners: [...listOwners(trust, at)],
    authorities: [...listAuthorities(trust, at)],
    change: trust.change === null ? null : { count: trust.change.count, roles: [...trust.change.roles].sort() },
    restsOn: { index, entryKind, time: leaf.time, commit, recorded },
  };
}

function text(report: TrustAsOfReport): string {
  const { target, at, restsOn } = report;
  const { index, entryKind, time, commit, recorded } = restsOn;
  const what = { genesis: "adoption", bypass: "second adoption", release: "release" }[entryKind];
  return [
    `${target}: people, keys and roles as of ${at}`,
    `${ownersText(report)}rests on  log ${index}, the ${what} of ${time}, and the trust folder of ${commit.slice(0, 7)}`,
    `          ${recordedText(recorded)}`,
    "",
  ].join("\n");
}

function recordedText(recorded: TrustAsOfReport["restsOn"]["recorded"]): string {
  if (recorded === null) return "no decision has been judged by it, so the log holds no digest to compare with";
  const { index, isEqual } = recorded;
  if (isEqual) return `log ${index} recorded the same trust, sha256:${recorded.digest.slice(0, 8)}`;
  return `DIFFERS from what log ${index} recorded: \`revoked\` of gate.yaml was not empty then, or this is not that state`;
}
