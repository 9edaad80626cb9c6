/** `doctor`, first part: this machine. Looks and measures; changes nothing. */
import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { versions } from "node:process";
import type { Surroundings } from "../config/environment.ts";
import { requireGit } from "../git/process.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Clock, formatTime } from "../lib/time.ts";
import { COMPILER_VERSION } from "../policy/compile.ts";
import { isObject, type Toolchain } from "../policy/toolchain.ts";
import { freeBytes, roomOf } from "../server/free-space.ts";
import { examine, failure, fine, type Remark, warning } from "./remark.ts";

const GROUP = "machine";
const OLDEST_NODE = 24;
/** No clock that is right shows an earlier time than that of this version. */
const RELEASED = Date.parse("2026-11-01T00:00:00Z");
const MIB = 1024 * 1024;

export async function examineMachine(
  surroundings: Surroundings,
  clock: Clock,
  toolchain: Toolchain,
): Promise<readonly Remark[]> {
  return [
    nodeRemark(versions.node),
    await examine(GROUP, "git", requireGit),
    await examine(GROUP, "policy compiler", () => compilerText(toolchain)),
    await examine(GROUP, "sandbox", () => sandboxRemark(toolchain)),
    clockRemark(clock),
    diskRemark(GROUP, "temporary folder", surroundings.temporaryFolder),
  ];
}

function nodeRemark(version: string): Remark {
  if (Number(version.split(".")[0]) >= OLDEST_NODE) return fine(GROUP, "node", version);
  return failure(GROUP, "node", `Node is ${version}; Sluice requires Node ${OLDEST_NODE} or newer.`, "install Node 24");
}

async function compilerText(toolchain: Toolchain): Promise<string> {
  const answer = await toolchain.request("hello", {});
  const opa = answer.ok ? answer.result["opa"] : null;
  if (`opa ${opa}` === COMPILER_VERSION) return `OPA ${opa}`;
  throw new SluiceError("toolchain-failed", `The policy compiler is OPA ${opa}; ${COMPILER_VERSION} is required.`, {
    fix: "npm run build",
  });
}

/** The locked process itself tries what it must not be able to do. */
async function sandboxRemark(toolchain: Toolchain): Promise<Remark | string> {
  const answer = await toolchain.request("selftest", {});
  const attempts = answer.ok ? answer.result["attempts"] : null;
  if (!Array.isArray(attempts) || attempts.length === 0) {
    throw new SluiceError("toolchain-failed", "The policy compiler could not test its own lock.");
  }
  const passed = attempts.filter((one) => !isObject(one) || one["refused"] !== true);
  if (passed.length === 0) return `seccomp, ${attempts.length} of ${attempts.length} forbidden things refused`;
  const names = passed.map((one) => (isObject(one) ? String(one["name"]) : "?")).join(", ");
  throw new SluiceError("sandbox-unavailable", `The policy compiler's lock lets through: ${names}.`);
}

function clockRemark(clock: Clock): Remark {
  const now = clock();
  if (now >= RELEASED) return fine(GROUP, "clock", formatTime(now));
  const sentence = `The clock shows ${formatTime(now)}, before this version was made; expiry would be judged wrongly.`;
  return failure(GROUP, "clock", sentence, "timedatectl set-ntp true");
}

/** Of the nearest folder that exists, since what is missing is made there. */
export function diskRemark(group: string, what: string, folder: string): Remark {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const free = freeBytes(there);
  const room = roomOf(free);
  const sentence = `${there} has ${free === null ? "?" : Math.floor(free / MIB)} MiB free`;
  const fix = `df -h ${there}`;
  if (!isWritable(there)) return failure(group, what, `${there} cannot be written to.`, `ls -ld ${there}`);
  if (room === "too-little") return failure(group, what, `${sentence}; 100 MiB are required.`, fix);
  return room === "enough" ? fine(group, what, sentence) : warning(group, what, `${sentence}.`, fix);
}

export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
