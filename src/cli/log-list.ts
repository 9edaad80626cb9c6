/** `sluice log list`: searches the log. */

import { findAffected } from "../gate/affected.ts";
import { entrySummary } from "../gate/json/entry.ts";
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { printable } from "../lib/printable.ts";
import { parseTime } from "../lib/time.ts";
import {
  ENTRY_KINDS,
  type EntryKind,
  type EntryQuery,
  type LoggedEntry,
  type Term,
  type TermKind,
  type Verdict,
} from "../log/entry.ts";
import { drawSample } from "../log/sample.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, isSet, listOption, type OptionText, textOption } from "./command.ts";
import { isStream, streamEntries } from "./log-list-stream.ts";
import { CONFIG_OPTION, gateConfiguration, withGateLog } from "./opening.ts";
import { entryLine } from "./reports/entry.ts";

const DEFAULT_LIMIT = 50;
const MAXIMUM_LIMIT = 10_000;
const WHOLE_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const COMMIT_PREFIX = /^[0-9a-f]{4,63}$/;
const TERM_KINDS = ["resource", "person", "rule", "release", "waiver", "key"] as const satisfies readonly TermKind[];

/** What can be said beside --affected-by. */
const BESIDE_AFFECTED: readonly string[] = ["config", "affected-by", "target", "from", "to", "format", "output"];

const TERM_OPTIONS: Readonly<Record<string, OptionText>> = {
  resource: { type: "string", value: "NAME", description: "Kind/namespace/name that a decision changed" },
  person: { type: "string", value: "NAME", description: "signer, approver or operator" },
  rule: { type: "string", value: "ID", description: "a rule that spoke" },
  commit: { type: "string", value: "ID", description: "commit id, or its first digits (4 at least)" },
  release: { type: "string", value: "N", description: "sequence of a release" },
  waiver: { type: "string", value: "ID", description: "a waiver that was used" },
  key: { type: "string", value: "FINGERPRINT", description: "a key that signed or approved" },
};

export const logList: Command = {
  name: "log list",
  summary: "search the log",
  usage: [
    "log list --config gate.yaml [--target T] [--kind K]... [--verdict V] [--from TIME] [--to TIME] [--resource NAME] ...",
    "log list --config gate.yaml --count ...",
    "log list --config gate.yaml --format ndjson [--disclosed] ...",
    "log list --config gate.yaml --affected-by KEY|PERSON [--target T] [--from TIME] [--to TIME]",
    "log list --config gate.yaml --sample N --seed TEXT [--after INDEX] ...",
  ],
  options: {
    config: CONFIG_OPTION,
    target: { type: "string", value: "T", description: "only this target" },
    repository: { type: "string", value: "NAME", description: "only targets of this repository of gate.yaml" },
    kind: {
      type: "string",
      multiple: true,
      value: "K",
      description: "decision, release, applied, hold, ...; may be repeated",
    },
    verdict: { type: "string", value: "V", description: "allow, deny, wait or error" },
    from: { type: "string", value: "TIME", description: "from this time on (RFC 3339 in UTC, or a day)" },
    to: { type: "string", value: "TIME", description: "before this time" },
    ...TERM_OPTIONS,
    text: { type: "string", value: "WORDS", description: "words that all stand in texts beside the entry" },
    "affected-by": {
      type: "string",
      value: "WHO",
      description: "decisions that rest on this key (fingerprint) or person, and the releases made of them",
    },
    sample: { type: "string", value: "N", description: "draw so many at random instead; the same seed draws the same" },
    seed: { type: "string", value: "TEXT", description: "published seed of --sample" },
    after: {
      type: "string",
      value: "INDEX",
      description: "go on behind this entry, in the order of --sort; a sample: only entries below it",
    },
    sort: {
      type: "string",
      value: "ORDER",
      values: ["newest", "oldest"],
      description: "newest (default) or oldest first",
    },
    limit: { type: "string", value: "N", description: `at most so many (default ${DEFAULT_LIMIT}; ndjson: all)` },
    count: { type: "boolean", description: "say only how many there are" },
    disclosed: { type: "boolean", description: "ndjson: with the values beside each entry" },
    ...ANSWER_OPTIONS,
    format: {
      ...ANSWER_OPTIONS.format,
      values: ["text", "json", "ndjson"],
      description: "text (default), json; may be repeated; or ndjson, an entry a line",
    },
  },
  positionals: [0, 0],
  exitCodes: [[0, "listed"]],
  example:
    "sluice log list --config gate.yaml --target prod --verdict deny\nlists the newest denials of prod; then, by its index: sluice log show INDEX",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const query = { ...queryOf(invocation), ...(await repositoryOf(invocation)) };
  await refuseUnknownTarget(invocation, query.target);
  const who = textOption(invocation, "affected-by");
  if (who !== undefined) return runAffected(invocation, query, who);
  const wanted = sampleOf(invocation);
  if (wanted !== null) return runSample(invocation, query, wanted);
  if (isStream(invocation)) return withGateLog(invocation, (log) => streamEntries(invocation, log, query), ["ndjson"]);
  if (isSet(invocation, "disclosed"))
    throw new SluiceError("usage", "Only ndjson has room for the disclosed values.", { fix: "--format ndjson" });
  if (isSet(invocation, "count")) return runCount(invocation, query);
  const { entries, count } = await withGateLog(invocation, async (log) => ({
    entries: await log.find(query),
    count: await log.count(query),
  }));
  const report = {
    apiVersion: "sluice/v1",
    kind: "Entries",
    count,
    entries: entries.map(entrySummary),
    next: nextOf(entries, query),
    sample: null,
  };
  answer(invocation, report, () => text(entries, count));
  return 0;
}

