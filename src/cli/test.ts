/** `sluice test`: plain files held against Rego, with the flags and exit codes of `conftest test`. */
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import type { JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { readYamlDocuments } from "../lib/yaml.ts";
import { type ConftestResult, type GivenDocument, runConftest } from "../policy/conftest-run.ts";
import type { PolicyFile } from "../policy/policy-set.ts";
import { type Command, type Invocation, isSet, listOption, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { readFolderFiles, readRegularFile } from "./folder-files.ts";
import { readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import { CONFTEST_FORMATS } from "./reports/conftest.ts";

const DOCUMENT_FILE = /\.(?:ya?ml|json)$/;
/** Where Conftest looks for policies, and which package it asks. */
const POLICY_FOLDER = "policy";
const NAMESPACE = "main";

export const testFiles: Command = {
  name: "test",
  summary: "judge plain files, with Conftest's flags",
  usage: ["test FILE|DIR|-... [--policy DIR] [--data DIR|FILE]... [--combine] [--namespace NS]..."],
  options: {
    policy: {
      type: "string",
      multiple: true,
      short: "p",
      value: "DIR",
      description: "Rego (default: policy/, without one what sluice.yaml names)",
    },
    data: {
      type: "string",
      multiple: true,
      short: "d",
      value: "DIR|FILE",
      description: "JSON and YAML that policies read under data, whatever the files are called",
    },
    namespace: { type: "string", multiple: true, short: "n", value: "NS", description: "package (default: main)" },
    "all-namespaces": { type: "boolean", description: "every package that has rules" },
    combine: { type: "boolean", description: "ask once about all documents: a list of {path, contents}" },
    "fail-on-warn": { type: "boolean", description: "exit 1 for warnings and 2 for failures" },
    "no-fail": { type: "boolean", description: "exit 0 whatever was found" },
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      values: Object.keys(CONFTEST_FORMATS),
      description: `${Object.keys(CONFTEST_FORMATS).join(", ")}`,
    },
  },
  positionals: [1, 10_000],
  exitCodes: [
    [EXIT.fine, "no failure"],
    [EXIT.denied, "a failure; with --fail-on-warn only warnings (a failure is 2)"],
  ],
  example: "sluice test web.yaml --policy policies --all-namespaces\njudges each document of each file by itself",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const format = CONFTEST_FORMATS[textOption(invocation, "output") ?? "stdout"];
  if (format === undefined) {
    throw new SluiceError("usage", "There is no such output.", { fix: `--output ${Object.keys(CONFTEST_FORMATS)[0]}` });
  }
  const given = await givenDocuments(invocation);
  const documents = isSet(invocation, "combine") ? [combined(given)] : given;
  const folders = policyFolders(invocation);
  const policies = folders.flatMap((folder) => readPolicyFolder(invocation, folder).files);
  const named = listOption(invocation, "namespace");
  const namespaces = isSet(invocation, "all-namespaces") ? null : named.length === 0 ? [NAMESPACE] : named;
  const data = await givenData(invocation);
  const results = await withPolicyServices(invocation, ({ toolchain, engine }) =>
    runConftest({ toolchain, engine: engine() }, { policies, data, namespaces }, documents),
  );
  invocation.output.write(format(results));
  return exitCode(invocation, results);
}

/** As Conftest has it: sorted by path, documents of one file in their order. */
function combined(given: readonly GivenDocument[]): GivenDocument {
  const all = given.map(({ file, value }) => ({ path: file, contents: value }));
  return { file: "Combined", value: all.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)) };
}

/** As Conftest has them (its documentation, "--fail-on-warn"). */
function exitCode(invocation: Invocation, results: readonly ConftestResult[]): number {
  if (isSet(invocation, "no-fail")) return 0;
  const strict = isSet(invocation, "fail-on-warn");
  if (results.some(({ failures }) => failures.length > 0)) return strict ? 2 : 1;
  return strict && results.some(({ warnings }) => warnings.length > 0) ? 1 : 0;
}

function policyFolders(invocation: Invocation): readonly (string | undefined)[] {
  const named = listOption(invocation, "policy");
  if (named.length > 0) return named;
  return existsSync(resolve(invocation.folder, POLICY_FOLDER)) ? [POLICY_FOLDER] : [undefined];
}

/** @throws SluiceError `usage` for what cannot be read, `not-supported` for other languages than YAML and JSON */
async function givenDocuments(invocation: Invocation): Promise<readonly GivenDocument[]> {
  const documents: GivenDocument[] = [];
  for (const name of invocation.positionals) {
    for (const [file, bytes] of await filesOf(invocation, name)) documents.push(...documentsOf(file, bytes));
  }
  if (documents.length > 0) return documents;
  throw new SluiceError("usage", "The files hold no document.", { fix: "sluice test web.yaml" });
}

/** Folders are looked through, and say nothing of where their documents stand, as in Conftest. */
async function givenData(invocation: Invocation): Promise<readonly PolicyFile[]> {
  const files: PolicyFile[] = [];
  for (const name of listOption(invocation, "data")) {
    if (name === "-") throw new SluiceError("usage", "--data takes files and folders.", { fix: "--data FILE.json" });
    for (const [path, bytes] of await filesOf(invocation, name)) files.push({ path, text: textOf(path, bytes) });
  }
  return files;
}

async function filesOf(invocation: Invocation, name: string): Promise<readonly (readonly [string, Uint8Array])[]> {
  if (name === "-") return [["-", await invocation.output.readInput()]];
  const path = resolve(invocation.folder, name);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const found = readFolderFiles(path, (file) => DOCUMENT_FILE.test(file));
    return [...found].map(([file, bytes]) => [join(name, file), bytes]);
  }
  if (!DOCUMENT_FILE.test(name))
    throw new SluiceError("not-supported", `${name} is neither YAML nor JSON, which is all that is read here.`);
  const bytes = readRegularFile(path);
  if (bytes !== null) return [[name, bytes]];
  throw new SluiceError("usage", `${name} is not a file that can be read.`, { fix: "sluice test web.yaml" });
}

function documentsOf(file: string, bytes: Uint8Array): readonly GivenDocument[] {
  const text = textOf(file, bytes);
  const reading = readYamlDocuments(text, file);
  if (reading.kind === "documents") {
    const values = reading.documents.map(({ value }) => value);
    const [only] = values;
    // To Conftest a list that is all of a file is what several documents are.
    const isList = values.length === 1 && Array.isArray(only) && only.length > 0;
    return (isList ? (only as readonly JsonValue[]) : values).map((value) => ({ file, value }));
  }
  const { message, line, column } = reading.failure;
  throw new SluiceError("usage", `${file}:${line}:${column} ${message}`, {
    fix: "correct the file",
    position: { file, line, column },
  });
}

function textOf(file: string, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== null) return text;
  throw new SluiceError("usage", `${file} is not UTF-8 text.`, { fix: `save ${file} as UTF-8` });
}
