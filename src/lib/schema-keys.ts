/** Walks a zod schema along a path of keys, to say which keys are known there. */
import type * as z from "zod";

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly valueType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
}

/** Keys of the objects that may stand at `path`; empty where anything may. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  return [...new Set(stepAll([schema], path).flatMap((found) => Object.keys(definition(found).shape ?? {})))];
}

function stepAll(schemas: readonly z.core.$ZodType[], path: readonly PropertyKey[]): readonly z.core.$ZodType[] {
  const here = schemas.flatMap(unwrap);
  const [key, ...rest] = path;
  return key === undefined
    ? here
    : stepAll(
        here.flatMap((schema) => step(schema, key)),
        rest,
      );
}

function step(schema: z.core.$ZodType, key: PropertyKey): readonly z.core.$ZodType[] {
  const { shape, valueType, element } = definition(schema);
  const next = shape?.[String(key)] ?? valueType ?? element;
  return next === undefined ? [] : [next];
}

/** Through optional, default, nullable, transform and union to the schemas that hold a shape. */
function unwrap(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const { innerType, in: input, options } = definition(schema);
  if (innerType !== undefined) return unwrap(innerType);
  if (input !== undefined) return unwrap(input);
  if (options !== undefined) return options.flatMap(unwrap);
  return [schema];
}

function definition(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}
