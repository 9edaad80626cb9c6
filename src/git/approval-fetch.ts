/**
 * Brings the approvals of a source into the gate's copy, apart from its branches: whoever may push below that name may
 * push there what they like, and what git refuses of it must not keep a good change out. So each is wanted by itself; a
 * fetch that fails is halved until what is refused stands alone, and what is gone at the source is gone here first.
 */
import { MAX_APPROVAL_FETCHES, MAX_APPROVAL_REFS, MAX_APPROVAL_REFUSALS } from "./limits.ts";
import { isObjectId } from "./object.ts";
import type { GitAnswer } from "./process.ts";
import { fetchFailed } from "./remote.ts";
import type { RefEntry, UnfetchedApproval } from "./repository.ts";
import { readRefLines } from "./source-listing.ts";
import { APPROVAL_REFS } from "./source-refs.ts";

/** One part below the folder, so that no name stands in another's way, and none means anything to a file system. */
const NAME = /^refs\/sluice\/approvals\/[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;

export interface ApprovalSource {
  /** Runs git in the gate's own store, with what it needs to reach the source. */
  readonly run: (args: readonly string[], input: string) => Promise<GitAnswer>;
  /** `git fetch` with everything but URL and refspecs. */
  readonly fetch: readonly string[];
  readonly url: string;
}

/** What the source has there; null where that is more than is read. @throws SluiceError `fetch-failed` */
export async function listApprovals({ run, url }: ApprovalSource): Promise<readonly RefEntry[] | null> {
  const answer = await run(["ls-remote", "--refs", "--end-of-options", url, `${APPROVAL_REFS}*`], "").catch(() => null);
  if (answer === null) return null;
  if (answer.exitCode !== 0) throw fetchFailed(answer);
  return readRefLines(answer.stdout.toString("utf8"), "\t").filter(({ name }) => name.startsWith(APPROVAL_REFS));
}

/** How often git refused each, by asKey(); what a bad line alone kept out gets another chance. */
export type Refusals = Map<string, number>;

/**
 * Answers what is not here, and why. `refused` remembers what git would not take, so that it is not asked for for ever.
 * @throws SluiceError `git-failed`
 */
export async function fetchApprovals(
  source: ApprovalSource,
  listed: readonly RefEntry[] | null,
  refused: Refusals,
): Promise<readonly UnfetchedApproval[]> {
  const named = (listed ?? []).filter(({ name, id }) => NAME.test(name) && isObjectId(id));
  const wanted = named.slice(0, MAX_APPROVAL_REFS);
  const here = new Map((await listHere(source)).map(({ name, id }) => [name, id]));
  const kept = new Set(wanted.map(asKey));
  await forget(
    source,
    [...here].filter(([name, id]) => !kept.has(asKey({ name, id }))).map(([name]) => name),
  );
  const fresh = wanted.filter((one) => here.get(one.name) !== one.id && !isSettled(refused, one));
  const left = await fetchHalving(source, fresh, refused);
  for (const key of refused.keys()) if (!kept.has(key)) refused.delete(key);
  return [
    ...wanted.filter((one) => refused.has(asKey(one))).map(({ name }) => ({ ref: name, count: 1, why: REFUSED })),
    ...told(left, "were not fetched: too many others are refused by git"),
    ...told(named.length - wanted.length, "were not fetched: there are too many"),
    ...told((listed ?? []).length - named.length, "have names that no approval has"),
    ...told(listed === null ? 1 : 0, "could not be listed"),
  ];
}

function isSettled(refused: Refusals, one: RefEntry): boolean {
  return (refused.get(asKey(one)) ?? 0) >= MAX_APPROVAL_REFUSALS;
}

const REFUSED = "git refuses what it names";

function told(count: number, why: string): readonly UnfetchedApproval[] {
  return count > 0 ? [{ ref: null, count, why }] : [];
}

/** Answers how many were not tried in the end. */
async function fetchHalving(source: ApprovalSource, fresh: readonly RefEntry[], refused: Refusals): Promise<number> {
  const parts = [fresh];
  let spent = 0;
  while (spent < MAX_APPROVAL_FETCHES) {
    const part = parts.shift();
    if (part === undefined) return 0;
    const [only, second] = part;
    if (only === undefined) continue;
    const outcome = await fetchPart(source, part);
    spent += outcome === "stuck" ? MAX_APPROVAL_FETCHES / 4 : 1;
    if (outcome === "fetched") {
      for (const one of part) refused.delete(asKey(one));
      continue;
    }
    const half = Math.ceil(part.length / 2);
    if (second === undefined) refused.set(asKey(only), (refused.get(asKey(only)) ?? 0) + 1);
    else parts.push(part.slice(0, half), part.slice(half));
  }
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** stuck: it ran into its deadline, which is dear. */
async function fetchPart(
  { run, fetch, url }: ApprovalSource,
  part: readonly RefEntry[],
): Promise<"fetched" | "refused" | "stuck"> {
  const refspecs = part.map(({ name }) => `+${name}:${mirrored(name)}\n`).join("");
  const answer = await run([...fetch, "--stdin", "--end-of-options", url], refspecs).catch(() => null);
  if (answer === null) return "stuck";
  return answer.exitCode === 0 ? "fetched" : "refused";
}

async function listHere({ run }: ApprovalSource): Promise<readonly RefEntry[]> {
  const args = ["for-each-ref", "--format=%(objectname) %(refname)", mirrored(APPROVAL_REFS)];
  const answer = await run(args, "");
  const entries = readRefLines(answer.stdout.toString("utf8"), " ");
  return entries.map(({ name, id }) => ({ name: name.replace(/^refs\/source\//, "refs/"), id }));
}

async function forget({ run }: ApprovalSource, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await run(["update-ref", "--no-deref", "--stdin"], names.map((name) => `delete ${mirrored(name)}\n`).join(""));
}

function asKey({ name, id }: RefEntry): string {
  return `${id} ${name}`;
}

function mirrored(name: string): string {
  return name.replace(/^refs\//, "refs/source/");
}
