/**
 * Examples of a rule to the documents that a policy sees. A file holds Kubernetes objects, or, for a rule of scope
 * change, the fields of the policy input that matter: they are laid field by field over a minimal valid one.
 */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { readYamlDocuments, type YamlDocument } from "../lib/yaml.ts";
import { openLocator } from "../lib/yaml-position.ts";
import { identify } from "../render/identity.ts";
import { readPod } from "../render/pod.ts";
import { maskForPolicy } from "../render/secrets.ts";
import type { InputApproval, InputChange, InputCommit, InputSubject, PolicyInput } from "./input.ts";
import { INPUT_SCHEMAS } from "./input-schema.ts";
import { isObject } from "./toolchain.ts";

const SUBJECT: InputSubject = {
  kind: "file",
  target: { name: "example", repository: "example", branch: "main", path: ".", labels: {}, mode: "enforce" },
  time: "2026-01-01T00:00:00.000Z",
};

const CHANGE: InputChange = {
  base: "0".repeat(40),
  head: "1".repeat(40),
  tree: "2".repeat(40),
  author: "",
  kinds: [],
  paths: [],
  resources: [],
  pullRequest: null,
};

const COMMIT: InputCommit = {
  id: "1".repeat(40),
  author: { name: "", email: "" },
  committer: { name: "", email: "" },
  message: "",
  verification: { kind: "rejected", reason: "unsigned-commit", format: null, signer: null, timeBasis: "now" },
};

const APPROVAL: InputApproval = { person: "", roles: [], at: SUBJECT.time, via: "signature" };

/** The least that a policy of scope change can be given. */
export const MINIMAL_INPUT: PolicyInput = {
  version: 1,
  subject: SUBJECT,
  resource: null,
  pod: null,
  change: CHANGE,
  commits: [],
  approvals: [],
  checks: [],
  request: null,
};

/** Keys of a list's items are laid over these; other lists are taken as they are. */
const ITEMS: Readonly<Record<string, unknown>> = { commits: COMMIT, approvals: APPROVAL };

/** One document for each in the file. @throws SluiceError `example-malformed` with the place */
export function readExample(file: string, text: string): readonly PolicyInput[] {
  const reading = readYamlDocuments(text, file);
  if (reading.kind === "refused") throw malformed(file, reading.failure, reading.failure.message);
  if (reading.documents.length === 0) throw malformed(file, { line: 1, column: 1 }, "The example is empty.");
  return reading.documents.map((document) => {
    const { value } = document;
    const isResource = isObject(value) && (Object.hasOwn(value, "apiVersion") || Object.hasOwn(value, "kind"));
    return isResource ? resourceExample(file, text, document, value) : changeExample(file, text, document);
  });
}

/** As rendering makes it; where it would refuse a pod that nobody can read, the rule sees the object without one. */
function resourceExample(file: string, text: string, document: YamlDocument, object: JsonObject): PolicyInput {
  const found = identify(object);
  if (found.kind === "refused") throw malformed(file, openLocator(text)(document.index, found.at), found.message);
  const reading = readPod(object);
  const origin = { file, line: document.line, tool: "plain" };
  return {
    ...MINIMAL_INPUT,
    change: null,
    resource: { id: found.id, action: "create", object: maskForPolicy(object), previous: null, origin },
    pod: reading.kind === "pod" ? reading.pod : null,
  };
}

function changeExample(file: string, text: string, { index, value }: YamlDocument): PolicyInput {
  const merged = lay(value, MINIMAL_INPUT as unknown as JsonObject);
  const [issue] = z.fromJSONSchema(INPUT_SCHEMAS.change).safeParse(merged).error?.issues ?? [];
  if (issue === undefined) return merged as unknown as PolicyInput;
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  const named = path.length === 0 ? "the example" : path.join(".");
  const wrong =
    issue.code === "unrecognized_keys" ? "is no field of the policy input" : `is not as it must be: ${issue.message}`;
  throw malformed(file, openLocator(text)(index, path.map((key) => `/${String(key)}`).join("")), `${named} ${wrong}.`);
}

function lay(value: JsonValue, base: JsonValue, key = ""): JsonValue {
  if (Array.isArray(value)) {
    const item = ITEMS[key] as JsonValue | undefined;
    return item === undefined ? value : value.map((one: JsonValue) => lay(one, item));
  }
  if (!isObject(value) || !isObject(base)) return value;
  const laid = Object.entries(value).map(([name, one]) => [name, lay(one, base[name] ?? null, name)] as const);
  return { ...base, ...Object.fromEntries(laid) };
}

function malformed(file: string, { line, column }: { line: number; column: number }, message: string): SluiceError {
  return new SluiceError("example-malformed", `${file}:${line}:${column} ${message}`, {
    position: { file, line, column },
  });
}
