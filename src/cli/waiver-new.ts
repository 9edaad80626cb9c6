/** `waiver new`: one more entry in the file of waivers, held to what a judge will ask of it. It counts after it landed. */
import { lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SLUICE_YAML } from "../config/sluice-yaml.ts";
import { checkWaivers, readWaivers, type Waiver } from "../decision/waiver.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { printable } from "../lib/printable.ts";
import { formatTime, parseTime } from "../lib/time.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { readRegularFile } from "./folder-files.ts";
import { oneTarget } from "./one-target.ts";
import { required } from "./opening.ts";
import { refuseLinks } from "./own-file.ts";
import { findRules } from "./policy-rules.ts";
import type { WaiverNewReport } from "./reports/schemas/scaffold.ts";
import { yamlText } from "./starter.ts";
import { givenTrust } from "./trust-path.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_DAYS = 90;
/** As waivers name resources; `change` is for rules about the change. */
const RESOURCE = /^(?:change|[A-Za-z][A-Za-z0-9.-]*(?:\/[^/\s]+){1,2})$/;

export const waiverNew: Command = {
  name: "waiver new",
  summary: "write an exception that ends into waivers.yaml",
  usage: ["waiver new RULE RESOURCE --reason TEXT --owner NAME [--target T] [--until DATE] [--ticket ID]"],
  options: {
    target: { type: "string", value: "T", description: "the target (default: the only one)" },
    reason: { type: "string", value: "TEXT", description: "why the rule does not fit here" },
    owner: { type: "string", value: "NAME", description: "who answers for it: a person in the trust folder" },
    until: { type: "string", value: "DATE", description: "first day without it, 180 ahead at most (default: 90)" },
    ticket: { type: "string", value: "ID", description: "where it was agreed" },
    trust: { type: "string", value: "PATH", description: "trust folder (default: the one of sluice.yaml)" },
    ...ANSWER_OPTIONS,
  },
  positionals: [2, 2],
  exitCodes: [
    [0, "written; it counts after it has landed"],
    [1, "it would run longer than 180 days"],
  ],
  example:
    "sluice waiver new k8s-privileged Pod/apps/probe --owner ada --reason probe\nadds it to waivers.yaml for 90 days; land it in a change of its own",
  run,
};

type Wish = WaiverNewReport["waiver"];

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const configuration = workTreeConfiguration(invocation.folder);
  if (configuration === null) throw new SluiceError("configuration-absent", "There is no sluice.yaml here.");
  const [rule = "", resource = ""] = invocation.positionals;
  const wish: Wish = {
    rule: await knownRule(invocation, rule),
    target: oneTarget(Object.keys(configuration.targets), textOption(invocation, "target"), SLUICE_YAML),
    resource: namedResource(resource),
    reason: required(invocation, "reason", "TEXT"),
    owner: await knownPerson(invocation, required(invocation, "owner", "NAME")),
    until: untilDay(invocation),
    ticket: textOption(invocation, "ticket") ?? null,
  };
  write(invocation, configuration.waivers, wish);
  const file = configuration.waivers;
  const report: WaiverNewReport = {
    apiVersion: "sluice/v1",
    kind: "WaiverNew",
    exitCode: EXIT.fine,
    file,
    waiver: wish,
  };
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

async function knownRule({ folder }: Invocation, id: string): Promise<string> {
  const rules = (await findRules(folder)).map(({ rule }) => rule);
  const found = rules.find((rule) => rule.id === id);
  if (found === undefined) {
    const close =
      nearest(
        id,
        rules.map((rule) => rule.id),
      ) ?? "RULE";
    throw new SluiceError("usage", `There is no rule ${JSON.stringify(id)}; codes of Sluice cannot be waived.`, {
      fix: `sluice waiver new ${close} RESOURCE`,
    });
  }
  if (found.waivable) return id;
  throw new SluiceError("usage", `The rule ${id} says that no waiver may help.`, { fix: `sluice explain ${id}` });
}

function namedResource(text: string): string {
  if (RESOURCE.test(text)) return text;
  throw new SluiceError("usage", `${JSON.stringify(text)} names no resource.`, {
    fix: "Kind/namespace/name, as `sluice check` shows it, or change",
  });
}

