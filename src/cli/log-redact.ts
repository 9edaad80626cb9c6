/** `sluice log redact`: erases disclosed values and their salts, and says in the log that it did. */
import { resolve } from "node:path";
import { readSecret } from "../config/secret.ts";
import { type RedactionReport, redactionReport } from "../gate/json/redaction.ts";
import { type RedactionOrder, redactOpenLog, refuseNeeded } from "../gate/redacting.ts";
import { logPlace } from "../gate/wiring.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime } from "../lib/time.ts";
import type { EntryQuery } from "../log/entry.ts";
import type { RedactionWish } from "../log/redaction/plan.ts";
import { redactLog } from "../log/redaction/redact.ts";
import type { RedactionSubject } from "../log/redaction/subject.ts";
import { type LogOptions, openLog, postgresPlace } from "../log/stores.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, listOption, textOption } from "./command.ts";
import { entryKind, numberOption, timeOption } from "./log-list.ts";
import { AS_OPTION, CONFIG_OPTION, gateConfiguration, personOf, required, withGateLog } from "./opening.ts";
import { GATE_OPTIONS, type GateCall, redactionAnswer, remoteGate } from "./remote-gate.ts";

/** Shorter texts would take half of the log with them. */
const MINIMUM_TEXT_CHARACTERS = 3;

export const logRedact: Command = {
  name: "log redact",
  summary: "erase disclosed values; proofs stay valid",
  usage: [
    "log redact (--person NAME | --resource NAME | --text TEXT) --reason TEXT --config gate.yaml",
    "log redact --entry INDEX [--value NAME]... --reason TEXT --config gate.yaml",
    "log redact --value NAME... [--kind K]... [--rule ID] --reason TEXT --config gate.yaml",
    "log redact ... --reason TEXT --gate URL --token-file FILE",
  ],
  options: {
    config: CONFIG_OPTION,
    ...GATE_OPTIONS,
    person: { type: "string", value: "NAME", description: "every value that names this person" },
    resource: { type: "string", value: "NAME", description: "every value that names Kind/namespace/name" },
    text: { type: "string", value: "TEXT", description: "every value that holds this text; - reads standard input" },
    entry: { type: "string", value: "INDEX", description: "of this entry" },
    value: {
      type: "string",
      multiple: true,
      value: "NAME",
      description: "only values of this name, as log show prints them; may be repeated",
    },
    kind: { type: "string", multiple: true, value: "K", description: "only of entries of this kind; may be repeated" },
    rule: { type: "string", value: "ID", description: "only of entries in which this rule spoke" },
    target: { type: "string", value: "T", description: "only of this target" },
    from: { type: "string", value: "TIME", description: "only from this time on (RFC 3339 in UTC, or a day)" },
    to: { type: "string", value: "TIME", description: "only before this time" },
    reason: { type: "string", value: "TEXT", description: "why; it is logged, and must not say again what is erased" },
    as: AS_OPTION,
    "even-needed": {
      type: "boolean",
      description: "also what the current release rests on: the gate then stops until a person goes on",
    },
    "dry-run": { type: "boolean", description: "only say what would be erased" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "erased from every file of the log"],
    [1, "refused: the current release still needs it"],
  ],
  example:
    'sluice log redact --person ada --reason "left, case 12" --config gate.yaml\nerases every value that names ada; the log shows that it was there, and why',
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const reason = required(invocation, "reason", "TEXT");
  const wish = await wishOf(invocation);
  const flags = { evenNeeded: isSet(invocation, "even-needed"), dryRun: isSet(invocation, "dry-run") };
  const remote = remoteGate(invocation);
  if (remote !== null) return said(invocation, await ask(remote, wish, { reason, ...flags }, invocation));
  return redactHere(invocation, { wish, request: { by: personOf(invocation), reason }, ...flags });
}

async function redactHere(invocation: Invocation, order: RedactionOrder): Promise<number> {
  const { wish, request, evenNeeded } = order;
  const configuration = await gateConfiguration(invocation);
  const { gate, folder } = configuration;
  if (order.dryRun) {
    const plan = await withGateLog(invocation, (log) => redactOpenLog(log, order));
    return said(invocation, redactionReport(plan, request, null));
  }
  const options: LogOptions = {
    ...logPlace(configuration),
    origin: gate.log.origin,
    key: readSecret(gate.log.key, folder, invocation.surroundings.environment),
    anchor: gate.log.anchor === undefined ? null : resolve(folder, gate.log.anchor),
    clock: invocation.clock,
    random: invocation.random,
  };
  const done = invocation.output.progress("redacting the log");
  if (postgresPlace(options) !== null) return redactBesideOthers(invocation, options, order).finally(done);
  const redaction = await redactLog(options, wish, request, evenNeeded ? async () => undefined : refuseNeeded).finally(
    done,
  );
  said(invocation, redactionReport(redaction, request, redaction.receipt.index));
  if (redaction.isPurged) return 0;
  throw new SluiceError(
    "redaction-unfinished",
    "The values are erased, but somebody who reads the log keeps old pages.",
  );
}

