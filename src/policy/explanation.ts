/**
 * Why a rule said something: OPA's own evaluator is asked for exactly that finding, and its trace says which body of the
 * rule came to its end, with which values. Never part of a verdict.
 */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { compileRequest, dataOf, problemsError } from "./compile.ts";
import { AGGREGATE_FILE, AGGREGATE_PACKAGE } from "./entrypoints.ts";
import type { ExternalData } from "./external.ts";
import type { Finding } from "./finding.ts";
import type { PolicyInput } from "./input.ts";
import { evaluatorData } from "./inventory.ts";
import type { DataEntry, PolicyFile, Rule } from "./policy-set.ts";
import { asWritten, type ReadPolicies } from "./reading.ts";
import { isObject, type Toolchain } from "./toolchain.ts";

const EVALUATION_TIMEOUT_MS = 10_000;
const MAXIMUM_VALUE_CHARACTERS = 400;

export interface FindingExplanation {
  readonly file: string;
  /** Where the body that spoke begins. */
  readonly line: number;
  /** Rego values by the names that they have in the body, sorted by name. */
  readonly values: Readonly<Record<string, string>>;
}

const EvalAnswer = z.object({
  value: z.custom<JsonValue>((value) => value !== undefined),
  explanation: z.array(
    z.object({
      op: z.string(),
      file: z.string(),
      line: z.int(),
      node: z.string(),
      locals: z.record(z.string(), z.string()),
    }),
  ),
});

/**
 * Several where several bodies say the same; none where the trace is too long to hold the place.
 * @throws SluiceError the toolchain's own
 */
export async function explainFinding(
  toolchain: Toolchain,
  { files, data }: Pick<Asked, "files" | "data">,
  document: PolicyInput,
  finding: Pick<Finding, "policy" | "message" | "at"> & { readonly said: string },
  external: ExternalData,
): Promise<readonly FindingExplanation[]> {
  const set = `data.${finding.policy}.${finding.said}`;
  const asked = { toolchain, files, data, document, external };
  const { value } = await evaluate(asked, set, "off");
  const term = (Array.isArray(value) ? value : []).find((one: JsonValue) => isSame(one, finding)) as
    | JsonValue
    | undefined;
  if (term === undefined) return [];
  const { explanation } = await evaluate(asked, `${set}[${JSON.stringify(term)}]`, "full");
  const bodies = explanation.filter(({ op, node }) => op === "Exit" && node.startsWith(`${finding.said} contains `));
  const found = new Map(
    bodies.map(({ file, line, locals }) => [`${file}:${line}`, { file, line, values: shorten(locals) }]),
  );
  return [...found.values()];
}

function isSame(value: JsonValue, { message, at }: Pick<Finding, "message" | "at">): boolean {
  return isObject(value) && value["message"] === message && (value["at"] ?? "") === at;
}

function shorten(locals: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const named = Object.entries(locals).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(named.map(([name, value]) => [name, cut(value)]));
}

function cut(value: string): string {
  return value.length <= MAXIMUM_VALUE_CHARACTERS ? value : `${value.slice(0, MAXIMUM_VALUE_CHARACTERS - 1)}…`;
}

/** What rules of other engines are asked beside the document. */
export interface ImportedQuestion {
  readonly read: ReadPolicies;
  readonly rule: number;
  /** Numbers of the reviews, as the engine asks them. */
  readonly reviews: readonly number[];
  /** Other objects of the rendering, where rules see them. */
  readonly objects: readonly JsonObject[];
}

/**
 * As explainFinding(), for a rule of another engine. It is asked as the engine asks it, so what spoke is told by the
 * values: a body that ended with the message in one of its variables, or the only body of the rule that ended.
 */
export async function explainImported(
  toolchain: Toolchain,
  { read, rule, reviews, objects }: ImportedQuestion,
  document: PolicyInput,
  message: string,
  external: ExternalData,
): Promise<readonly FindingExplanation[]> {
  const { id, imported } = read.rules[rule] as Rule;
  const { explanation } = await evaluated(toolchain, {
    files: compileRequest(read)["files"] ?? [],
    query: `data.${AGGREGATE_PACKAGE}.rule_${rule}`,
    input: { ...(document as unknown as JsonObject), asked: { [id]: [...reviews] } },
    data: evaluatorData(dataOf(read), objects, external),
    explain: "full",
  });
  const ended = explanation.filter(({ op, file }) => op === "Exit" && file !== "" && file !== AGGREGATE_FILE);
  const said = ended.filter(({ locals }) => Object.values(locals).includes(JSON.stringify(message)));
  const own = ended.filter(({ node }) => /^\w+/.exec(node)?.[0] === imported?.asks);
  const isPlain = new Set(own.map(({ file, line }) => `${file}:${line}`)).size === 1;
  return placed(said.length > 0 ? said : isPlain ? own : [], read.sources);
}

/** Each place once; Rego that stands in another file at its place there. */
function placed(events: Answer["explanation"], sources: ReadPolicies["sources"]): readonly FindingExplanation[] {
  const found = events.map(({ file, line, locals }) => {
    const [written] = asWritten([{ code: "rego-eval", message: "", file, line, column: null }], { sources });
    return { file: written?.file ?? file, line: written?.line ?? line, values: shorten(locals) };
  });
  return [...new Map(found.map((one) => [`${one.file}:${one.line}`, one])).values()];
}

interface Asked {
  readonly toolchain: Toolchain;
  readonly files: readonly PolicyFile[];
  /** As the set has it. */
  readonly data: readonly DataEntry[];
  readonly document: PolicyInput;
  readonly external: ExternalData;
}

function evaluate({ toolchain, files, data, document, external }: Asked, query: string, explain: "off" | "full") {
  return evaluated(toolchain, {
    files: files.map(({ path, text }) => ({ path, text, regoVersion: "either" })),
    query,
    input: document as unknown as JsonObject,
    data: evaluatorData(data, null, external),
    explain,
  });
}

type Answer = z.infer<typeof EvalAnswer>;

async function evaluated(toolchain: Toolchain, request: JsonObject): Promise<Answer> {
  const answer = await toolchain.request("eval", { ...request, timeoutMs: EVALUATION_TIMEOUT_MS });
  if (!answer.ok) throw problemsError(answer.errors);
  const parsed = EvalAnswer.safeParse(answer.result);
  if (parsed.success) return parsed.data;
  throw new SluiceError("toolchain-failed", "The policy compiler's answer to `eval` has another shape.", {
    cause: parsed.error,
  });
}
