/** A JSON Schema made ready to be asked, and what is wrong with it in gojsonschema's words. */
import { RE2JS } from "re2js";
import { isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import { isObjectValue, member } from "./call.ts";
import { type Decimal, decimal, isWhole } from "./decimal.ts";
import { SchemaError, SchemaPool } from "./json-schema-pool.ts";
import { floatJson } from "./json-text.ts";

export type Dependency = readonly string[] | Schema;

/** One schema; what it does not say is null or empty. */
export interface Schema {
  /** A schema that is `true` or `false`. */
  pass: boolean | null;
  ref: Schema | null;
  types: string[];
  properties: (readonly [string, Schema])[];
  additionalProperties: boolean | Schema | null;
  patternProperties: (readonly [RE2JS, Schema])[];
  propertyNames: Schema | null;
  dependencies: Map<string, Dependency>;
  items: Schema[];
  itemsAreOne: boolean;
  additionalItems: boolean | Schema | null;
  multipleOf: Decimal | null;
  minimum: Decimal | null;
  exclusiveMinimum: Decimal | null;
  maximum: Decimal | null;
  exclusiveMaximum: Decimal | null;
  minLength: number | null;
  maxLength: number | null;
  pattern: RE2JS | null;
  format: string;
  minProperties: number | null;
  maxProperties: number | null;
  required: readonly string[];
  minItems: number | null;
  maxItems: number | null;
  uniqueItems: boolean;
  contains: Schema | null;
  constant: string | null;
  enumeration: readonly string[] | null;
  oneOf: readonly Schema[];
  anyOf: readonly Schema[];
  allOf: readonly Schema[];
  not: Schema | null;
  when: Schema | null;
  met: Schema | null;
  otherwise: Schema | null;
}

/** The number of a draft; where a schema does not name one, the rules of all are mixed. */
export type Draft = 4 | 6 | 7 | typeof HYBRID;
const HYBRID = Number.MAX_SAFE_INTEGER;

const DRAFTS: Readonly<Record<string, Draft>> = {
  "http://json-schema.org/draft-04/schema": 4,
  "http://json-schema.org/draft-06/schema": 6,
  "http://json-schema.org/draft-07/schema": 7,
};
const TYPES = ["array", "boolean", "integer", "number", "null", "object", "string"] as const;
const SHOWN_TYPES = `[${TYPES.join(" ")}]`;

const A_SCHEMA = "Valid Schema";
const SCHEMAS = "Array Of Schemas";
const TEXTS = "Array Of Strings";
const DEPENDENCY = "Schema Or Array Of Strings";

/** @throws SchemaError LimitError where a schema lies outside of the document */
export function readSchema(document: RegoValue): Schema {
  const draft = draftOf(document);
  return new Reader(new SchemaPool(document), draft).root(document);
}

function draftOf(document: RegoValue): Draft {
  if (typeof document === "boolean") return HYBRID;
  if (!isObjectValue(document)) throw new SchemaError("schema is invalid");
  const named = member(document, "$schema");
  if (named === undefined) return HYBRID;
  if (typeof named !== "string") throw mustBeOfType("$schema", "string");
  return DRAFTS[named.replace(/#$/, "")] ?? HYBRID;
}

class Reader {
  readonly #pool: SchemaPool;
  readonly #draft: Draft;
  /** By absolute reference: read once, so that a schema may name itself. */
  readonly #references = new Map<string, Schema>();

  constructor(pool: SchemaPool, draft: Draft) {
    this.#pool = pool;
    this.#draft = draft;
  }

  root(document: RegoValue): Schema {
    return this.#schema(document);
  }

  #schema(node: RegoValue): Schema {
    const schema = emptySchema();
    this.#fill(schema, node);
    return schema;
  }

  #fill(schema: Schema, node: RegoValue): void {
    if (this.#draft >= 6 && typeof node === "boolean") {
      schema.pass = node;
      return;
    }
    if (!isObjectValue(node)) throw new SchemaError(`Expected: ${A_SCHEMA}, given: Invalid JSON`);
    const said = new Keys(node);
    this.#checkId(said);
    this.#checkDefinitions(said);
    said.text("title");
    said.text("description");
    const reference = said.text("$ref");
    if (reference !== null) {
      schema.ref = this.#reference(this.#pool.absolute(node, reference));
      return;
    }
    schema.types = typesIn(said.get("type"));
    this.#readObjectSchemas(schema, said);
    this.#readItems(schema, said);
    readNumbers(schema, said, this.#draft);
    readLengths(schema, said);
    this.#readRest(schema, said);
  }

  #checkId(said: Keys): void {
    const old = said.get("id") !== undefined;
    said.text(this.#draft === 4 || (this.#draft === HYBRID && old) ? "id" : "$id");
  }

  #checkDefinitions(said: Keys): void {
    const definitions = said.get("definitions");
    if (definitions === undefined) return;
    if (!isObjectValue(definitions)) throw invalidType(SCHEMAS, "definitions");
    for (const [, one] of definitions.entries) {
      if (!isSchemaNode(one)) throw invalidType(SCHEMAS, "definitions");
      this.#schema(one);
    }
  }

  #reference(absolute: string): Schema {
    const known = this.#references.get(absolute);
    if (known !== undefined) return known;
    const schema = emptySchema();
    this.#references.set(absolute, schema);
    const node = this.#pool.find(absolute);
    if (!isSchemaNode(node)) throw mustBeOfType(A_SCHEMA, "object");
    this.#fill(schema, node);
    return schema;
  }

  #readObjectSchemas(schema: Schema, said: Keys): void {
    const properties = said.get("properties");
    if (properties !== undefined) {
      if (!isObjectValue(properties)) throw mustBeOfType("Properties", "object");
      schema.properties = properties.entries.map(([key, one]) => [key as string, this.#schema(one)]);
    }
    schema.additionalProperties = this.#booleanOrSchema(said, "additionalProperties");
    const patterns = said.get("patternProperties");
    if (patterns !== undefined) {
      if (!isObjectValue(patterns)) throw invalidType(A_SCHEMA, "patternProperties");
      schema.patternProperties = patterns.entries.map(([key, one]) => {
        const pattern = compiled(key as string);
        if (pattern === null) throw new SchemaError(`Invalid regex pattern '${key}'`);
        return [pattern, this.#schema(one)];
      });
    }
    const names = said.get("propertyNames");
    if (names !== undefined && this.#draft >= 6) {
      if (!isSchemaNode(names)) throw invalidType(A_SCHEMA, "patternProperties");
      schema.propertyNames = this.#schema(names);
    }
    this.#readDependencies(schema, said.get("dependencies"));
  }

  #readDependencies(schema: Schema, dependencies: RegoValue | undefined): void {
    if (dependencies === undefined) return;
    if (!isObjectValue(dependencies)) throw mustBeOfType("dependencies", "object");
    for (const [key, one] of dependencies.entries) {
      if (isArray(one)) {
        if (!one.every((name) => typeof name === "string")) throw mustBeOfType("Dependency", DEPENDENCY);
        if (one.length > 0) schema.dependencies.set(key as string, one as readonly string[]);
      } else if (isSchemaNode(one)) {
        schema.dependencies.set(key as string, this.#schema(one));
      } else {
        throw mustBeOfType("Dependency", DEPENDENCY);
      }
    }
  }

  #readItems(schema: Schema, said: Keys): void {
    const items = said.get("items");
    const all = items === undefined ? [] : isArray(items) ? items : [items];
    if (!all.every(isSchemaNode)) throw invalidType(`${A_SCHEMA}/${SCHEMAS}`, "items");
    schema.items = all.map((one) => this.#schema(one));
    schema.itemsAreOne = items !== undefined && !isArray(items);
    schema.additionalItems = this.#booleanOrSchema(said, "additionalItems");
  }

  #booleanOrSchema(said: Keys, key: string): boolean | Schema | null {
    const value = said.get(key);
    if (value === undefined) return null;
    if (typeof value === "boolean") return value;
    if (!isObjectValue(value)) throw invalidType(`boolean/${A_SCHEMA}`, key);
    return this.#schema(value);
  }

  #readRest(schema: Schema, said: Keys): void {
    const contains = said.get("contains");
    if (contains !== undefined && this.#draft >= 6) schema.contains = this.#schema(contains);
    const constant = said.get("const");
    if (constant !== undefined && this.#draft >= 6) schema.constant = floatJson(constant);
    schema.enumeration = said.list("enum")?.map(floatJson) ?? null;
    requireUnique(schema.enumeration ?? [], "enum");
    schema.oneOf = (said.list("oneOf") ?? []).map((one) => this.#schema(one));
    schema.anyOf = (said.list("anyOf") ?? []).map((one) => this.#schema(one));
    schema.allOf = (said.list("allOf") ?? []).map((one) => this.#schema(one));
    schema.not = this.#schemaAt(said, "not");
    if (this.#draft < 7) return;
    schema.when = this.#schemaAt(said, "if");
    schema.met = this.#schemaAt(said, "then");
    schema.otherwise = this.#schemaAt(said, "else");
  }

  #schemaAt(said: Keys, key: string): Schema | null {
    const value = said.get(key);
    if (value === undefined) return null;
    if (!isSchemaNode(value)) throw mustBeOfAn(key, "object");
    return this.#schema(value);
  }
}

class Keys {
  readonly #node: RegoObject;

  constructor(node: RegoObject) {
    this.#node = node;
  }

  get(key: string): RegoValue | undefined {
    return member(this.#node, key);
  }

  text(key: string): string | null {
    const value = this.get(key);
    if (value !== undefined && typeof value !== "string") throw invalidType("string", key);
    return value ?? null;
  }

  list(key: string): readonly RegoValue[] | null {
    const value = this.get(key);
    if (value !== undefined && !isArray(value)) throw mustBeOfAn(key, "array");
    return value ?? null;
  }

  number(key: string): Decimal | null {
    const value = this.get(key);
    return value !== undefined && isNumber(value) ? decimal(value.text) : null;
  }

  /** A length or a count. */
  count(key: string): number | null {
    if (this.get(key) === undefined) return null;
    const found = this.number(key);
    if (found === null || !isWhole(found)) throw mustBeOfAn(key, "integer");
    const number = Number(found.digits) * 10 ** found.exponent;
    if (number < 0) throw new SchemaError(`${key} must be greater than or equal to 0`);
    return number;
  }
}

function typesIn(value: RegoValue | undefined): string[] {
  if (value === undefined) return [];
  const types: string[] = [];
  const wrong = invalidType("type", `string/${TEXTS}`);
  if (typeof value !== "string" && !isArray(value)) throw wrong;
  for (const one of isArray(value) ? value : [value]) {
    if (typeof one !== "string") throw wrong;
    if (!(TYPES as readonly string[]).includes(one))
      throw new SchemaError(
        `has a primitive type that is NOT VALID -- given: /${one}/ Expected valid values are:${SHOWN_TYPES}`,
      );
    if (types.includes(one)) throw new SchemaError(`${one} type is duplicated`);
    types.push(one);
  }
  return types;
}

function readNumbers(schema: Schema, said: Keys, draft: Draft): void {
  if (said.get("multipleOf") !== undefined) {
    schema.multipleOf = said.number("multipleOf");
    if (schema.multipleOf === null) throw invalidType("Number", "multipleOf");
    if (schema.multipleOf.digits <= 0n) throw new SchemaError("multipleOf must be strictly greater than 0");
  }
  [schema.minimum, schema.exclusiveMinimum] = bound(said, draft, "minimum", "exclusiveMinimum");
  [schema.maximum, schema.exclusiveMaximum] = bound(said, draft, "maximum", "exclusiveMaximum");
}

/** In draft 4 the exclusive bound is a boolean that changes the other one. */
function bound(said: Keys, draft: Draft, key: string, exclusiveKey: string): [Decimal | null, Decimal | null] {
  const inclusive = said.number(key);
  if (said.get(key) !== undefined && inclusive === null) throw new SchemaError(`${key} must be of a Number`);
  const exclusive = said.get(exclusiveKey);
  if (exclusive === undefined) return [inclusive, null];
  if (typeof exclusive === "boolean" && (draft === 4 || draft === HYBRID)) {
    if (inclusive === null) throw new SchemaError(`${exclusiveKey} cannot be used without ${key}`);
    return exclusive ? [null, inclusive] : [inclusive, null];
  }
  if (draft === 4) throw invalidType("boolean", exclusiveKey);
  if (!isNumber(exclusive)) throw invalidType(draft === HYBRID ? "boolean/number" : "number", exclusiveKey);
  return [inclusive, decimal(exclusive.text)];
}

function readLengths(schema: Schema, said: Keys): void {
  schema.minLength = said.count("minLength");
  schema.maxLength = said.count("maxLength");
  requireOrder(schema.minLength, schema.maxLength, "minLength", "maxLength");
  const pattern = said.text("pattern");
  if (pattern !== null) {
    schema.pattern = compiled(pattern);
    if (schema.pattern === null) throw new SchemaError("pattern must be a valid regex");
  }
  schema.format = said.text("format") ?? "";
  schema.minProperties = said.count("minProperties");
  schema.maxProperties = said.count("maxProperties");
  requireOrder(schema.minProperties, schema.maxProperties, "minProperties", "maxProperties");
  const required = said.list("required") ?? [];
  if (!required.every((one) => typeof one === "string")) throw invalidType("string", "required");
  requireUnique(required as readonly string[], "required");
  schema.required = required as readonly string[];
  schema.minItems = said.count("minItems");
  schema.maxItems = said.count("maxItems");
  const unique = said.get("uniqueItems");
  if (unique !== undefined && typeof unique !== "boolean") throw new SchemaError("uniqueItems must be of a boolean");
  schema.uniqueItems = unique ?? false;
}

function requireOrder(least: number | null, most: number | null, leastKey: string, mostKey: string): void {
  if (least !== null && most !== null && least > most)
    throw new SchemaError(`${leastKey} cannot be greater than ${mostKey}`);
}

function requireUnique(texts: readonly string[], key: string): void {
  if (new Set(texts).size !== texts.length) throw new SchemaError(`${key} items must be unique`);
}

function compiled(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return null;
  }
}

function emptySchema(): Schema {
  return {
    ...{ pass: null, ref: null, types: [], properties: [], additionalProperties: null, patternProperties: [] },
    ...{ propertyNames: null, dependencies: new Map(), items: [], itemsAreOne: false, additionalItems: null },
    ...{ multipleOf: null, minimum: null, exclusiveMinimum: null, maximum: null, exclusiveMaximum: null },
    ...{ minLength: null, maxLength: null, pattern: null, format: "", minProperties: null, maxProperties: null },
    ...{ required: [], minItems: null, maxItems: null, uniqueItems: false, contains: null, constant: null },
    ...{ enumeration: null, oneOf: [], anyOf: [], allOf: [], not: null, when: null, met: null, otherwise: null },
  };
}

function isSchemaNode(node: RegoValue): boolean {
  return typeof node === "boolean" || isObjectValue(node);
}

export function isNumber(value: RegoValue): value is { type: "number"; text: string } {
  return typeof value === "object" && value !== null && !isArray(value) && value.type === "number";
}

function invalidType(expected: string, given: string): SchemaError {
  return new SchemaError(`Invalid type. Expected: ${expected}, given: ${given}`);
}

function mustBeOfType(key: string, type: string): SchemaError {
  return new SchemaError(`${key} must be of type ${type}`);
}

function mustBeOfAn(key: string, what: string): SchemaError {
  return new SchemaError(`${key} must be of an ${what}`);
}