/** All of them, whatever the number: who lost a key has to look at each. */
async function runAffected(invocation: Invocation, query: EntryQuery, who: string): Promise<number> {
  const other = Object.keys(invocation.options).find((name) => !BESIDE_AFFECTED.includes(name));
  if (other !== undefined || isStream(invocation)) {
    throw new SluiceError("usage", `--affected-by lists everything; it does not go with ${other ?? "ndjson"}.`, {
      fix: "--affected-by WHO, with --target, --from, --to and --format text or json",
    });
  }
  const { target, from, to } = query;
  const within = { ...(target && { target }), ...(from && { from }), ...(to && { to }) };
  const entries = await withGateLog(invocation, (log) => findAffected(log, who, within));
  const summaries = entries.map(entrySummary);
  const report = { apiVersion: "sluice/v1", kind: "Entries", count: entries.length, entries: summaries, next: null };
  answer(invocation, { ...report, sample: null }, () => affectedText(entries, who));
  return 0;
}

function affectedText(entries: readonly LoggedEntry[], who: string): string {
  const releases = entries.filter(({ leaf }) => leaf.kind === "release").length;
  const counts = `${entries.length - releases} decisions and ${releases} releases rest on ${printable(who)}`;
  return `${entries.map((entry) => `${entryLine(entry)}\n`).join("")}${counts}\n`;
}

async function runCount(invocation: Invocation, query: EntryQuery): Promise<number> {
  const count = await withGateLog(invocation, (log) => log.count(query));
  const report = { apiVersion: "sluice/v1", kind: "Entries", count, entries: [], next: null, sample: null };
  answer(invocation, report, () => `${count}\n`);
  return 0;
}

interface WantedSample {
  readonly size: number;
  readonly seed: string;
}

async function runSample(invocation: Invocation, query: EntryQuery, { size, seed }: WantedSample): Promise<number> {
  const { entries, population, below } = await withGateLog(invocation, (log) => drawSample(log, query, size, seed));
  const report = {
    apiVersion: "sluice/v1",
    kind: "Entries",
    count: population,
    entries: entries.map(entrySummary),
    next: null,
    sample: { size, seed, below },
  };
  const again = `${entries.length} of ${population} drawn with seed ${printable(JSON.stringify(seed))}; the same again, also later: add --after ${below}\n`;
  answer(invocation, report, () => entries.map((entry) => `${entryLine(entry)}\n`).join("") + again);
  return 0;
}

/** @throws SluiceError `usage` for a sample without a seed, or the other way round */
function sampleOf(invocation: Invocation): WantedSample | null {
  const size = numberOption(invocation, "sample");
  const seed = textOption(invocation, "seed");
  if (size === undefined && seed === undefined) return null;
  if (size === undefined || seed === undefined || seed === "" || size < 1 || size > MAXIMUM_LIMIT)
    throw new SluiceError("usage", `A sample is of 1 to ${MAXIMUM_LIMIT} entries, and has a seed.`, {
      fix: "--sample 25 --seed 2026-Q4",
    });
  const others = ["limit", "sort", "count", "disclosed"].filter((name) => invocation.options[name] !== undefined);
  if (others.length === 0 && !isStream(invocation)) return { size, seed };
  throw new SluiceError("usage", "A sample is drawn from all that is found, and shown in the order of the log.", {
    fix: "--sample N --seed TEXT, with --format text or json",
  });
}

function text(entries: readonly LoggedEntry[], count: number): string {
  const more =
    count > entries.length
      ? `${entries.length} of ${count} shown; --after ${entries.at(-1)?.index} shows more\n`
      : `${count} entries\n`;
  return entries.map((entry) => `${entryLine(entry)}\n`).join("") + more;
}

