/**
 * The value of one rule of the policies for an input that is nobody's object: what OPA's data API answers. OPA's own
 * evaluator is asked, locked like the compiler; a built-in that fails is a failure, never an undefined.
 */
import * as z from "zod";
import type { JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import { problemsError } from "./compile.ts";
import { ENTRYPOINT } from "./entrypoints.ts";
import { EXTERNAL_PACKAGE, type ExternalData } from "./external.ts";
import type { PolicyFile } from "./policy-set.ts";
import type { Toolchain } from "./toolchain.ts";

const EVALUATION_TIMEOUT_MS = 5000;
const NANOSECONDS = 1_000_000n;

const EvalAnswer = z.object({
  defined: z.boolean(),
  value: z.custom<JsonValue>((value) => value !== undefined),
});

/** @throws SluiceError `entrypoint-undefined`, what the compiler refuses, and the toolchain's own */
export async function entrypointValue(
  toolchain: Toolchain,
  files: readonly PolicyFile[],
  entrypoint: string,
  input: JsonValue,
  at: Instant,
  external: ExternalData,
): Promise<JsonValue> {
  if (!ENTRYPOINT.test(entrypoint)) throw new TypeError("not the path of a rule");
  const answer = await toolchain.request("eval", {
    files: files.map(({ path, text }) => ({ path, text, regoVersion: "either" })),
    query: `data${entrypoint
      .split("/")
      .map((part) => `[${JSON.stringify(part)}]`)
      .join("")}`,
    input,
    ...(external.size === 0 ? {} : { data: { [EXTERNAL_PACKAGE]: Object.fromEntries(external) } }),
    timeNs: String(BigInt(at) * NANOSECONDS),
    strictBuiltinErrors: true,
    timeoutMs: EVALUATION_TIMEOUT_MS,
  });
  if (!answer.ok) throw problemsError(answer.errors);
  const parsed = EvalAnswer.safeParse(answer.result);
  if (!parsed.success) {
    throw new SluiceError("toolchain-failed", "The policy compiler's answer to `eval` has another shape.", {
      cause: parsed.error,
    });
  }
  if (parsed.data.defined) return parsed.data.value;
  throw new SluiceError("entrypoint-undefined", `${entrypoint} has no value for this input.`);
}
