/** What the compiler's `inspect` says of Rego files: packages, rules and METADATA, before anything is compiled. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { once } from "../lib/once.ts";
import { isObject } from "./toolchain.ts";

export interface Annotation {
  readonly scope: string;
  readonly line: number;
  readonly title: string;
  readonly description: string;
  readonly custom: JsonObject;
}

export interface Module {
  readonly path: string;
  /** Without `data.`. */
  readonly package: string;
  readonly line: number;
  readonly regoVersion: string;
  readonly rules: readonly { readonly name: string; readonly line: number }[];
  readonly annotations: readonly Annotation[];
}

const inspectAnswer = once(() =>
  z.object({
    modules: z.array(
      z.object({
        path: z.string(),
        package: z.string(),
        line: z.number(),
        regoVersion: z.string(),
        rules: z.array(z.object({ name: z.string(), line: z.number() })),
        annotations: z.array(
          z.object({
            scope: z.string(),
            line: z.number(),
            title: z.string(),
            description: z.string(),
            custom: z.custom<JsonObject>((value) => isObject(value as JsonValue)),
          }),
        ),
      }),
    ),
  }),
);

/** @throws SluiceError `toolchain-failed` for an answer of another shape */
export function readModules(answer: JsonObject): readonly Module[] {
  const parsed = inspectAnswer().safeParse(answer);
  if (parsed.success) return parsed.data.modules;
  throw new SluiceError("toolchain-failed", "The policy compiler's answer to `inspect` has another shape.", {
    cause: parsed.error,
  });
}
