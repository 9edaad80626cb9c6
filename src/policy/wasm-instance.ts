/**
 * One instance of a compiled policy module on OPA's WebAssembly ABI 1.2/1.3. The parts of the input that documents
 * share are parsed into the module's memory once. Going back to that point would also empty the module's cache of
 * compiled regular expressions (0.7 ms for one `{0,127}`), so it happens only when enough garbage has gathered; a
 * policy cannot see what lies behind. An instance that threw is dead and MUST be dropped: its stack is not restored.
 */
import {
  ASKING_BUILTIN,
  type Builtin,
  BuiltinError,
  type CallContext,
  LimitError,
  MAXIMUM_VALUE_LENGTH,
  textOf,
} from "./builtins/call.ts";
import { isArray, parseRegoValue, type RegoValue, regoText } from "./rego-value.ts";

/** Why an evaluation has no answer; the codes are those of lib/codes/policy.ts. */
export class EvaluationFault extends Error {
  override readonly name = "EvaluationFault";
  readonly code: "policy-aborted" | "policy-memory" | "builtin-error" | "finding-malformed";

  constructor(code: EvaluationFault["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** JSON texts by top-level key of the input. */
export type InputParts = Readonly<Record<string, Uint8Array>>;

export interface PolicyInstance {
  /** Entrypoint number by name, `sluice/aggregate/result`. */
  readonly entrypoints: Readonly<Record<string, number>>;
  /** Names of the built-in functions that the module calls on its host. */
  readonly imports: readonly string[];
  /** MUST come before the first evaluation of a module that has imports; see loadBuiltins. */
  use(functions: ReadonlyMap<string, Builtin>): void;
  /** What stands under `data` as long as this instance lives; MUST come before share(). @throws EvaluationFault */
  load(data: readonly (readonly [path: readonly string[], text: Uint8Array])[]): void;
  /** Replaces what the following documents share, and what stands under `data` beside what was loaded. @throws EvaluationFault */
  share(parts: InputParts, data?: Uint8Array | null): void;
  /**
   * `rules` are those of its calls, where they are not the ones of the instance.
   * @returns the value of the entrypoint as JSON text, null when it is undefined. @throws EvaluationFault
   */
  evaluate(entrypoint: number, own: InputParts, rules?: CallRules): string | null;
  /** Whether its memory has grown to several times what it holds; memory never shrinks, so it is then dropped. */
  isSwollen(): boolean;
  /** All that it takes. */
  memoryBytes(): number;
  /** Why calls of the last evaluation failed and had no value, each once, ten at most; they are forgotten then. */
  takeFailures(): readonly string[];
  /**
   * The whole answer exactly: sets stay sets and numbers keep their form. Values are Rego terms, of which JSON is a part;
   * without an input it is undefined. @throws EvaluationFault
   */
  query(entrypoint: number, values: QueryValues): RegoValue;
}

export interface QueryValues {
  readonly data: Uint8Array;
  readonly input: Uint8Array | null;
}

/** What a failing call means: the end of the evaluation, or an undefined value as in OPA. */
export interface CallRules {
  readonly onFailure: "error" | "undefined";
  readonly context: CallContext;
}

/** Nothing is guessed, and nothing is known but the input. */
const NATIVE_CALLS: CallRules = { onFailure: "error", context: { nowNs: null, draw: null } };

interface Exports {
  opa_wasm_abi_version: WebAssembly.Global;
  opa_wasm_abi_minor_version: WebAssembly.Global;
  builtins(): number;
  entrypoints(): number;
  opa_malloc(size: number): number;
  opa_json_parse(address: number, length: number): number;
  opa_value_parse(address: number, length: number): number;
  opa_json_dump(value: number): number;
  opa_value_dump(value: number): number;
  opa_value_add_path(value: number, path: number, part: number): number;
  opa_heap_ptr_get(): number;
  opa_heap_ptr_set(address: number): void;
  opa_eval_ctx_new(): number;
  opa_eval_ctx_set_input(context: number, value: number): void;
  opa_eval_ctx_set_data(context: number, value: number): void;
  opa_eval_ctx_set_entrypoint(context: number, entrypoint: number): void;
  opa_eval_ctx_get_result(context: number): number;
  eval(context: number): number;
}

const PAGE_BYTES = 65_536;
/** A module says how much its own data needs only by refusing less; most fit into the first. */
const INITIAL_PAGES = [16, 64, 256, 1024] as const;
/** Garbage of earlier documents after which the heap is set back. */
const GARBAGE_BYTES = 16 * 1024 * 1024;
/** Above it an instance is dropped after an evaluation, unless it is for what documents share. */
const HIGH_WATER_BYTES = 96 * 1024 * 1024;
const SWOLLEN = 3;
/** Of one evaluation; the rest says nothing new. */
const MAXIMUM_FAILURES = 10;
/** Longest answer that is read; a rule that says more says nothing useful. */
const MAXIMUM_ANSWER_BYTES = 16 * 1024 * 1024;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param memoryBytes all the memory the policy may ever have. @throws EvaluationFault for another ABI or a module that does not fit. */
export function instantiate(
  module: WebAssembly.Module,
  memoryBytes: number,
  rules: CallRules = NATIVE_CALLS,
): PolicyInstance {
  const host = fittingHost(module, Math.floor(memoryBytes / PAGE_BYTES), rules);
  return {
    entrypoints: host.entrypoints,
    imports: host.imports,
    use: (functions) => host.use(functions),
    query: (entrypoint, values) => host.guard(() => host.query(entrypoint, values)),
    load: (data) => host.guard(() => host.load(data)),
    share: (parts, data) => host.guard(() => host.share(parts, data ?? null)),
    evaluate: (entrypoint, own, given) => host.guard(() => host.evaluate(entrypoint, own, given ?? rules)),
    isSwollen: () => host.isSwollen(),
    memoryBytes: () => host.memoryBytes(),
    takeFailures: () => host.takeFailures(),
  };
}

function fittingHost(module: WebAssembly.Module, maximum: number, rules: CallRules): Host {
  for (const initial of INITIAL_PAGES.filter((pages) => pages <= maximum)) {
    try {
      return new Host(module, new WebAssembly.Memory({ initial, maximum }), rules);
    } catch (thrown) {
      if (!(thrown instanceof WebAssembly.LinkError)) throw thrown;
    }
  }
  throw new EvaluationFault("policy-aborted", "the module does not fit into its memory or is none of OPA's");
}

class Host {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  #rules: CallRules;
  readonly #failures = new Set<string>();
  readonly #builtins: ReadonlyMap<number, string>;
  #functions: ReadonlyMap<string, Builtin> = new Map();
  readonly imports: readonly string[];
  readonly entrypoints: Readonly<Record<string, number>>;
  #origin: number;
  #base: number;
  #data = 0;
  /** Address of `["key"]` and of the parsed value, for each shared part. */
  #shared: readonly (readonly [number, number])[] = [];
  /** Address of the path and of the parsed value, for each part of `data` that stays. */
  #loaded: readonly (readonly [number, number])[] = [];
  /** Set by whatever stops the module, so that the reason survives the trap. */
  #fault: EvaluationFault | null = null;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, rules: CallRules) {
    this.#memory = memory;
    this.#rules = rules;
    const call = (id: number, _context: number, ...values: number[]) => this.#call(id, values);
    const env = {
      memory,
      opa_abort: (address: number) => this.#stop(abortFault(this.#text(address))),
      opa_builtin0: call,
      opa_builtin1: call,
      opa_builtin2: call,
      opa_builtin3: call,
      opa_builtin4: call,
      opa_println: () => undefined,
    };
    this.#exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports;
    const { opa_wasm_abi_version: major, opa_wasm_abi_minor_version: minor } = this.#exports;
    if (major.value !== 1 || minor.value < 2)
      throw new EvaluationFault("policy-aborted", `the module has ABI ${major.value}.${minor.value}`);
    const names = this.#json(this.#exports.builtins()) as Record<string, number>;
    this.#builtins = new Map(Object.entries(names).map(([name, id]) => [id, name]));
    this.imports = Object.keys(names);
    this.entrypoints = this.#json(this.#exports.entrypoints()) as Record<string, number>;
    this.#origin = this.#exports.opa_heap_ptr_get();
    this.#base = this.#origin;
  }

  /** Turns every way in which the module can end into one kind of error. */
  guard<T>(run: () => T): T {
    try {
      return run();
    } catch (thrown) {
      const fault = this.#fault ?? (thrown instanceof EvaluationFault ? thrown : trapFault(thrown));
      this.#fault = null;
      throw fault;
    }
  }

  use(functions: ReadonlyMap<string, Builtin>): void {
    this.#functions = functions;
  }

  /** Parsed once: from then on the heap is set back to behind it. */
  load(data: readonly (readonly [readonly string[], Uint8Array])[]): void {
    this.#loaded = data.map(([path, text]) => [this.#parse(utf8(JSON.stringify(path))), this.#parse(text)]);
    this.#origin = this.#exports.opa_heap_ptr_get();
    this.#base = this.#origin;
  }

  share(parts: InputParts, data: Uint8Array | null): void {
    this.#exports.opa_heap_ptr_set(this.#origin);
    this.#data = this.#parse(data ?? utf8("{}"));
    for (const [path, value] of this.#loaded) this.#add(this.#data, path, value);
    this.#shared = Object.entries(parts).map(([key, text]) => [this.#path(key), this.#parse(text)]);
    this.#base = this.#exports.opa_heap_ptr_get();
  }

  memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  isSwollen(): boolean {
    return this.memoryBytes() > Math.max(HIGH_WATER_BYTES, SWOLLEN * this.#base);
  }

  takeFailures(): readonly string[] {
    const failures = [...this.#failures];
    this.#failures.clear();
    return failures;
  }

  evaluate(entrypoint: number, own: InputParts, rules: CallRules): string | null {
    const wasm = this.#exports;
    this.#rules = rules;
    this.#failures.clear();
    if (wasm.opa_heap_ptr_get() - this.#base > GARBAGE_BYTES) wasm.opa_heap_ptr_set(this.#base);
    const input = this.#parse(utf8("{}"));
    for (const [path, value] of this.#shared) this.#add(input, path, value);
    for (const key of Object.keys(own)) this.#add(input, this.#path(key), this.#parse(own[key] as Uint8Array));
    return unwrap(this.#text(wasm.opa_json_dump(this.#run(entrypoint, input, this.#data))));
  }

  query(entrypoint: number, { data, input }: QueryValues): RegoValue {
    this.#exports.opa_heap_ptr_set(this.#origin);
    const read = input === null ? 0 : this.#parse(input, "opa_value_parse");
    const answer = this.#run(entrypoint, read, this.#parse(data, "opa_value_parse"));
    return parseRegoValue(this.#text(this.#exports.opa_value_dump(answer)));
  }

  /** @param input 0 = undefined. @returns the address of the set of results. */
  #run(entrypoint: number, input: number, data: number): number {
    const wasm = this.#exports;
    const context = wasm.opa_eval_ctx_new();
    if (input !== 0) wasm.opa_eval_ctx_set_input(context, input);
    wasm.opa_eval_ctx_set_data(context, data);
    wasm.opa_eval_ctx_set_entrypoint(context, entrypoint);
    if (wasm.eval(context) !== 0) throw new EvaluationFault("policy-aborted", "the module answered an error");
    return wasm.opa_eval_ctx_get_result(context);
  }

  #add(input: number, path: number, value: number): void {
    if (this.#exports.opa_value_add_path(input, path, value) !== 0)
      throw new EvaluationFault("policy-aborted", "the module did not take its input");
  }

  #path(key: string): number {
    return this.#parse(utf8(JSON.stringify([key])));
  }

  /** The module keeps pointing into the text, so it stays in memory as long as the value. */
  #parse(text: Uint8Array, reader: "opa_json_parse" | "opa_value_parse" = "opa_json_parse"): number {
    const address = this.#exports.opa_malloc(text.byteLength);
    new Uint8Array(this.#memory.buffer).set(text, address);
    const value = this.#exports[reader](address, text.byteLength);
    if (value === 0) throw new EvaluationFault("policy-aborted", "the module did not read its input");
    return value;
  }

  /** @returns the address of the value, 0 when the call has none. */
  #call(id: number, values: readonly number[]): number {
    let name = this.#builtins.get(id) ?? `number ${id}`;
    try {
      let operands = values.map((value) => this.#argument(value));
      if (name === ASKING_BUILTIN) {
        name = textOf(operands, 0);
        operands = askedOperands(operands);
        if (name === HOSTED) return this.#parse(utf8("true"));
      }
      const called = this.#functions.get(name);
      if (called === undefined) throw new BuiltinError("not offered"); // sets that call it are not built
      const answer = called(operands, this.#rules.context);
      return answer === undefined ? 0 : this.#parse(utf8(regoText(answer)), "opa_value_parse");
    } catch (thrown) {
      if (this.#fault !== null) throw thrown;
      const why = isExpected(thrown) ? thrown.message : "it failed";
      if (this.#rules.onFailure === "undefined" && isFailure(thrown)) return this.#remember(`${name}: ${why}`);
      return this.#stop(new EvaluationFault("builtin-error", `${name}: ${why}`));
    }
  }

  /** @returns the address of no value */
  #remember(failure: string): 0 {
    if (this.#failures.size < MAXIMUM_FAILURES) this.#failures.add(failure);
    return 0;
  }

  #argument(value: number): RegoValue {
    const text = this.#text(this.#exports.opa_value_dump(value));
    if (text.length > MAXIMUM_VALUE_LENGTH) throw new LimitError("a value is longer than 1 MiB");
    return parseRegoValue(text);
  }

  #stop(fault: EvaluationFault): never {
    this.#fault ??= fault;
    throw fault;
  }

  /** A text that ends in NUL; JSON escapes the character, so none is cut short. */
  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory.buffer);
    const end = bytes.indexOf(0, address);
    if (end - address > MAXIMUM_ANSWER_BYTES)
      throw new EvaluationFault("finding-malformed", "the answer is longer than 16 MiB");
    return UTF8.decode(bytes.subarray(address, end < 0 ? bytes.byteLength : end));
  }

  #json(value: number): unknown {
    return JSON.parse(this.#text(this.#exports.opa_json_dump(value)));
  }
}

/** By which a module knows that its host answers what it asks. */
const HOSTED = "hosted";

/** @throws BuiltinError for a call that has failed inside of the module, which gives the types of its operands */
function askedOperands([, operands = null]: readonly RegoValue[]): RegoValue[] {
  if (typeof operands === "string") throw new BuiltinError(`it has no answer for ${operands}`);
  if (!isArray(operands)) throw new BuiltinError("it is asked without operands");
  return [...operands];
}

/** By name: in the built package each family is a file with a class of its own. */
function isExpected(thrown: unknown): thrown is Error {
  return isFailure(thrown) || (thrown instanceof Error && /^(?:FormatError|LimitError)$/.test(thrown.name));
}

/** OPA's call would fail too; what only ours cannot do is never an undefined value. */
function isFailure(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === "BuiltinError";
}

/** The module answers a set of results: `[]` or `[{"result": value}]`. */
const PREFIX = '[{"result":';

function unwrap(text: string): string | null {
  if (text === "[]") return null;
  if (!text.startsWith(PREFIX) || !text.endsWith("}]"))
    throw new EvaluationFault("finding-malformed", "the module answered something else than results");
  return text.slice(PREFIX.length, -2);
}

function abortFault(message: string): EvaluationFault {
  if (message.startsWith("opa_malloc")) return new EvaluationFault("policy-memory", "the policy's memory is used up");
  if (message.includes("conflict"))
    return new EvaluationFault("finding-malformed", `rules contradict each other: ${message}`);
  return new EvaluationFault("policy-aborted", message);
}

function trapFault(thrown: unknown): EvaluationFault {
  if (thrown instanceof RangeError && /call stack/i.test(thrown.message))
    return new EvaluationFault("policy-aborted", "the policy's stack overflows");
  if (thrown instanceof RangeError) return new EvaluationFault("policy-memory", "the policy's memory is used up");
  return new EvaluationFault("policy-aborted", thrown instanceof Error ? thrown.message : "the module stopped");
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
