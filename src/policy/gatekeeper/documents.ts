/** Gatekeeper's objects in the YAML and JSON files of a policy folder, and the places of the Rego that stands in them. */
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import { readYamlDocuments } from "../../lib/yaml.ts";
import { type Locator, openLocator } from "../../lib/yaml-position.ts";
import { mistake, type PolicyDocument, type PolicyProblem, type WrittenAt } from "../dialect.ts";
import type { PolicyFile } from "../policy-set.ts";
import { isObject } from "../toolchain.ts";

const GATEKEEPER = "gatekeeper.sh";
/** What names no group of Gatekeeper's but that of its tests holds no policy; suites are read by suite.ts. */
const MARK = /(?<![\w.-])(?!test\.gatekeeper\.sh)[a-z0-9.-]+\.gatekeeper\.sh/;
const DOCUMENT_FILE = /\.(?:ya?ml|json)$/;
/** Objects that examples of rules are about are no policies. */
const EXAMPLE = /(?:^|\/)examples\/(?:allow|deny)\//;

export interface ReadDocuments {
  readonly documents: readonly PolicyDocument[];
  /** Files that hold such objects: part of what policies are. */
  readonly files: readonly PolicyFile[];
  readonly problems: readonly PolicyProblem[];
}

/** By its path alone: whether a file may hold such objects. */
export function isDocumentFile(path: string): boolean {
  return DOCUMENT_FILE.test(path) && !EXAMPLE.test(path);
}

export function readPolicyDocuments(files: readonly PolicyFile[]): ReadDocuments {
  const documents: PolicyDocument[] = [];
  const found: PolicyFile[] = [];
  const problems: PolicyProblem[] = [];
  for (const file of files) {
    if (!MARK.test(file.text)) continue;
    const reading = readYamlDocuments(file.text, file.path);
    if (reading.kind === "refused") {
      const { message, line, column } = reading.failure;
      problems.push(mistake("template-invalid", message, file.path, line, column));
      continue;
    }
    const locate = openLocator(file.text);
    const own = reading.documents.flatMap(({ index, value }) =>
      objectsOf(value, "").map(({ object, at }) => documentOf(file, locate, index, at, object)),
    );
    if (own.length > 0) found.push(file);
    documents.push(...own);
  }
  return { documents, files: found, problems };
}

/** Items of lists too, as kubectl prints them. */
function objectsOf(value: JsonValue, at: string): readonly { object: JsonObject; at: string }[] {
  if (!isObject(value)) return [];
  const { apiVersion, kind, items } = value;
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(items)) {
    return items.flatMap((item: JsonValue, index) => objectsOf(item, `${at}/items/${index}`));
  }
  return typeof apiVersion === "string" && groupOf(apiVersion).endsWith(GATEKEEPER) ? [{ object: value, at }] : [];
}

export function groupOf(apiVersion: string): string {
  return apiVersion.slice(0, Math.max(0, apiVersion.indexOf("/")));
}

function documentOf(
  { path, text }: PolicyFile,
  locate: Locator,
  index: number,
  at: string,
  value: JsonObject,
): PolicyDocument {
  const place = (pointer: string) => locate(index, at + pointer);
  return {
    file: path,
    value,
    place,
    written: (pointer, inner) => writtenAt(path, text, place(pointer).line, inner),
  };
}

/** A block of text begins in the line after its key; lines that are not found as they are have only the key's line. */
function writtenAt(file: string, text: string, line: number, inner: string): WrittenAt {
  const lines = text.split(/\r?\n/);
  const wanted = inner.split("\n");
  const first = wanted.findIndex((one) => one.trim() !== "");
  for (const start of [line, line - 1]) {
    const indent = (lines[start + first]?.length ?? 0) - (wanted[first]?.trimEnd().length ?? 0);
    const isSame = (one: string, at: number) =>
      one.trim() === "" || (lines[start + at] ?? "").trimEnd() === " ".repeat(Math.max(0, indent)) + one.trimEnd();
    if (first >= 0 && indent >= 0 && wanted.every(isSame)) return { file, line: start + 1, indent };
  }
  return { file, line, indent: null };
}
