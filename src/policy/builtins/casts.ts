/** `cast_*` of Rego v0: the value when it has the type already, and an error otherwise. */
import { compareRegoValues, isArray, type RegoValue } from "../rego-value.ts";
import { type Builtin, type BuiltinFamily, isObjectValue, isSet, setOf, wrongType } from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  cast_array: ([value = null]) => {
    if (isArray(value)) return value;
    if (isSet(value)) return [...value.items].sort(compareRegoValues);
    throw wrongType(0, "an array or a set");
  },
  cast_set: ([value = null]) => {
    if (isSet(value)) return value;
    if (isArray(value)) return setOf(value);
    throw wrongType(0, "a set or an array");
  },
  cast_boolean: cast("a boolean", (value) => typeof value === "boolean"),
  cast_null: cast("null", (value) => value === null),
  cast_object: cast("an object", isObjectValue),
  cast_string: cast("a string", (value) => typeof value === "string"),
};

function cast(wanted: string, fits: (value: RegoValue) => boolean): Builtin {
  return ([value = null]) => {
    if (!fits(value)) throw wrongType(0, wanted);
    return value;
  };
}
