/**
 * `data.json`, `data.yaml` and `data.yml` in a folder of policies: documents that policies read under `data`, each at the
 * place of its folder, as OPA's bundles have them (v1/bundle, insertData). What two of them define is refused, as there;
 * so is what two readers could read differently.
 */
import { type ExactJson, type ExactObject, exactJsonText, isExactObject } from "../lib/exact-json.ts";
import { HOSTILE_KEYS, parseExactJson } from "../lib/json.ts";
import { escapeToken } from "../lib/json-pointer.ts";
import { readYamlDocuments } from "../lib/yaml.ts";
import { openLocator } from "../lib/yaml-position.ts";
import { mistake, type PolicyProblem } from "./dialect.ts";
import { EXTERNAL_PACKAGE } from "./external.ts";
import type { DataEntry, PolicyFile } from "./policy-set.ts";

export const DATA_FILE = /(?:^|\/)data\.(?:json|ya?ml)$/;
/** Of all data files together: a module needs some thirteen times as much memory for what it reads. */
export const MAXIMUM_DATA_BYTES = 8 * 1024 * 1024;
const MAXIMUM_DEPTH = 100;
/** What the host itself puts under `data`, or calls so: sources outside, imported packages, the other objects. */
const RESERVED: ReadonlySet<string> = new Set([EXTERNAL_PACKAGE, "inventory", "sluice"]);

/** A document and where it stands. */
interface Placed {
  readonly file: PolicyFile;
  readonly at: readonly string[];
  readonly value: ExactJson;
}

export interface ReadData {
  /** All documents as one; empty where there is none. */
  readonly document: ExactObject;
  /** What is read, in the order of the files: "data.shop" and its file. */
  readonly places: readonly { readonly name: string; readonly file: string }[];
  readonly problems: readonly PolicyProblem[];
  /** The file that defines the path or a value around it, and where; null where none does. */
  readonly definedAt: (path: readonly string[]) => Pick<PolicyProblem, "file" | "line" | "column"> | null;
}

/** `path` below the folder of the policies; what is no data file is nowhere. */
export function policyFile(folder: string, path: string, text: string): PolicyFile {
  const whole = folder === "" ? path : `${folder.replace(/\/$/, "")}/${path}`;
  return DATA_FILE.test(path) ? { path: whole, text, at: folderOf(path) } : { path: whole, text };
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Where a data file stands: what its door said, else its folder as it is called. */
export function placeOfData({ path, at }: PolicyFile): readonly string[] {
  const folder = at ?? folderOf(path);
  return folder === "" ? [] : folder.split("/");
}

/** `files` that are no data files are passed over. */
export function readDataFiles(files: readonly PolicyFile[]): ReadData {
  return readPlaced(
    files.filter(({ path }) => DATA_FILE.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1)),
    placeOfData,
  );
}

/** Documents that stand at the top whatever they are called, as `conftest test --data` takes them. */
export function readTopData(files: readonly PolicyFile[]): ReadData {
  return readPlaced(files, () => []);
}

function readPlaced(files: readonly PolicyFile[], placeOf: (file: PolicyFile) => readonly string[]): ReadData {
  const problems: PolicyProblem[] = [];
  const placed: Placed[] = [];
  let document: ExactObject = Object.create(null) as ExactObject;
  let bytes = 0;
  for (const file of files) {
    bytes += Buffer.byteLength(file.text);
    if (bytes > MAXIMUM_DATA_BYTES) {
      problems.push(wrong(file, "data-invalid", "The data files are larger than 8 MiB together."));
      break;
    }
    const at = placeOf(file);
    const hostile = at.find((name) => HOSTILE_KEYS.has(name));
    if (hostile !== undefined) {
      problems.push(wrong(file, "data-invalid", `A folder of data cannot be called ${hostile}.`));
      continue;
    }
    const read = readDocument(file, at);
    if ("severity" in read) {
      problems.push(read);
      continue;
    }
    const tree = treeOf(at, read.value);
    const reserved = Object.keys(tree).find((name) => RESERVED.has(name));
    const twice = firstConflict(document, tree, []);
    if (reserved !== undefined) problems.push(reservedName({ file, ...read, at }, reserved));
    else if (twice !== null) problems.push(definedTwice({ file, ...read, at }, twice, placed));
    else document = merged(document, tree);
    placed.push({ file, at, value: read.value });
  }
  return {
    document,
    problems,
    places: placed.map(({ file, at }) => ({ name: nameOf(at), file: file.path })),
    definedAt: (path) => {
      const found = placed.find((one) => defines(one, path));
      return found === undefined ? null : { file: found.file.path, ...placeIn(found, path) };
    },
  };
}

function readDocument(file: PolicyFile, at: readonly string[]): { readonly value: ExactJson } | PolicyProblem {
  const read = file.path.endsWith(".json") ? readJson(file) : readYaml(file);
  if ("severity" in read || at.length > 0 || isExactObject(read.value)) return read;
  return wrong(file, "data-invalid", "What stands at the top of data is an object, and this is none.");
}

