/** Holds a document against a schema, in gojsonschema's order and words; where Go's order is by chance, ours is by name. */
import { isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import { isObjectValue, member } from "./call.ts";
import { compareDecimals, decimal, floatText, isMultiple, isWhole } from "./decimal.ts";
import { isOfFormat } from "./json-schema-formats.ts";
import { isNumber, type Schema } from "./json-schema-read.ts";
import { floatJson } from "./json-text.ts";

export interface Problem {
  readonly type: string;
  readonly field: string;
  readonly description: string;
}

/** What was wrong, and how near the document came: among alternatives the nearest one's problems are told. */
interface Outcome {
  readonly problems: Problem[];
  score: number;
}

const ROOT = "(Root)";

export function checkDocument(schema: Schema, document: RegoValue): readonly Problem[] {
  return checked(schema, document, ROOT).problems;
}

function checked(schema: Schema, node: RegoValue, path: string): Outcome {
  const outcome: Outcome = { problems: [], score: 0 };
  check(schema, node, path, outcome);
  return outcome;
}

function say(outcome: Outcome, path: string, type: string, description: string): void {
  outcome.problems.push({ type, field: fieldOf(path), description });
  outcome.score -= 2;
}

function fieldOf(path: string): string {
  return path.startsWith(`${ROOT}.`) ? path.slice(ROOT.length + 1) : path;
}

function merge(outcome: Outcome, other: Outcome | null): void {
  if (other === null) return;
  outcome.problems.push(...other.problems);
  outcome.score += other.score;
}

function check(schema: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  if (schema.pass !== null) {
    if (!schema.pass) say(outcome, path, "false", "False always fails validation");
    return;
  }
  if (schema.ref !== null) {
    check(schema.ref, node, path, outcome);
    return;
  }
  const type = typeOf(node);
  const fits = schema.types.includes(type) || (type === "integer" && schema.types.includes("number"));
  if (schema.types.length > 0 && !fits) {
    const expected = schema.types.length > 1 ? `[${schema.types.join(",")}]` : schema.types[0];
    say(outcome, path, "invalid_type", `Invalid type. Expected: ${expected}, given: ${type}`);
    return;
  }
  checkSchemas(schema, node, path, outcome);
  checkKind(schema, node, path, outcome);
  outcome.score++;
}

function checkKind(schema: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  if (isArray(node)) checkArray(schema, node, path, outcome);
  else if (isObjectValue(node)) checkObject(schema, node, path, outcome);
  else if (isNumber(node)) checkNumber(schema, node.text, path, outcome);
  checkCommon(schema, node, path, outcome);
  if (typeof node === "string") checkString(schema, node, path, outcome);
  if (!isObjectValue(node)) return;
  for (const [key, one] of schema.properties) {
    const value = member(node, key);
    if (value !== undefined) check(one, value, `${path}.${key}`, outcome);
  }
}

function typeOf(node: RegoValue): string {
  if (node === null) return "null";
  if (isArray(node)) return "array";
  if (isNumber(node)) return isWhole(decimal(node.text)) ? "integer" : "number";
  return isObjectValue(node) ? "object" : typeof node;
}

function checkSchemas(schema: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  checkAnyOf(schema, node, path, outcome);
  checkOneOf(schema, node, path, outcome);
  if (schema.allOf.length > 0) {
    const all = schema.allOf.map((one) => checked(one, node, path));
    for (const one of all) merge(outcome, one);
    if (!all.every(isValid)) say(outcome, path, "number_all_of", "Must validate all the schemas (allOf)");
  }
  if (schema.not !== null && isValid(checked(schema.not, node, path)))
    say(outcome, path, "number_not", "Must not validate the schema (not)");
  checkDependencies(schema, node, path, outcome);
  checkCondition(schema, node, path, outcome);
  outcome.score++;
}

function isValid({ problems }: Outcome): boolean {
  return problems.length === 0;
}

function nearer(best: Outcome | null, other: Outcome): Outcome {
  return best === null || other.score > best.score ? other : best;
}

function checkAnyOf({ anyOf }: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  let best: Outcome | null = null;
  for (const one of anyOf) {
    const other = checked(one, node, path);
    if (isValid(other)) return;
    best = nearer(best, other);
  }
  if (best === null) return;
  say(outcome, path, "number_any_of", "Must validate at least one schema (anyOf)");
  merge(outcome, best);
}

function checkOneOf({ oneOf }: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  let valid = 0;
  let best: Outcome | null = null;
  for (const one of oneOf) {
    const other = checked(one, node, path);
    if (isValid(other)) valid++;
    else if (valid === 0) best = nearer(best, other);
  }
  if (oneOf.length === 0 || valid === 1) return;
  say(outcome, path, "number_one_of", "Must validate one and only one schema (oneOf)");
  if (valid === 0) merge(outcome, best);
}

function checkDependencies({ dependencies }: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  if (!isObjectValue(node) || dependencies.size === 0) return;
  for (const [key] of node.entries) {
    const dependency = dependencies.get(key as string);
    if (dependency === undefined) continue;
    if ("types" in dependency) check(dependency, node, path, outcome);
    else
      for (const name of dependency)
        if (member(node, name) === undefined) say(outcome, path, "missing_dependency", `Has a dependency on ${name}`);
  }
}

function checkCondition({ when, met, otherwise }: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  if (when === null) return;
  const holds = isValid(checked(when, node, path));
  const asked = holds ? met : otherwise;
  if (asked === null) return;
  const other = checked(asked, node, path);
  if (isValid(other)) return;
  if (holds) say(outcome, path, "condition_then", 'Must validate "then" as "if" was valid');
  else say(outcome, path, "condition_else", 'Must validate "else" as "if" was not valid');
  merge(outcome, other);
}

function checkCommon(schema: Schema, node: RegoValue, path: string, outcome: Outcome): void {
  const { constant, enumeration, format } = schema;
  const field = fieldOf(path);
  if (constant !== null && floatJson(node) !== constant)
    say(outcome, path, "const", `${field} does not match: ${constant}`);
  if (enumeration !== null && !enumeration.includes(floatJson(node)))
    say(outcome, path, "enum", `${field} must be one of the following: ${enumeration.join(", ")}`);
  if (format !== "" && typeof node === "string" && !isOfFormat(format, node))
    say(outcome, path, "format", `Does not match format '${format}'`);
  outcome.score++;
}

function checkArray(schema: Schema, items: readonly RegoValue[], path: string, outcome: Outcome): void {
  const known = schema.itemsAreOne ? items.length : Math.min(schema.items.length, items.length);
  const checkItem = (one: Schema, index: number) =>
    merge(outcome, checked(one, items[index] as RegoValue, `${path}.${index}`));
  for (let index = 0; index < known; index++) {
    const one = schema.items[schema.itemsAreOne ? 0 : index];
    if (one !== undefined) checkItem(one, index);
  }
  const more = schema.additionalItems;
  if (!schema.itemsAreOne && schema.items.length > 0 && known < items.length) {
    if (more === false) say(outcome, path, "array_no_additional_items", "No additional items allowed on array");
    else if (typeof more === "object" && more !== null)
      for (let index = known; index < items.length; index++) checkItem(more, index);
  }
  const { minItems, maxItems } = schema;
  if (minItems !== null && items.length < minItems)
    say(outcome, path, "array_min_items", `Array must have at least ${minItems} items`);
  if (maxItems !== null && items.length > maxItems)
    say(outcome, path, "array_max_items", `Array must have at most ${maxItems} items`);
  if (schema.uniqueItems) checkUnique(items, path, outcome);
  if (schema.contains !== null) checkContains(schema.contains, items, path, outcome);
  outcome.score++;
}

function checkUnique(items: readonly RegoValue[], path: string, outcome: Outcome): void {
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const text = floatJson(item);
    const before = seen.get(text);
    if (before !== undefined) say(outcome, path, "unique", `array items[${before},${index}] must be unique`);
    seen.set(text, index);
  }
}

