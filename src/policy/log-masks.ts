/**
 * OPA's masks of decision logs (https://www.openpolicyagent.org/docs/management-decision-logs): the packages that people
 * have, with `data.system.log.mask` and `data.system.log.drop`, compiled once and asked for each event. A failing built-in is
 * undefined, as in OPA; what OPA loses, an event whose mask fails, is here the caller's to withhold as a whole.
 */
import { utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { loadBuiltins } from "./builtins.ts";
import { absentData, compiledModule, refusal } from "./compile.ts";
import { entriesOf, nestedText } from "./data-files.ts";
import type { DataEntry, PolicyFile } from "./policy-set.ts";
import { compilerFile, selectPolicies } from "./reading.ts";
import type { Toolchain } from "./toolchain.ts";
import { type CallRules, instantiate, type PolicyInstance } from "./wasm-instance.ts";

const ASKING_FILE = ".sluice/masks.rego";
const ASKING = `package sluice.masks

import rego.v1

asked contains one if some one in data.system.log.mask

dropped if data.system.log.drop == true
`;
const [ASKED, DROPPED] = ["sluice/masks/asked", "sluice/masks/dropped"];
const MEMORY_BYTES = 64 * 1024 * 1024;
const CALLS: CallRules = { onFailure: "undefined", context: { nowNs: null, draw: null } };

export interface LogMaskAnswer {
  /** JSON pointers as OPA writes them, parts URL-escaped: of strings, and of objects with `remove` or `upsert`. */
  readonly pointers: readonly string[];
  readonly isDropped: boolean;
}

/** Throws where the rules have no answer. */
export type LogMaskRules = (event: JsonObject) => LogMaskAnswer;

/** @throws SluiceError `policy-does-not-compile`, `builtin-not-supported`, the `data-` codes, and the toolchain's own */
export async function compileLogMasks(toolchain: Toolchain, files: readonly PolicyFile[]): Promise<LogMaskRules> {
  const { sources, data: given } = selectPolicies(files);
  const [problem] = given().problems;
  if (problem !== undefined) throw refusal([problem]);
  const entries = entriesOf(given().document);
  const asking = { path: ASKING_FILE, text: ASKING, regoVersion: "v1" };
  const request = {
    files: [...sources.map(compilerFile), asking],
    entrypoints: [ASKED, DROPPED],
    strict: false,
    data: nestedText(entries),
  };
  const { wasm, data } = await compiledModule(toolchain, request, { sources, data: given() });
  const absent = absentData(data).filter((name) => !/^data\.system\.log\.(?:mask|drop)$/.test(name));
  if (absent.length > 0 || absentData(data).length > 1)
    throw new SluiceError(
      "policy-does-not-compile",
      `The masks ${absent.length > 0 ? `read ${absent.join(", ")}, which nobody defines` : "define neither data.system.log.mask nor data.system.log.drop"}.`,
    );
  const module = await WebAssembly.compile(wasm);
  const functions = await loadBuiltins(instantiate(module, MEMORY_BYTES, CALLS).imports);
  let instance: PolicyInstance | null = null;
  return (event) => {
    try {
      instance ??= started(module, functions, entries);
      return ask(instance, event);
    } catch (thrown) {
      instance = null; // one that threw is dead
      throw thrown;
    }
  };
}

function started(
  module: WebAssembly.Module,
  functions: Parameters<PolicyInstance["use"]>[0],
  data: readonly DataEntry[],
): PolicyInstance {
  const instance = instantiate(module, MEMORY_BYTES, CALLS);
  instance.use(functions);
  instance.load(data.map(([path, text]) => [path, utf8(text)]));
  instance.share({});
  return instance;
}

function ask(instance: PolicyInstance, event: JsonObject): LogMaskAnswer {
  const own = Object.fromEntries(Object.entries(event).map(([key, value]) => [key, utf8(canonicalJson(value))]));
  const answer = (name: string): JsonValue => {
    const text = instance.evaluate(instance.entrypoints[name] ?? -1, own);
    return text === null ? null : (JSON.parse(text) as JsonValue);
  };
  const asked = answer(ASKED as string);
  if (!Array.isArray(asked)) throw new SluiceError("policy-aborted", "The masks have no list of places.");
  return { pointers: asked.map(pointerOf), isDropped: answer(DROPPED as string) === true };
}

/** `"/input/password"`, or `{op: "remove" | "upsert", path: ..., value: ...}`: what upsert writes is not taken over. */
function pointerOf(one: JsonValue): string {
  const { op, path } = typeof one === "object" && one !== null ? (one as JsonObject) : { op: "remove", path: one };
  if (typeof path === "string" && (op === "remove" || op === "upsert")) return path;
  throw new SluiceError("policy-aborted", "A mask is neither a place nor an operation of OPA.");
}
