/** What every judge is given, a preview's as a gate's: compiler, engine, caches. The gate's own things are made in wiring.ts. */
import { join, resolve } from "node:path";
import { cacheKey } from "../config/cache-key.ts";
import type { Surroundings } from "../config/environment.ts";
import type { Clock } from "../lib/time.ts";
import type { WitnessFailure } from "../log/witness/client.ts";
import { openCompiledCache } from "../policy/compiled-cache.ts";
import { openPolicyEngine } from "../policy/engine.ts";
import { type ExternalRecord, givenSources } from "../policy/external.ts";
import { openSealedFiles } from "../policy/sealed-file.ts";
import { locateToolchain, openToolchain, type Toolchain } from "../policy/toolchain.ts";
import { remembering } from "../policy/verdict-memo.ts";
import { openVerificationMemory } from "../signature/verification-memo.ts";
import { NO_LANDINGS } from "./carrying.ts";
import { openJudgeMemory } from "./judge-memory.ts";
import { receivedNow } from "./receipts.ts";
import { openSealedMemo } from "./sealed-memo.ts";
import type { Services, StepListener } from "./services.ts";

const TOOLCHAIN_DEADLINE_MS = 30_000;
const TOOLCHAIN_REQUESTS = 200;
/** So much of what is remembered is read in the time in which one signature is verified. */
const BYTES_A_SIGNATURE = 64 * 1024;

export interface Means {
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  readonly onStep: StepListener;
  /** Where no gate fetches it: data from outside, as somebody gives it. */
  readonly external?: readonly ExternalRecord[];
  /** Hears of a witness that gave no cosignature. */
  readonly onWitnessFailure?: ((failure: WitnessFailure) => void) | undefined;
}

export interface OpenServices extends Services {
  close(): Promise<void>;
}

/** The judge's services of a preview: it logs nothing and judges every key as of now. */
export function openPreviewServices(means: Means, repository: string): OpenServices {
  const memory = {
    receipts: receivedNow(means.clock),
    landings: NO_LANDINGS,
    external: givenSources(means.external ?? []),
  };
  return openServices(means, memory, repository);
}

/** `memory` is what the log remembers; `scope` is whose memory the caches are: a repository's path, or a gate's folder. */
export function openServices(
  means: Means,
  memory: Pick<Services, "receipts" | "landings" | "approvals" | "external">,
  scope: string,
): OpenServices {
  const { surroundings, clock, random, onStep } = means;
  const toolchain = openCompiler();
  const key = cacheKey(surroundings);
  const folder = (name: string) => (key === null ? null : { folder: join(surroundings.cacheFolder, name), key });
  const signatureMemo = openSealedMemo(openSealedFiles(folder("signatures")), scope, BYTES_A_SIGNATURE);
  const renderMemo = openSealedMemo(openSealedFiles(folder("renders")), scope);
  const verdictMemo = openSealedMemo(openSealedFiles(folder("verdicts")), scope);
  const compiledCache = openCompiledCache(folder("policies"));
  const engine = remembering(openPolicyEngine(), verdictMemo);
  const close = async (): Promise<void> => {
    signatureMemo.save();
    renderMemo.save();
    verdictMemo.save();
    await Promise.all([toolchain.close(), engine.close()]);
  };
  return {
    clock,
    random,
    toolchain,
    compiledCache,
    engine,
    judges: openJudgeMemory(),
    ...memory,
    verifications: openVerificationMemory(signatureMemo),
    renderMemo,
    onStep,
    close,
  };
}

/** Starts no process before it is asked for something. */
export function openCompiler(): Toolchain {
  return openToolchain({
    binary: locateToolchain(packageRoot()),
    sandbox: "seccomp",
    deadlineMs: TOOLCHAIN_DEADLINE_MS,
    maxRequests: TOOLCHAIN_REQUESTS,
  });
}

/** The folder of package.json: two above this file, in `src/` as in `dist/`. */
export function packageRoot(): string {
  return resolve(import.meta.dirname, "..", "..");
}
