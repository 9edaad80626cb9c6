/** The masks of a gate's log, as its gate.yaml says: the built-in ones, its rules, and OPA's `system.log`. */
import { resolve } from "node:path";
import { RE2JS, RE2JSException } from "re2js";
import { readConfigurationFile } from "../config/configuration-file.ts";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import type { MaskRule } from "../config/log-yaml.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import type { EntryDraft } from "../log/entry.ts";
import { BUILT_IN_MASKS, found } from "../log/masking/built-in.ts";
import type { Mask, Place } from "../log/masking/mask.ts";
import { compileLogMasks, type LogMaskRules } from "../policy/log-masks.ts";
import { openCompiler } from "./judge-wiring.ts";

const OPA_MASK = "system-log-mask";
const OPA_DROP = "system-log-drop";
const OPA_FAILED = "system-log-failed";
/** OPA's masks reach what was asked and what was answered: with us the values beside an entry are both. */
const INPUT = "/input";

/** @throws SluiceError `configuration-missing`, `gate-configuration-invalid`, and what compileLogMasks() throws */
export async function logMasks({ gate, folder, file }: GateConfiguration): Promise<readonly Mask[]> {
  const { without, rules, rego } = gate.log.masks;
  const builtIn = BUILT_IN_MASKS.filter(({ name }) => !(without as readonly string[]).includes(name));
  const own = rules.map((rule) => ruleMask(rule, file));
  if (rego.length === 0) return [...builtIn, ...own];
  const files = rego.map((path) => ({ path, text: readConfigurationFile(resolve(folder, path), path) }));
  const compiler = openCompiler();
  try {
    return [...builtIn, ...own, ...opaMasks(await compileLogMasks(compiler, files), gate.log.origin)];
  } finally {
    await compiler.close();
  }
}

function ruleMask({ name, text, value, at = "", kinds }: MaskRule, file: string): Mask {
  const pattern = text === undefined ? null : compiled(text, name, file);
  const place = value === undefined ? null : [value, ...parts(at)];
  return {
    name,
    mayConcern: ({ kind, disclosed }) =>
      (kinds === undefined || kinds.includes(kind)) && (value === undefined || Object.hasOwn(disclosed, value)),
    places: (draft) => {
      if (pattern === null) return place === null ? [] : [place];
      const places = found(
        draft,
        () => [],
        (one) => pattern.test(one),
      );
      return place === null ? places : places.filter((one) => isBelow(one, place));
    },
  };
}

function isBelow(one: Place, place: Place): boolean {
  return place.every((part, index) => part === "*" || part === one[index]);
}

function compiled(text: string, name: string, file: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new SluiceError("gate-configuration-invalid", `${file}: the pattern of mask ${name} is no RE2 expression.`, {
      fix: "RE2 has no backreferences and no lookahead; see https://github.com/google/re2/wiki/Syntax",
      cause,
    });
  }
}

/** Asked once for each decision. Where they have no answer, everything is withheld. */
function opaMasks(rules: LogMaskRules, origin: string): readonly Mask[] {
  let asked: { readonly draft: EntryDraft; readonly answer: ReturnType<LogMaskRules> | null } | null = null;
  const answerFor = (draft: EntryDraft) => {
    if (asked?.draft !== draft) asked = { draft, answer: answerOf(rules, eventOf(draft, origin)) };
    return asked.answer;
  };
  const mask = (name: string, places: (answer: ReturnType<LogMaskRules> | null) => readonly Place[]): Mask => ({
    name,
    mayConcern: ({ kind }) => kind === "decision",
    places: (draft) => places(answerFor(draft)),
  });
  const everything: Place = ["*"];
  return [
    mask(OPA_FAILED, (answer) => (answer === null ? [everything] : [])),
    mask(OPA_DROP, (answer) => (answer?.isDropped === true ? [everything] : [])),
    mask(OPA_MASK, (answer) => (answer?.pointers ?? []).flatMap(placeOf)),
  ];
}

function answerOf(rules: LogMaskRules, event: JsonObject): ReturnType<LogMaskRules> | null {
  try {
    return rules(event);
  } catch {
    return null;
  }
}

/** The event as OPA's masks see it, with our values where OPA has the input of the query. */
function eventOf({ target, verdict, reasons, disclosed }: EntryDraft, origin: string): JsonObject {
  return {
    labels: { id: origin },
    path: `sluice/${target ?? "gate"}`,
    input: disclosed,
    result: { verdict, reasons: [...reasons] },
  };
}

/** None for places of `/result` and `/nd_builtin_cache`: the leaf holds codes only, and nothing is undetermined. */
function placeOf(pointer: string): readonly Place[] {
  const text = pointer.startsWith("/") ? pointer : `/${pointer}`;
  if (text === INPUT) return [["*"]];
  return text.startsWith(`${INPUT}/`) ? [parts(text.slice(INPUT.length))] : [];
}

/** OPA escapes parts as in a URL. */
function parts(pointer: string): Place {
  return pointer.split("/").slice(1).map(unescaped);
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