async function knownPerson(invocation: Invocation, id: string): Promise<string> {
  const { trust, path } = await givenTrust(invocation, invocation.folder);
  const people = trust.owners
    .filter((owner) => owner.class === "person" && owner.left === null)
    .map((owner) => owner.id);
  if (people.includes(id)) return id;
  const close = nearest(id, people);
  throw new SluiceError("usage", `${JSON.stringify(id)} is nobody in ${path}.`, {
    fix: close === null ? "sluice trust list" : `--owner ${close}`,
  });
}

function untilDay(invocation: Invocation): string {
  const now = invocation.clock();
  const day = textOption(invocation, "until") ?? formatTime(now + DEFAULT_DAYS * DAY_MS).slice(0, 10);
  const instant = /^\d{4}-\d{2}-\d{2}$/.test(day) ? parseTime(day) : null;
  if (instant !== null && instant > now) return day;
  throw new SluiceError("usage", `${JSON.stringify(day)} is no day to come.`, { fix: "--until 2027-02-28" });
}

/** What is written is read again by the judge's own reader: every old waiver is as before, and the new one is there. */
function write(invocation: Invocation, file: string, wish: Wish): void {
  const { folder, clock } = invocation;
  refuseLinks(folder, file);
  const before = textOf(join(folder, file), file);
  const known = readWaivers(before, file);
  const same = known.find(
    (one) => one.rule === wish.rule && one.target === wish.target && one.resource === wish.resource,
  );
  if (same !== undefined && same.until > clock()) {
    throw new SluiceError("usage", `${wish.rule} is waived for ${wish.resource} until ${same.untilText} already.`, {
      fix: `change that entry in ${file}`,
    });
  }
  const after = withEntry(before, entryText(wish));
  const read = readWaivers(after, file);
  checkWaivers(read.slice(-1), clock());
  if (!isAddition(known, read, wish)) {
    throw new SluiceError("usage", `${file} has a form to which nothing can be added.`, {
      fix: "write it as a list of `- rule: ...`",
    });
  }
  writeFileSync(join(folder, file), after);
}

/** Empty where there is no file. @throws SluiceError `waivers-invalid` for anything that is no text */
function textOf(path: string, shown: string): string {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return "";
  const bytes = readRegularFile(path);
  const read = bytes === null ? null : decodeUtf8(bytes);
  if (read !== null) return read;
  throw new SluiceError("waivers-invalid", `${shown} is no file of UTF-8 text.`);
}

/** The empty list that `init` writes gives way to the first entry. */
function withEntry(before: string, entry: string): string {
  const empty = /^\[ *\][ \t]*(?:\n|$)/m;
  if (empty.test(before)) return before.replace(empty, () => entry);
  return before === "" || before.endsWith("\n") ? before + entry : `${before}\n${entry}`;
}

function isAddition(known: readonly Waiver[], read: readonly Waiver[], wish: Wish): boolean {
  const last = read.at(-1);
  return (
    read.length === known.length + 1 &&
    known.every(({ id }, index) => read[index]?.id === id) &&
    last?.rule === wish.rule &&
    last.resource === wish.resource &&
    last.target === wish.target &&
    last.reason === wish.reason &&
    last.owner === wish.owner &&
    last.untilText === wish.until &&
    last.ticket === wish.ticket
  );
}

function entryText({ rule, target, resource, reason, ticket, owner, until }: Wish): string {
  const lines = [`- rule: ${yamlText(rule)}`, `target: ${yamlText(target)}`, `resource: ${yamlText(resource)}`];
  lines.push(`reason: ${yamlText(reason)}`, ...(ticket === null ? [] : [`ticket: ${yamlText(ticket)}`]));
  lines.push(`owner: ${yamlText(owner)}`, `until: ${until}`);
  return `${lines.join("\n  ")}\n`;
}

function text({ file, waiver }: WaiverNewReport): string {
  const { rule, resource, target, owner, until } = waiver;
  return [
    `wrote  ${file}: ${printable(`${rule} ${resource} in ${target}, ${owner}`)}, until ${until}`,
    "next   land it in a change of its own; it never judges the change that brings it",
    "",
  ].join("\n");
}