function readJson(file: PolicyFile): { readonly value: ExactJson } | PolicyProblem {
  const reading = parseExactJson(file.text, { bytes: MAXIMUM_DATA_BYTES, depth: MAXIMUM_DEPTH });
  if (reading.kind === "value") return reading;
  return mistake("data-invalid", reading.message, file.path, reading.line, reading.column);
}

/** Integers that a double does not carry are refused in YAML, since its readers disagree about them. */
function readYaml(file: PolicyFile): { readonly value: ExactJson } | PolicyProblem {
  const reading = readYamlDocuments(file.text, file.path);
  if (reading.kind === "refused") {
    const { message, line, column } = reading.failure;
    return mistake("data-invalid", message, file.path, line, column);
  }
  const [first, second] = reading.documents;
  if (first === undefined) return wrong(file, "data-invalid", "The file holds no document.");
  if (second === undefined) return first;
  return mistake("data-invalid", "The file holds more than one document.", file.path, second.line, null);
}

function treeOf(at: readonly string[], value: ExactJson): ExactObject {
  if (at.length === 0) return value as ExactObject;
  return at.reduceRight<ExactJson>((inner, name) => member(name, inner), value) as ExactObject;
}

/** Names are anything: an object without a prototype has none but these. */
function member(name: string, value: ExactJson): ExactObject {
  const object = Object.create(null) as Record<string, ExactJson>;
  object[name] = value;
  return object;
}

function merged(a: ExactObject, b: ExactObject): ExactObject {
  const object = Object.assign(Object.create(null) as Record<string, ExactJson>, a);
  for (const [name, value] of Object.entries(b)) {
    const known = object[name];
    object[name] = isExactObject(known) && isExactObject(value) ? merged(known, value) : value;
  }
  return object;
}

/** Two objects become one; anything else that is there twice is a conflict, even where both say the same. */
function firstConflict(a: ExactObject, b: ExactObject, path: readonly string[]): readonly string[] | null {
  for (const [name, value] of Object.entries(b)) {
    if (!Object.hasOwn(a, name)) continue;
    const known = a[name];
    if (!isExactObject(known) || !isExactObject(value)) return [...path, name];
    const below = firstConflict(known, value, [...path, name]);
    if (below !== null) return below;
  }
  return null;
}

/** Whether the document has a value at the path, or one that is no object around it. */
function defines({ at, value }: Placed, path: readonly string[]): boolean {
  const common = at.every((name, index) => index >= path.length || name === path[index]);
  if (!common || path.length < at.length) return common && path.length > 0;
  let found: ExactJson | undefined = value;
  for (const name of path.slice(at.length)) {
    if (!isExactObject(found)) return true;
    if (!Object.hasOwn(found, name)) return false;
    found = found[name];
  }
  return true;
}

/** The deepest place of the path that the file itself has. */
function placeIn({ file, at }: Placed, path: readonly string[]): { line: number; column: number } {
  const pointer = path.slice(at.length).map((name) => `/${escapeToken(name)}`);
  return openLocator(file.text)(0, pointer.join(""));
}

function definedTwice(one: Placed, path: readonly string[], placed: readonly Placed[]): PolicyProblem {
  const other = placed.find((before) => defines(before, path));
  const first = other === undefined ? null : placeIn(other, path);
  const elsewhere = other === undefined ? "another data file" : `${other.file.path}:${first?.line}:${first?.column}`;
  const { line, column } = placeIn(one, path);
  return mistake("data-conflict", `${nameOf(path)} is defined by ${elsewhere} too.`, one.file.path, line, column);
}

function reservedName(one: Placed, name: string): PolicyProblem {
  const { line, column } = placeIn(one, [name]);
  return mistake(
    "data-reserved",
    `data.${name} is what Sluice itself gives policies; no file may define it.`,
    one.file.path,
    line,
    column,
  );
}

function wrong({ path }: PolicyFile, code: PolicyProblem["code"], message: string): PolicyProblem {
  return mistake(code, message, path, 1, null);
}

/** As Rego writes it. */
export function nameOf(path: readonly string[]): string {
  return path.reduce(
    (name, part) => name + (/^[A-Za-z_]\w*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`),
    "data",
  );
}

/** JSON text of an object that has each value at its place. No path may lead into another. */
export function nestedText(entries: readonly DataEntry[]): string {
  const groups = Map.groupBy(entries, ([path]) => path[0] ?? "");
  const members = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, group]) => {
      const [[path, text] = [[], ""]] = group;
      const inner = path.length <= 1 ? text : nestedText(group.map(([below, value]) => [below.slice(1), value]));
      return `${exactJsonText(name)}:${inner}`;
    });
  return `{${members.join(",")}}`;
}

/** Each document at the top of data by itself. */
export function entriesOf(document: ExactObject): readonly DataEntry[] {
  return Object.keys(document)
    .sort()
    .map((name) => [[name], exactJsonText(document[name] as ExactJson)]);
}

/** What stands at the path; undefined where nothing does. */
export function valueAt(document: ExactObject, path: readonly string[]): ExactJson | undefined {
  let value: ExactJson | undefined = document;
  for (const name of path) {
    if (!isExactObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
