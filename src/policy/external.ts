/**
 * Data from outside of the repository, which policies read as `data.external.<name>`. Nothing is fetched here: a judge is
 * handed what its sources gave before anything is evaluated, records it, and is handed the record when it decides again.
 * Who names a source, and where it is, is the operator's business alone (decision 052).
 */
import type { JsonValue } from "../lib/canonical.ts";
import { type Code, isCode } from "../lib/codes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseStrictJson } from "../lib/json.ts";

/** Where policies find it; no policy may have this package. */
export const EXTERNAL_PACKAGE = "external";
export const EXTERNAL_NAME = /^[a-z][a-z0-9_]{0,62}$/;
export const MAXIMUM_EXTERNAL_BYTES = 1024 * 1024;
const MAXIMUM_DEPTH = 64;

/** A name that a policy set reads, and the first place that does. */
export interface ExternalUse {
  readonly name: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** What one source gave, or why it gave nothing; as the evidence has it. */
export interface ExternalRecord {
  readonly name: string;
  /** RFC 3339: when it was asked; null where nobody was. */
  readonly at: string | null;
  /** Of the text; null like the text where there is a failure. */
  readonly sha256: string | null;
  /** JSON, byte for byte as it was given. */
  readonly text: string | null;
  readonly failure: { readonly code: string; readonly message: string; readonly fix: string | null } | null;
}

/** MUST be the whole of what the set reads: an engine that lacks one evaluates nothing. */
export type ExternalData = ReadonlyMap<string, JsonValue>;

export interface ExternalSources {
  /** One record a name, sorted like the names. MUST NOT reject: a failure is a record. */
  ask(target: string, names: readonly string[]): Promise<readonly ExternalRecord[]>;
}

/** `text` as a record, of a failure where it is no JSON that everybody reads alike. */
export function externalRecord(name: string, at: string, text: string): ExternalRecord {
  const reading = readText(text);
  if (reading.kind === "value") return { name, at, sha256: sha256Hex(text), text, failure: null };
  const isLarge = reading.problem === "too-large";
  const [code, what] = isLarge ? (["external-too-large", "is larger than 1 MiB"] as const) : malformed(reading);
  return externalFailure(name, at, new SluiceError(code, `What the source ${name} gave ${what}.`));
}

function malformed({ message, line, column }: { message: string; line: number; column: number }) {
  return ["external-malformed", `is not JSON that everybody reads alike (line ${line}:${column}: ${message})`] as const;
}

export function externalFailure(name: string, at: string | null, { code, message, fix }: SluiceError): ExternalRecord {
  return { name, at, sha256: null, text: null, failure: { code, message, fix } };
}

function readText(text: string) {
  return parseStrictJson(text, { bytes: MAXIMUM_EXTERNAL_BYTES, depth: MAXIMUM_DEPTH });
}

/** Of one decision: each name is asked once, whoever reads it. */
export interface AskedSources {
  /** @throws SluiceError why the first of them gave nothing, with the place that reads it */
  data(uses: readonly ExternalUse[]): Promise<ExternalData>;
  /** All that was asked so far, sorted by name. */
  records(): readonly ExternalRecord[];
}

export function askOnce(sources: ExternalSources, target: string): AskedSources {
  const known = new Map<string, ExternalRecord>();
  return {
    async data(uses) {
      const open = uses.map(({ name }) => name).filter((name) => !known.has(name));
      if (open.length > 0) for (const one of await sources.ask(target, open)) known.set(one.name, one);
      return new Map(uses.map((use) => [use.name, givenValue(use, known.get(use.name))]));
    },
    records: () => [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function givenValue(use: ExternalUse, record: ExternalRecord | undefined): JsonValue {
  const reading = record?.text == null ? null : readText(record.text);
  if (reading?.kind === "value") return reading.value;
  const { code, message, fix } = record?.failure ?? notGiven(use.name);
  const said: Code = isCode(code) ? code : "internal";
  const place = [use.file, use.line, use.column].filter((part) => part !== null).join(":");
  const position = use.file === null ? null : { file: use.file, line: use.line, column: use.column };
  const reads = place === "" ? "" : `${place} reads data.external.${use.name}. `;
  throw new SluiceError(said, `${reads}${message}`, { position, ...(fix === null ? {} : { fix }) });
}

/** Where no gate asks anybody: what somebody gave, and `absent` for the rest. */
export function givenSources(
  given: readonly ExternalRecord[],
  absent: (name: string) => SluiceError = notGiven,
): ExternalSources {
  return {
    async ask(_target, names) {
      return names.map((name) => given.find((one) => one.name === name) ?? externalFailure(name, null, absent(name)));
    },
  };
}

function notGiven(name: string): SluiceError {
  return new SluiceError("external-not-given", `Nobody gives the data of the source ${name} here.`, {
    fix: `--data ${name}=FILE.json`,
  });
}

export function notRecorded(name: string): SluiceError {
  return new SluiceError("external-not-recorded", `What the source ${name} gave is not recorded with this decision.`, {
    fix: `sluice simulate --data ${name}=FILE.json ...`,
  });
}

/** What a decision recorded; `others` stands for names that were not asked then. */
export function recordedSources(recorded: readonly ExternalRecord[], others: ExternalSources): ExternalSources {
  return {
    async ask(target, names) {
      const kept = new Map(recorded.map((one) => [one.name, one]));
      const open = names.filter((name) => !kept.has(name));
      for (const one of await others.ask(target, open)) kept.set(one.name, one);
      return names.flatMap((name) => kept.get(name) ?? []);
    },
  };
}
