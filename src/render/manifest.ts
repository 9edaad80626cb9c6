/** One manifest file, YAML or JSON: bytes to resources and failures. */
import { decodeUtf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { parseStrictJson } from "../lib/json.ts";
import { escapeToken } from "../lib/json-pointer.ts";
import { positionAt } from "../lib/text-position.ts";
import { MAXIMUM_YAML_BYTES, readYamlDocuments, type YamlDocument } from "../lib/yaml.ts";
import { type Locator, openLocator } from "../lib/yaml-position.ts";
import { MAXIMUM_YAML_DEPTH } from "../lib/yaml-value.ts";
import { identify, isObject } from "./identity.ts";
import { readPod } from "./pod.ts";
import type { RenderedParts } from "./renderer.ts";
import type { RenderFailure, Resource, ResourceId } from "./resource.ts";

/** Locating each costs a walk through the file; the render is refused anyway. */
const MAXIMUM_FAILURES = 100;
/** What a list may hold beside its items; anything else would be dropped without a word. */
const LIST_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "items"]);

export function isManifest(path: string): boolean {
  return /\.(?:ya?ml|json)$/.test(path);
}

/** Never throws. Documents of an ignored file that are no objects at all are left out; objects in it never are. */
export function readManifest(path: string, bytes: Uint8Array, isIgnored: boolean): RenderedParts {
  if (bytes.byteLength > MAXIMUM_YAML_BYTES) return refused(tooLarge(path));
  const text = decodeUtf8(bytes);
  if (text === null) return refused(notUtf8(path, bytes));
  const reading = isJson(path) ? readJson(path, text) : readYamlDocuments(text, path);
  if (reading.kind === "refused") return refused(reading.failure);
  const manifest = new Manifest(path, text, isIgnored);
  for (const document of reading.documents) manifest.add(document);
  return manifest;
}

export function tooLarge(path: string): RenderFailure {
  const message = `${path} is larger than ${MAXIMUM_YAML_BYTES / 1024 / 1024} MiB.`;
  return { code: isJson(path) ? "json-too-large" : "yaml-too-large", message, file: path, line: 1, column: 1 };
}

class Manifest implements RenderedParts {
  readonly resources: Resource[] = [];
  readonly failures: RenderFailure[] = [];
  readonly #path: string;
  readonly #text: string;
  readonly #isIgnored: boolean;
  #locator: Locator | null = null;

  constructor(path: string, text: string, isIgnored: boolean) {
    this.#path = path;
    this.#text = text;
    this.#isIgnored = isIgnored;
  }

  add(document: YamlDocument): void {
    this.#add(document, "", document.value);
  }

  #add(document: YamlDocument, at: string, value: JsonValue): void {
    if (this.failures.length >= MAXIMUM_FAILURES) return;
    if (this.#isIgnored && !claimsToBeObject(value)) return;
    if (isObject(value) && Object.hasOwn(value, "items")) this.#addList(document, at, value);
    else this.#addObject(document, at, value);
  }

  #addList(document: YamlDocument, at: string, list: JsonObject): void {
    const problem = listProblem(list);
    if (problem !== null) this.#fail(document, `${at}${problem.at}`, "list-ambiguous", problem.message);
    else {
      const items = list["items"] as readonly JsonValue[];
      for (const [index, item] of items.entries()) this.#add(document, `${at}/items/${index}`, item);
    }
  }

  #addObject(document: YamlDocument, at: string, value: JsonValue): void {
    const found = identify(value);
    if (found.kind === "refused") this.#fail(document, `${at}${found.at}`, found.code, found.message);
    else this.#addIdentified(document, at, value as JsonObject, found.id);
  }

  #addIdentified(document: YamlDocument, at: string, object: JsonObject, id: ResourceId): void {
    const pod = readPod(object);
    if (pod.kind === "malformed") this.#fail(document, `${at}${pod.at}`, "workload-malformed", pod.message);
    else {
      const canonical = canonicalJson(object);
      const origin = { file: this.#path, line: document.line, document: document.index, at, tool: "plain" } as const;
      this.resources.push({ id, object, canonical, sha256: sha256Hex(canonical), origin });
    }
  }

  #fail(document: YamlDocument, pointer: string, code: RenderFailure["code"], message: string): void {
    this.#locator ??= openLocator(this.#text);
    const { line, column } = this.#locator(document.index, pointer);
    this.failures.push({ code, message, file: this.#path, line, column });
  }
}

function claimsToBeObject(value: JsonValue): boolean {
  return isObject(value) && (Object.hasOwn(value, "apiVersion") || Object.hasOwn(value, "kind"));
}

interface ListProblem {
  /** JSON pointer within the list. */
  readonly at: string;
  readonly message: string;
}

const ITEMS = "/items";

/** kubectl takes whatever has `items` at its top for a list, whatever its kind says; only what is both may be flattened. */
function listProblem(value: JsonObject): ListProblem | null {
  const { kind, items, metadata } = value;
  if (typeof kind !== "string" || !kind.endsWith("List")) {
    const message =
      "An object that is no list has a field items at its top; appliers would create the items instead of it.";
    return { at: ITEMS, message };
  }
  if (!Array.isArray(items)) return { at: ITEMS, message: "items of this list is not a list." };
  if (isObject(metadata) && Object.hasOwn(metadata, "name")) {
    return { at: ITEMS, message: "This list has a name of its own, as objects do." };
  }
  const extra = Object.keys(value).find((key) => !LIST_FIELDS.has(key));
  const message = "Lists have no such field; apiVersion, kind, metadata and items are all that they have.";
  return extra === undefined ? null : { at: `/${escapeToken(extra)}`, message };
}

type JsonFileReading =
  | { readonly kind: "documents"; readonly documents: readonly YamlDocument[] }
  | { readonly kind: "refused"; readonly failure: RenderFailure };

function readJson(path: string, text: string): JsonFileReading {
  const reading = parseStrictJson(text, { bytes: MAXIMUM_YAML_BYTES, depth: MAXIMUM_YAML_DEPTH });
  if (reading.kind === "refused") {
    const { problem, message, line, column } = reading;
    return { kind: "refused", failure: { code: JSON_CODES[problem], message, file: path, line, column } };
  }
  const { line } = positionAt(text, text.search(/\S/));
  return { kind: "documents", documents: [{ index: 0, line, value: reading.value }] };
}

const JSON_CODES = {
  malformed: "json-malformed",
  key: "json-malformed",
  "too-deep": "json-too-deep",
  "duplicate-key": "json-duplicate-key",
  number: "json-number",
  "too-large": "json-too-large",
} as const;

function notUtf8(path: string, bytes: Uint8Array): RenderFailure {
  const code = isJson(path) ? "json-malformed" : "yaml-malformed";
  const readable = Buffer.from(bytes).toString("utf8");
  const place = positionAt(readable, Math.max(0, readable.indexOf("\ufffd")));
  return { code, message: "The file is not well-formed UTF-8.", file: path, ...place };
}

function isJson(path: string): boolean {
  return path.endsWith(".json");
}

function refused(failure: RenderFailure): RenderedParts {
  return { resources: [], failures: [failure] };
}
