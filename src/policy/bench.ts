/** How long evaluations of a compiled set take on this machine, on an instance of its own without a thread around it. */
import { utf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { encodeDocuments } from "./batching.ts";
import { loadBuiltins } from "./builtins.ts";
import { RESULT_ENTRYPOINT, ruleEntrypoint } from "./entrypoints.ts";
import type { ExternalData } from "./external.ts";
import type { PolicyInput } from "./input.ts";
import { dataText } from "./inventory.ts";
import { selectionOf, surroundingsOf } from "./match.ts";
import type { PolicySet } from "./policy-set.ts";
import { recordedCalls } from "./recorded-calls.ts";
import { type InputParts, instantiate, type PolicyInstance } from "./wasm-instance.ts";

export interface BenchOptions {
  readonly rounds: number;
  readonly memoryBytes: number;
  /** What the set reads from outside; absent: nothing. */
  readonly external?: ExternalData;
}

export interface BenchResult {
  /** Milliseconds from the compiled module to the first answer. */
  readonly startMs: number;
  readonly memoryBytes: number;
  /** Microseconds, sorted: all rules of one document. */
  readonly all: readonly number[];
  /** Microseconds, sorted, in the order of the set's rules; empty where a rule selects nothing. */
  readonly byRule: readonly { readonly rule: string; readonly documents: number; readonly times: readonly number[] }[];
}

/**
 * MUST only be given documents that the engine has answered: nothing here ends an evaluation that does not end.
 * @throws EvaluationFault
 */
export async function benchPolicies(
  set: PolicySet,
  documents: readonly PolicyInput[],
  { rounds, memoryBytes, external = new Map() }: BenchOptions,
): Promise<BenchResult> {
  const objects = documents.flatMap(({ resource }): JsonObject[] =>
    resource?.object == null ? [] : [resource.object],
  );
  const around = surroundingsOf(set.rules.some(({ imported }) => imported !== null) ? objects : []);
  const asked = documents.map((document) =>
    Object.fromEntries(
      set.rules.flatMap((rule) => {
        const selection = selectionOf(rule, document, around);
        return selection.kind === "yes" ? [[rule.id, selection.reviews]] : [];
      }),
    ),
  );
  const hasImported = set.rules.some(({ imported }) => imported !== null);
  const encoded = encodeDocuments(documents, {
    asked: hasImported ? asked : null,
    data: dataText(set.readsInventory ? objects : null, external),
  });
  const module = await WebAssembly.compile(set.wasm as Uint8Array<ArrayBuffer>);
  const parts = (spans: Readonly<Record<string, readonly [number, number]>>): InputParts =>
    Object.fromEntries(Object.entries(spans).map(([key, [from, to]]) => [key, encoded.bytes.subarray(from, to)]));
  const data = encoded.data === null ? null : encoded.bytes.subarray(...encoded.data);
  const began = performance.now();
  const instance = instantiate(module, memoryBytes);
  instance.use(await loadBuiltins(instance.imports));
  instance.load(set.data.map(([path, text]) => [path, utf8(text)]));
  let shared = -1;
  const time = (index: number, entrypoint: string): number => {
    const document = encoded.documents[index];
    if (document === null || document === undefined) return 0;
    const context = parts(encoded.contexts[document.context] ?? {});
    if (shared !== document.context) instance.share(context, data);
    shared = document.context;
    const own = parts(document.own);
    return timed(instance, entrypoint, own, recordedCalls(context, own));
  };
  const indices = documents
    .keys()
    .filter((index) => encoded.documents[index] !== null)
    .toArray();
  time(indices[0] ?? 0, RESULT_ENTRYPOINT);
  const startMs = performance.now() - began;
  const all = indices.flatMap((index) => repeated(rounds, () => time(index, RESULT_ENTRYPOINT)));
  const byRule = set.rules.map(({ id }, at) => {
    const mine = indices.filter((index) => asked[index]?.[id] !== undefined);
    const times = mine.flatMap((index) => repeated(rounds, () => time(index, ruleEntrypoint(at))));
    return { rule: id, documents: mine.length, times: times.sort((a, b) => a - b) };
  });
  return { startMs, memoryBytes: instance.memoryBytes(), all: all.sort((a, b) => a - b), byRule };
}

function repeated(rounds: number, run: () => number): readonly number[] {
  return Array.from({ length: rounds }, run);
}

/** Microseconds. */
function timed(
  instance: PolicyInstance,
  name: string,
  own: InputParts,
  context: ReturnType<typeof recordedCalls>,
): number {
  const entrypoint = instance.entrypoints[name];
  if (entrypoint === undefined) return 0;
  const began = performance.now();
  instance.evaluate(entrypoint, own, { onFailure: "undefined", context });
  return (performance.now() - began) * 1000;
}