function checkContains(schema: Schema, items: readonly RegoValue[], path: string, outcome: Outcome): void {
  let best: Outcome | null = null;
  for (const [index, item] of items.entries()) {
    const other = checked(schema, item, `${path}.${index}`);
    if (isValid(other)) return;
    best = nearer(best, other);
  }
  say(outcome, path, "contains", "At least one of the items must match");
  merge(outcome, best);
}

function checkObject(schema: Schema, node: RegoObject, path: string, outcome: Outcome): void {
  const { minProperties, maxProperties } = schema;
  if (minProperties !== null && node.entries.length < minProperties)
    say(outcome, path, "array_min_properties", `Must have at least ${minProperties} properties`);
  if (maxProperties !== null && node.entries.length > maxProperties)
    say(outcome, path, "array_max_properties", `Must have at most ${maxProperties} properties`);
  for (const name of schema.required) {
    if (member(node, name) === undefined) say(outcome, path, "required", `${name} is required`);
    else outcome.score++;
  }
  const described = new Set(schema.properties.map(([key]) => key));
  for (const [name, value] of node.entries) {
    const key = name as string;
    const matches = checkPatterns(schema, key, value, path, outcome);
    if (described.has(key) || matches) continue;
    const more = schema.additionalProperties;
    if (more === false)
      say(outcome, path, "additional_property_not_allowed", `Additional property ${key} is not allowed`);
    else if (typeof more === "object" && more !== null) merge(outcome, checked(more, value, `${path}.${key}`));
  }
  if (schema.propertyNames !== null) checkNames(schema.propertyNames, node, path, outcome);
  outcome.score++;
}

