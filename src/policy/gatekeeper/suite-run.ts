/**
 * Runs suites as `gator verify` does: each case is one object (or an AdmissionReview) held against one constraint, with
 * nothing around it but its inventory. All templates are compiled as one module; only where that fails each test is
 * compiled alone, so that one broken template says so and hides nothing else.
 */
import { posix } from "node:path";
import { RE2JS } from "re2js";
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import { asSluiceError } from "../../lib/errors.ts";
import { readYamlDocuments } from "../../lib/yaml.ts";
import { splitApiVersion } from "../../render/identity.ts";
import { compileRules, problemsError } from "../compile.ts";
import type { PolicyDocument, RegoSource } from "../dialect.ts";
import { MINIMAL_INPUT } from "../example.ts";
import type { PolicyInput } from "../input.ts";
import { readModules } from "../inspection.ts";
import type { PolicyEngine, PolicySet, Rule } from "../policy-set.ts";
import { asWritten, compilerFile, WITHOUT_DATA } from "../reading.ts";
import { isObject, type Toolchain } from "../toolchain.ts";
import { isSchemaProblem, type ReadConstraint, readConstraint } from "./constraint.ts";
import { readPolicyDocuments } from "./documents.ts";
import { constraintRule, templateModule, templateSources } from "./module.ts";
import type { Suite, SuiteAssertion, SuiteCase, SuiteTest } from "./suite.ts";
import { readTemplate, type Template } from "./template.ts";

/** Point at which gator stands. */
const GATOR = "gator.gatekeeper.sh";

export interface CaseResult {
  readonly test: string;
  /** "" for a test that has no cases to run: it is one itself. */
  readonly case: string;
  readonly result: "passed" | "failed" | "skipped";
  /** Why it failed. */
  readonly message: string | null;
}

export interface SuiteResult {
  readonly file: string;
  readonly results: readonly CaseResult[];
}

export interface SuiteServices {
  readonly toolchain: Toolchain;
  readonly engine: PolicyEngine;
  /** Text of a file by its path, null where there is none. */
  readonly read: (path: string) => string | null;
}

/** @throws SluiceError the toolchain's own */
export async function runSuites(suites: readonly Suite[], services: SuiteServices): Promise<readonly SuiteResult[]> {
  const prepared = suites.map((suite) => ({ suite, tests: suite.tests.map((test) => prepare(suite, test, services)) }));
  const ready = prepared.flatMap(({ tests }) => tests).filter((test) => "template" in test);
  const sets = await compileAll(ready, services.toolchain);
  const results: SuiteResult[] = [];
  for (const { suite, tests } of prepared) {
    const own: CaseResult[] = [];
    for (const test of tests) own.push(...(await runTest(suite, test, sets, services)));
    results.push({ file: suite.file, results: suite.skip ? [skipped("", "")] : own });
  }
  return results;
}

interface ReadyTest {
  readonly test: SuiteTest;
  readonly template: Template;
  readonly document: PolicyDocument;
  readonly constraint: ReadConstraint;
}

/** A test that is decided before anything runs. */
interface DecidedTest {
  readonly test: SuiteTest;
  readonly result: CaseResult;
}

function prepare(suite: Suite, test: SuiteTest, { read }: SuiteServices): ReadyTest | DecidedTest {
  const decided = (message: string | null): DecidedTest => {
    return { test, result: { test: test.name, case: "", result: message === null ? "passed" : "failed", message } };
  };
  if (suite.skip || test.skip) return { test, result: skipped(test.name, "") };
  if (test.expansion !== undefined && test.expansion !== "") return decided("expansion is not there in Sluice");
  const [templateFile, constraintFile] = [beside(suite, test.template), beside(suite, test.constraint)];
  const [first, second] = [onlyDocument(templateFile, read), onlyDocument(constraintFile, read)];
  if (typeof first === "string") return decided(first);
  if (typeof second === "string") return decided(second);
  const { template, problems } = readTemplate(first);
  if (template === null)
    return decided(problems.map(({ line, message }) => `${first.file}:${line} ${message}`).join("\n"));
  if (second.value["kind"] !== template.kind)
    return decided(`${second.file} is no ${template.kind}, which is what the template defines`);
  const constraint = readConstraint(second, template);
  if ("id" in constraint)
    return test.invalid ? decided("the constraint is valid") : { test, template, document: second, constraint };
  const wrong = constraint.map(({ line, message }) => `${second.file}:${line} ${message}`).join("\n");
  const isExpected = test.invalid && constraint.some(isSchemaProblem);
  return decided(isExpected ? null : wrong);
}