function nextOf(entries: readonly LoggedEntry[], { limit }: EntryQuery): number | null {
  return entries.length === limit ? (entries.at(-1)?.index ?? null) : null;
}

function queryOf(invocation: Invocation): EntryQuery {
  const target = textOption(invocation, "target");
  const verdict = oneOf<Verdict>(invocation, "verdict", ["allow", "deny", "wait", "error"]);
  const kinds = listOption(invocation, "kind").map(entryKind);
  const [from, to] = [timeOption(invocation, "from"), timeOption(invocation, "to")];
  const after = numberOption(invocation, "after");
  const words = textOption(invocation, "text");
  const limit = Math.min(numberOption(invocation, "limit") ?? DEFAULT_LIMIT, MAXIMUM_LIMIT);
  const order = oneOf(invocation, "sort", ["newest", "oldest"]) ?? "newest";
  return {
    ...(target === undefined ? {} : { target }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(after === undefined ? {} : { after }),
    ...(words === undefined ? {} : { text: words }),
    ...commitOf(invocation),
    order,
    limit,
  };
}

/**
 * A name that was mistyped is not answered with nothing; one that gate.yaml no longer holds has its entries.
 * @throws SluiceError `target-unknown`
 */
async function refuseUnknownTarget(invocation: Invocation, target: string | undefined): Promise<void> {
  const formats = ["text", "json", "ndjson"];
  const { targets } = (await gateConfiguration(invocation, formats)).gate;
  if (target === undefined || Object.hasOwn(targets, target)) return;
  if ((await withGateLog(invocation, (log) => log.count({ target }), formats)) > 0) return;
  const names = Object.keys(targets);
  throw new SluiceError("target-unknown", `No entry is about ${target}, and gate.yaml names ${names.join(", ")}.`, {
    fix: `--target ${nearest(target, names) ?? names[0]}`,
  });
}

/** @throws SluiceError `usage` for a repository that gate.yaml does not name, or beside a target */
async function repositoryOf(invocation: Invocation): Promise<Pick<EntryQuery, "targets">> {
  const name = textOption(invocation, "repository");
  if (name === undefined) return {};
  const { repositories, targets } = (await gateConfiguration(invocation, ["text", "json", "ndjson"])).gate;
  if (!Object.hasOwn(repositories, name) || textOption(invocation, "target") !== undefined)
    throw new SluiceError("usage", `--repository takes one of gate.yaml, and no --target beside it.`, {
      fix: `--repository ${Object.keys(repositories).join(" or ")}`,
    });
  return { targets: Object.keys(targets).filter((target) => targets[target]?.repository === name) };
}

/** A whole id is a term like any other; digits are its beginning. */
function commitOf(invocation: Invocation): Pick<EntryQuery, "terms" | "commitPrefix"> {
  const [terms, commit] = [termsOf(invocation), textOption(invocation, "commit")?.toLowerCase()];
  if (commit === undefined) return { terms };
  if (WHOLE_COMMIT.test(commit)) return { terms: [{ kind: "commit", value: commit }, ...terms] };
  if (COMMIT_PREFIX.test(commit)) return { terms, commitPrefix: commit };
  throw new SluiceError("usage", "--commit takes a commit id, or its first digits, four at least.", {
    fix: "--commit 9be1d02",
  });
}

function termsOf(invocation: Invocation): readonly Term[] {
  return TERM_KINDS.flatMap((kind) => {
    const value = textOption(invocation, kind);
    return value === undefined ? [] : [{ kind, value }];
  });
}

export function entryKind(text: string): EntryKind {
  const kind = ENTRY_KINDS.find((one) => one === text);
  if (kind !== undefined) return kind;
  throw new SluiceError("usage", `${JSON.stringify(text)} is no kind of entry.`, {
    fix: `one of ${ENTRY_KINDS.join(", ")}`,
  });
}

function oneOf<T extends string>(invocation: Invocation, name: string, known: readonly T[]): T | undefined {
  const text = textOption(invocation, name);
  if (text === undefined || known.includes(text as T)) return text as T | undefined;
  throw new SluiceError("usage", `--${name} takes ${known.join(", ")}.`, { fix: `--${name} ${known[0]}` });
}

export function timeOption(invocation: Invocation, name: string): number | undefined {
  const text = textOption(invocation, name);
  const at = text === undefined ? undefined : parseTime(text);
  if (at !== null) return at;
  throw new SluiceError("usage", `--${name} takes a day or a time in UTC.`, { fix: `--${name} 2026-11-21T10:00:00Z` });
}

export function numberOption(invocation: Invocation, name: string): number | undefined {
  const text = textOption(invocation, name);
  if (text === undefined || /^[0-9]{1,15}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new SluiceError("usage", `--${name} takes a number.`, { fix: `--${name} 100` });
}
