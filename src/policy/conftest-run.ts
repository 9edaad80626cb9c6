/** Plain documents held against Rego as Conftest does: by namespaces, each document by itself, nothing of git around it. */

import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { EXCEPTED } from "./answer.ts";
import { compileRules, problemsError, refusal } from "./compile.ts";
import { type ReadData, readTopData } from "./data-files.ts";
import { claimConftest } from "./dialects/conftest.ts";
import { MINIMAL_INPUT } from "./example.ts";
import type { PolicyInput } from "./input.ts";
import { readModules } from "./inspection.ts";
import type { PolicyEngine, PolicyFile, PolicySet, Rule } from "./policy-set.ts";
import { compilerFile, selectPolicies } from "./reading.ts";
import type { Toolchain } from "./toolchain.ts";

export interface GivenDocument {
  readonly file: string;
  readonly value: JsonValue;
}

/** What was said of one file in one namespace. */
export interface ConftestResult {
  readonly file: string;
  readonly namespace: string;
  /** Rules that had nothing to say, counted by document. */
  readonly successes: number;
  readonly warnings: readonly ConftestFinding[];
  readonly failures: readonly ConftestFinding[];
  readonly exceptions: readonly ConftestFinding[];
}

export interface ConftestFinding {
  readonly msg: string;
  /** The other keys of what the rule said; empty where it said a text. */
  readonly metadata: JsonObject;
}

interface ConftestServices {
  readonly toolchain: Toolchain;
  readonly engine: PolicyEngine;
}

export interface ConftestPolicies {
  readonly policies: readonly PolicyFile[];
  /** Documents that all policies find at the top of `data`, whatever their files are called. */
  readonly data?: readonly PolicyFile[];
  /** Packages that are asked; null = every package that has rules. */
  readonly namespaces: readonly string[] | null;
}

/**
 * By file in the given order, then by namespace. What could not be evaluated is a failure that says so.
 * @throws SluiceError `no-policies` where they have no rule, what compiling throws, and the toolchain's own
 */
export async function runConftest(
  { toolchain, engine }: ConftestServices,
  { policies, data = [], namespaces }: ConftestPolicies,
  documents: readonly GivenDocument[],
): Promise<readonly ConftestResult[]> {
  const set = await compileNamespaces(toolchain, policies, readTopData(data), namespaces);
  const inputs = documents.map(inputOf);
  const { findings, notEvaluated } = await engine.evaluate(set, inputs, [], []);
  const files = [...new Set(documents.map(({ file }) => file))];
  const packages = [...new Set(set.rules.map((rule) => rule.package))];
  return files.flatMap((file) => {
    const names = new Set(inputs.filter((_, index) => documents[index]?.file === file).map(nameOf));
    return packages.map((namespace): ConftestResult => {
      const rules = set.rules.filter((rule) => rule.package === namespace).map(({ id }) => id);
      const own = findings.filter(({ rule, resource }) => rules.includes(rule) && names.has(resource?.name ?? ""));
      const open = notEvaluated.filter(({ what }) =>
        rules.some((rule) => [...names].some((name) => what === `${rule} on ${KIND}/${name}`)),
      );
      const spoke = new Set(own.map(({ rule, resource }) => `${rule} ${resource?.name}`));
      const said = (isWanted: (message: string, kind: string) => boolean) =>
        own.filter(({ message, kind }) => isWanted(message, kind)).map(({ message }) => whole(message));
      return {
        file,
        namespace,
        successes: rules.length * names.size - spoke.size - open.length,
        warnings: said((message, kind) => kind !== "deny" && !message.startsWith(EXCEPTED)),
        failures: [
          ...said((_, kind) => kind === "deny"),
          ...open.map(({ code, message }) => ({ msg: `not evaluated (${code}): ${message}`, metadata: {} })),
        ],
        exceptions: said((message, kind) => kind !== "deny" && message.startsWith(EXCEPTED)),
      };
    });
  });
}

/** What a rule said is JSON of an object; what the host says beside it (a built-in that failed) is a sentence. */
function whole(message: string): ConftestFinding {
  const said = message.startsWith(EXCEPTED) ? message.slice(EXCEPTED.length) : message;
  if (!said.startsWith("{")) return { msg: said, metadata: {} };
  const { msg, ...metadata } = JSON.parse(said) as JsonObject;
  return { msg: String(msg), metadata };
}

async function compileNamespaces(
  toolchain: Toolchain,
  policies: readonly PolicyFile[],
  data: ReadData,
  namespaces: readonly string[] | null,
): Promise<PolicySet> {
  if (data.problems.length > 0) throw refusal(data.problems);
  const { sources } = selectPolicies(policies.filter(({ path }) => path.endsWith(".rego")));
  const inspected = await toolchain.request("inspect", { files: sources.map(compilerFile) });
  if (!inspected.ok) throw problemsError(inspected.errors);
  const modules = readModules(inspected.result);
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const found = { modules, documents: [], sources: byPath, data: data.document };
  const isAsked = (name: string) => namespaces === null || namespaces.includes(name);
  const claim = claimConftest(modules, found, isAsked);
  if (claim.problems.length > 0) throw refusal(claim.problems);
  if (claim.rules.length === 0) {
    const named = namespaces === null ? "The policies have" : `${namespaces.join(", ")} has`;
    throw new SluiceError("no-policies", `${named} no rule deny, violation or warn, so nothing would be judged.`, {
      fix: "sluice test --all-namespaces, or --namespace with the package of your rules",
    });
  }
  const compiled = await compileRules(toolchain, { ...claim, data, moved: claim.moved ?? [] });
  const rules = claim.rules.map((rule): Rule => {
    return { ...rule, imported: rule.imported && { ...rule.imported, form: "whole-results" } };
  });
  return { ...compiled, rules, digest: "", readsOnlyOwnParts: false };
}

const KIND = "Document";

/** Its place among all documents is its name: no rule sees it. */
function inputOf({ value }: GivenDocument, index: number): PolicyInput {
  const id = { group: "", version: "", kind: KIND, namespace: "", name: String(index) };
  const object = value as JsonObject; // Conftest's input may be any value
  return {
    ...MINIMAL_INPUT,
    change: null,
    resource: { id, action: "unchanged", object, previous: null, origin: null },
  };
}

function nameOf({ resource }: PolicyInput): string {
  return resource?.id.name ?? "";
}