function beside({ file }: Suite, path: string): string {
  return posix.join(posix.dirname(file), path);
}

/** The first of Gatekeeper's objects in a file, or what is wrong with the file. */
function onlyDocument(path: string, read: SuiteServices["read"]): PolicyDocument | string {
  const text = read(path);
  if (text === null) return `${path} is not a file that can be read`;
  const { documents, problems } = readPolicyDocuments([{ path, text }]);
  const [problem] = problems;
  if (problem !== undefined) return `${path}:${problem.line} ${problem.message}`;
  const [document, other] = documents;
  if (document === undefined || other !== undefined) return `${path} does not hold exactly one object of Gatekeeper`;
  return document;
}

interface CompiledTest {
  readonly set: PolicySet;
  /** Id of its rule in the set. */
  readonly id: string;
}

type CompiledTests = ReadonlyMap<SuiteTest, CompiledTest | string>;

async function compileAll(tests: readonly ReadyTest[], toolchain: Toolchain): Promise<CompiledTests> {
  if (tests.length === 0) return new Map();
  try {
    return await compileTogether(tests, toolchain);
  } catch (thrown) {
    const message = asSluiceError(thrown).message;
    if (tests.length === 1) return new Map(tests.map(({ test }) => [test, message]));
  }
  const compiled = new Map<SuiteTest, CompiledTest | string>();
  for (const test of tests) for (const [key, one] of await compileAll([test], toolchain)) compiled.set(key, one);
  return compiled;
}

async function compileTogether(tests: readonly ReadyTest[], toolchain: Toolchain): Promise<CompiledTests> {
  const sources = tests.map(({ template }, number) => templateSources(template, number));
  const inspected = await toolchain.request("inspect", { files: sources.flat().map(compilerFile) });
  if (!inspected.ok) throw problemsError(asWritten(inspected.errors, { sources: sources.flat() }));
  const byPath = new Map(readModules(inspected.result).map((module) => [module.path, module]));
  const packages = new Map<string, readonly RegoSource[]>();
  const rules = tests.map(({ template, document, constraint }, number): Rule => {
    const own = sources[number] ?? [];
    const modules = own.flatMap(({ path }) => byPath.get(path) ?? []);
    const module = templateModule(template, own, modules);
    const [problem] = module.problems;
    if (problem !== undefined) throw problemsError([{ ...problem, code: "rego-compile" }]);
    packages.set(module.compiled, module.sources);
    // Whatever the constraint enforces, its violations are counted.
    return { ...constraintRule(document, template, { ...constraint, mode: "enforce" }, module), id: `test-${number}` };
  });
  const read = { rules, sources: [...packages.values()].flat(), problems: [], ...WITHOUT_DATA };
  const { wasm, readsInventory, data, external } = await compileRules(toolchain, read);
  return new Map(
    tests.map(({ test }, number) => {
      const id = `test-${number}`;
      const set = {
        rules: rules.map((rule) => only(rule, id)),
        wasm,
        digest: "",
        readsOnlyOwnParts: false,
        readsInventory,
        data,
        external,
      };
      return [test, { set, id }];
    }),
  );
}

/** A rule of scope change is asked about no object. */
function only(rule: Rule, id: string): Rule {
  return rule.id === id ? rule : { ...rule, scope: "change" };
}

async function runTest(
  suite: Suite,
  test: ReadyTest | DecidedTest,
  sets: CompiledTests,
  services: SuiteServices,
): Promise<readonly CaseResult[]> {
  if ("result" in test) return [test.result];
  const { name, cases } = test.test;
  const compiled = sets.get(test.test) ?? "it was not compiled";
  if (typeof compiled === "string") return [{ test: name, case: "", result: "failed", message: compiled }];
  if ((cases ?? []).length === 0) return [{ test: name, case: "", result: "passed", message: null }];
  const results: CaseResult[] = [];
  for (const one of cases ?? []) {
    if (one.skip) {
      results.push(skipped(name, one.name));
      continue;
    }
    const message = await runCase(suite, one, test, compiled, services);
    results.push({ test: name, case: one.name, result: message === null ? "passed" : "failed", message });
  }
  return results;
}