/** A log that others may be writing: there is no file to hold alone. */
async function redactBesideOthers(invocation: Invocation, options: LogOptions, order: RedactionOrder): Promise<number> {
  const log = await openLog(options);
  try {
    const redacted = await redactOpenLog(log, order);
    return said(invocation, redactionReport(redacted, order.request, redacted.index));
  } finally {
    await log.close();
  }
}

/** Who redacts is whom the token names. */
async function ask(
  call: GateCall,
  { query, ...wish }: RedactionWish,
  flags: { readonly reason: string; readonly evenNeeded: boolean; readonly dryRun: boolean },
  invocation: Invocation,
): Promise<RedactionReport> {
  formatsOf(invocation);
  const { from, to, terms, kinds, target } = query;
  const asked = {
    ...(target === undefined ? {} : { target }),
    ...(kinds === undefined ? {} : { kinds: [...kinds] }),
    ...(terms === undefined ? {} : { rule: terms[0]?.value ?? "" }),
    ...(from === undefined ? {} : { from: formatTime(from) }),
    ...(to === undefined ? {} : { to: formatTime(to) }),
  };
  const { entry, values, subject } = wish;
  const body = {
    entry,
    values: values === null ? null : [...values],
    subject: subject && { ...subject },
    query: asked,
  };
  return call("/v1/redactions", { ...body, ...flags }, redactionAnswer);
}

/** @throws SluiceError `usage` */
async function wishOf(invocation: Invocation): Promise<RedactionWish> {
  const subjects = await subjectsOf(invocation);
  const [subject = null] = subjects;
  const values = listOption(invocation, "value");
  const entry = numberOption(invocation, "entry") ?? null;
  const kinds = listOption(invocation, "kind").map(entryKind);
  const [target, rule] = [textOption(invocation, "target"), textOption(invocation, "rule")];
  const [from, to] = [timeOption(invocation, "from"), timeOption(invocation, "to")];
  const query: RedactionWish["query"] = {
    ...(target === undefined ? {} : { target }),
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(rule === undefined ? {} : { terms: [{ kind: "rule", value: rule }] satisfies EntryQuery["terms"] }),
  };
  const isOne = subjects.length <= 1 && (entry === null || Object.keys(query).length === 0);
  if (isOne && (subject !== null || entry !== null || values.length > 0))
    return { query, entry, values: values.length === 0 ? null : values, subject };
  throw new SluiceError("usage", "It is not said, or said twice, what is to be redacted.", {
    fix: "--person NAME, --resource NAME, --text TEXT, --entry INDEX, or --value NAME",
  });
}

async function subjectsOf(invocation: Invocation): Promise<readonly RedactionSubject[]> {
  const [person, resource, given] = ["person", "resource", "text"].map((name) => textOption(invocation, name));
  const text = given === "-" ? await inputText(invocation) : given;
  for (const one of [person, resource, text])
    if (one !== undefined && one.trim().length < MINIMUM_TEXT_CHARACTERS && one !== person)
      throw new SluiceError("usage", `A text to be redacted has ${MINIMUM_TEXT_CHARACTERS} characters or more.`, {
        fix: "--text TEXT",
      });
  return [
    ...(person === undefined || person.trim() === "" ? [] : [{ of: "person", name: person } as const]),
    ...(resource === undefined ? [] : [{ of: "resource", name: resource } as const]),
    ...(text === undefined ? [] : [{ of: "text", text } as const]),
  ];
}

/** So that a secret stands in no list of processes and in no history of a shell. */
async function inputText({ output }: Invocation): Promise<string> {
  return (decodeUtf8(await output.readInput()) ?? "").replace(/\r?\n$/, "");
}

function said(invocation: Invocation, report: RedactionReport): number {
  const { index, by, values, erased, kept } = report;
  answer(invocation, report, (paint) => {
    const what = `${values} values beside ${erased.length} entries`;
    const lines = [
      index === null ? `WOULD ERASE  ${what}` : `${paint("allow", "ERASED")}  ${what}: log ${index}, by ${by}`,
      ...(kept.length === 0 ? [] : [`        kept   redactions say it too: log ${kept.join(", ")}`]),
      index === null
        ? "next    the same without --dry-run"
        : "next    backups made before still hold them: redact or destroy each",
    ];
    return `${lines.join("\n")}\n`;
  });
  return 0;
}