function checkPatterns(schema: Schema, key: string, value: RegoValue, path: string, outcome: Outcome): boolean {
  const matching = schema.patternProperties.filter(([pattern]) => pattern.matcher(key).find());
  for (const [, one] of matching) merge(outcome, checked(one, value, `${path}.${key}`));
  if (matching.length > 0) outcome.score++;
  return matching.length > 0;
}

function checkNames(schema: Schema, node: RegoObject, path: string, outcome: Outcome): void {
  for (const [name] of node.entries) {
    const other = checked(schema, name, path);
    if (isValid(other)) continue;
    say(outcome, path, "invalid_property_name", `Property name of "${name}" does not match`);
    merge(outcome, other);
  }
}

function checkString(schema: Schema, text: string, path: string, outcome: Outcome): void {
  const { minLength, maxLength, pattern } = schema;
  const length = minLength === null && maxLength === null ? 0 : [...text].length;
  if (minLength !== null && length < minLength)
    say(outcome, path, "string_gte", `String length must be greater than or equal to ${minLength}`);
  if (maxLength !== null && length > maxLength)
    say(outcome, path, "string_lte", `String length must be less than or equal to ${maxLength}`);
  if (pattern !== null && !pattern.matcher(text).find())
    say(outcome, path, "pattern", `Does not match pattern '${pattern.pattern()}'`);
  outcome.score++;
}

function checkNumber(schema: Schema, text: string, path: string, outcome: Outcome): void {
  const { multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum } = schema;
  const value = decimal(text);
  if (multipleOf !== null && !isMultiple(value, multipleOf))
    say(outcome, path, "multiple_of", `Must be a multiple of ${floatText(multipleOf)}`);
  if (maximum !== null && compareDecimals(value, maximum) > 0)
    say(outcome, path, "number_lte", `Must be less than or equal to ${floatText(maximum)}`);
  if (exclusiveMaximum !== null && compareDecimals(value, exclusiveMaximum) >= 0)
    say(outcome, path, "number_lt", `Must be less than ${floatText(exclusiveMaximum)}`);
  if (minimum !== null && compareDecimals(value, minimum) < 0)
    say(outcome, path, "number_gte", `Must be greater than or equal to ${floatText(minimum)}`);
  if (exclusiveMinimum !== null && compareDecimals(value, exclusiveMinimum) <= 0)
    say(outcome, path, "number_gt", `Must be greater than ${floatText(exclusiveMinimum)}`);
  outcome.score++;
}