function skipped(test: string, name: string): CaseResult {
  return { test, case: name, result: "skipped", message: null };
}

/** null when every assertion holds. */
async function runCase(
  suite: Suite,
  { object, inventory, assertions }: SuiteCase,
  { constraint }: ReadyTest,
  { set }: CompiledTest,
  { engine, read }: SuiteServices,
): Promise<string | null> {
  const given = readObjects(beside(suite, object), read);
  if (typeof given === "string") return given;
  const [reviewed, another] = given;
  if (reviewed === undefined || another !== undefined) return `${object} does not hold exactly one object`;
  const around: JsonObject[] = [];
  for (const path of inventory ?? []) {
    const objects = readObjects(beside(suite, path), read);
    if (typeof objects === "string") return objects;
    around.push(...objects);
  }
  const document = documentOf(reviewed);
  if (typeof document === "string") return `${object}: ${document}`;
  const isAsked = constraint.points.some((point) => point === "*" || point === GATOR);
  const { findings, notEvaluated } = await engine.evaluate(set, isAsked ? [document] : [], [], around);
  const [fault] = notEvaluated;
  // For gator too a constraint that cannot be matched is violated.
  const isUnmatched = fault?.code === "namespace-absent";
  if (fault !== undefined && !isUnmatched) return `it could not be evaluated (${fault.code}): ${fault.message}`;
  const said = findings.filter(({ kind }) => kind === "deny").map(({ message }) => message);
  const messages = isUnmatched ? [fault.message] : said;
  return assertions.map((assertion) => failureOf(assertion, messages)).find((one) => one !== null) ?? null;
}

function readObjects(path: string, read: SuiteServices["read"]): readonly JsonObject[] | string {
  const text = read(path);
  if (text === null) return `${path} is not a file that can be read`;
  const reading = readYamlDocuments(text, path);
  if (reading.kind === "refused") return `${path}:${reading.failure.line} ${reading.failure.message}`;
  return reading.documents.map(({ value }) => value).filter(isObject);
}

/** Fields that an API server always sends. */
const REQUEST: JsonObject = {
  uid: "",
  kind: { group: "", version: "", kind: "" },
  resource: { group: "", version: "", resource: "" },
  operation: "",
  userInfo: {},
  object: null,
  oldObject: null,
  options: null,
};

/** An object as gator's audit sees it, or the request of an AdmissionReview; a text says what is wrong with it. */
function documentOf(object: JsonObject): PolicyInput | string {
  const [group] = splitApiVersion(textOf(object["apiVersion"]));
  if (object["kind"] !== "AdmissionReview" || group !== "admission.k8s.io") return plainDocument(object, null);
  const { request } = object;
  if (!isObject(request)) return "the AdmissionReview has no request";
  const sides = [request["object"], request["oldObject"]].filter(isObject);
  const [first] = sides;
  if (first === undefined) return "the request has neither object nor oldObject";
  if (request["operation"] === "DELETE" && !isObject(request["oldObject"])) return "a DELETE has no oldObject";
  return plainDocument(first, { ...REQUEST, ...request });
}

function plainDocument(object: JsonObject, request: JsonObject | null): PolicyInput {
  const [group, version] = splitApiVersion(textOf(object["apiVersion"]));
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  const id = {
    group,
    version,
    kind: textOf(object["kind"]),
    namespace: textOf(metadata["namespace"]),
    name: textOf(metadata["name"]),
  };
  const resource = { id, action: "unchanged", object, previous: null, origin: null } as const;
  return { ...MINIMAL_INPUT, change: null, resource, request };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function failureOf({ violations, message }: SuiteAssertion, messages: readonly string[]): string | null {
  const pattern = message === null || message === undefined ? null : RE2JS.compile(message);
  const matching = messages.filter((one) => pattern === null || pattern.matcher(one).find()).length;
  const holds = violations === "yes" ? matching > 0 : violations === "no" ? matching === 0 : matching === violations;
  if (holds) return null;
  const wanted = violations === "yes" ? "at least 1" : violations === "no" ? "none" : `exactly ${violations}`;
  const like = pattern === null ? "" : ` with ${JSON.stringify(message)}`;
  const said = messages.length === 0 ? "" : `; it said: ${messages.map((one) => JSON.stringify(one)).join(", ")}`;
  return `${matching} violations${like}, ${wanted} expected${said}`;
}
