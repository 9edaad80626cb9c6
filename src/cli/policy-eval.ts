import { SLUICE_YAML, type TargetYaml } from "../config/sluice-yaml.ts";
import type { Reason } from "../decision/decision.ts";
import { placeFindings } from "../gate/findings.ts";
import { targetYaml } from "../gate/judge.ts";
import { codeEntry, isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { once } from "../lib/once.ts";
import { formatTime } from "../lib/time.ts";
import { EXCEPTED } from "../policy/answer.ts";
import { buildPolicySet } from "../policy/compile.ts";
import { buildDocuments } from "../policy/documents.ts";
import { explainFinding, explainImported } from "../policy/explanation.ts";
import type { ExternalData } from "../policy/external.ts";
import type { Finding } from "../policy/finding.ts";
import type { InputSubject, PolicyInput } from "../policy/input.ts";
import { selectionOf, surroundingsOf } from "../policy/match.ts";
import type { Evaluated, PolicyFile, PolicySet, Rule } from "../policy/policy-set.ts";
import { readPolicies, selectPolicies } from "../policy/reading.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import { compareResources } from "../render/compare.ts";
import { openRedactor } from "../render/redactor.ts";
import { identityKey, type Rendered, resourceName } from "../render/resource.ts";
import { collectSecretValues } from "../render/secrets.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { EXIT, exitCodeOfVerdict } from "./failure.ts";
import { DATA_OPTIONS, givenData, givenRecords } from "./given-data.ts";
import { renderGivenFiles } from "./given-files.ts";
import { BUNDLE_OPTIONS, openPolicies } from "./policy-bundle.ts";
import { withPolicyServices } from "./policy-folder.ts";
import { policyEvalText } from "./reports/policy-eval-text.ts";
import type { PolicyEvalReport } from "./reports/schemas.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

export const policyEval: Command = {
  name: "policy eval",
  summary: "say what policies find in a file",
  usage: ["policy eval FILE... [--policies DIR] [--target T] [--explain]"],
  options: {
    policies: {
      type: "string",
      value: "DIR",
      description: "folder or signed bundle (default: what sluice.yaml names)",
    },
    target: { type: "string", value: "T", description: "as if the files were in this target of sluice.yaml" },
    explain: { type: "boolean", description: "which line of the rule spoke, with which values" },
    ...DATA_OPTIONS,
    ...BUNDLE_OPTIONS,
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 10_000],
  exitCodes: [
    [EXIT.fine, "nothing denied"],
    [EXIT.denied, "denied, or no rule looked at anything"],
    [EXIT.waiting, "a rule asks for an approval"],
  ],
  example: "sluice policy eval web.yaml --explain\nwaivers and rules about changes have no part in it",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const name = textOption(invocation, "target") ?? null;
  const target = name === null ? null : configuredTarget(invocation, name);
  const { shown, files } = await openPolicies(invocation, textOption(invocation, "policies"));
  const data = givenRecords(invocation);
  const given = await renderGivenFiles(invocation.folder, invocation.positionals);
  const documents = documentsOf(given.rendered, subjectOf(name, target, formatTime(invocation.clock())));
  const report = await withPolicyServices(invocation, async ({ toolchain, compiledCache, engine }) => {
    const set = await buildPolicySet({ toolchain, files, cache: compiledCache });
    const external = await givenData(data, set.external);
    const evaluated = await engine().evaluate(set, documents, undefined, undefined, external);
    const { mask } = openRedactor(collectSecretValues(given.rendered.resources.map(({ object }) => object)));
    const trees = { before: given.rendered, after: given.rendered, source: given.source, mask };
    const placed = await placeFindings(evaluated.findings, trees);
    const explain = explainer({
      ...{ toolchain, files, set, documents, external, mask, isWanted: isSet(invocation, "explain") },
    });
    const findings: PolicyEvalReport["findings"] = [];
    for (const [index, finding] of placed.entries()) {
      findings.push(findingReport(finding, await explain(evaluated.findings[index] as Finding)));
    }
    return reportOf({ folder: shown, name, target, set, rendered: given.rendered, evaluated, findings, mask });
  });
  answer(invocation, report, () => policyEvalText(report, invocation.output.width));
  return report.exitCode;
}

/** @throws SluiceError `configuration-absent`, `configuration-invalid`, `target-unknown` */
function configuredTarget(invocation: Invocation, name: string): TargetYaml {
  const configuration = workTreeConfiguration(invocation.folder);
  if (configuration !== null) return targetYaml({ configuration }, name);
  throw new SluiceError("configuration-absent", `There is no ${SLUICE_YAML} here that could name a target.`, {
    fix: "run it at the repository's root, or without --target",
  });
}

function subjectOf(name: string | null, target: TargetYaml | null, time: string): InputSubject {
  const { branch = "", path = ".", labels = {}, mode = "enforce" } = target ?? {};
  return { kind: "file", target: { name: name ?? "", repository: "", branch, path, labels, mode }, time };
}

/** Every object as if it were new; there is no change, so rules about changes are not asked. */
function documentsOf(rendered: Rendered, subject: InputSubject): readonly PolicyInput[] {
  const changes = compareResources([], rendered.resources);
  return buildDocuments({ subject, changes, change: null, commits: [], approvals: [], checks: [] });
}

type Explanation = PolicyEvalReport["findings"][number]["explanation"];

interface Explained {
  readonly toolchain: Toolchain;
  readonly files: readonly PolicyFile[];
  readonly set: PolicySet;
  readonly documents: readonly PolicyInput[];
  readonly external: ExternalData;
  readonly mask: (text: string) => string;
  readonly isWanted: boolean;
}

/** A finding of a rule that only warns is looked for under every name that its rule has. */
function explainer({ toolchain, files, set, documents, external, mask, isWanted }: Explained) {
  const policies = files.filter(({ path }) => path.endsWith(".rego") && !path.endsWith("_test.rego"));
  const objects = documents.flatMap(({ resource }) => (resource?.object == null ? [] : [resource.object]));
  const reading = once(() => readPolicies(toolchain, selectPolicies(files)));

  async function explainOther(rule: Rule, document: PolicyInput, { message }: Finding) {
    const read = await reading();
    const selection = selectionOf(rule, document, surroundingsOf(objects));
    if ("ok" in read || selection.kind !== "yes") return [];
    const at = read.rules.findIndex(({ id }) => id === rule.id);
    const said = message.startsWith(EXCEPTED) ? message.slice(EXCEPTED.length) : message;
    const question = { read, rule: at, reviews: selection.reviews, objects };
    return explainImported(toolchain, question, document, said, external);
  }

  return async (finding: Finding): Promise<Explanation> => {
    if (!isWanted) return null;
    const document = documents.find(({ resource }) => isAbout(finding, resource?.id ?? null));
    const rule = set.rules.find(({ id }) => id === finding.rule);
    if (document === undefined || rule === undefined) return [];
    if (rule.imported !== null) {
      const found = await explainOther(rule, document, finding);
      return found.map((one) => ({ ...one, values: masked(one.values, mask) }));
    }
    for (const said of rule.kinds) {
      const found = await explainFinding(
        toolchain,
        { files: policies, data: set.data },
        document,
        { ...finding, said },
        external,
      );
      if (found.length > 0) return found.map((one) => ({ ...one, values: masked(one.values, mask) }));
    }
    return [];
  };
}

function isAbout({ resource }: Finding, id: Finding["resource"]): boolean {
  return resource !== null && id !== null && identityKey(resource) === identityKey(id);
}

function masked(values: Readonly<Record<string, string>>, mask: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mask(value)]));
}

function findingReport(finding: Finding, explanation: Explanation): PolicyEvalReport["findings"][number] {
  const { rule, policy, kind, level, message, fix, resource, position } = finding;
  return { rule, policy, kind, level, message, fix, resource, position, explanation };
}

interface Judged {
  readonly folder: string;
  readonly name: string | null;
  readonly target: TargetYaml | null;
  readonly set: PolicySet;
  readonly rendered: Rendered;
  readonly evaluated: Evaluated;
  readonly findings: PolicyEvalReport["findings"];
  readonly mask: (text: string) => string;
}

function reportOf({ folder, name, target, set, rendered, evaluated, findings, mask }: Judged): PolicyEvalReport {
  const { rulesExpected, rulesEvaluated, unruled } = evaluated;
  const reasons = reasonsOf(rendered, evaluated, target);
  const verdict = verdictOf(reasons, evaluated, findings);
  return {
    apiVersion: "sluice/v1",
    kind: "PolicyEval",
    authority: "preview",
    verdict,
    exitCode: exitCodeOfVerdict(verdict),
    policies: { folder, digest: set.digest, rules: set.rules.length },
    target: name,
    resources: rendered.resources.map(({ id }) => resourceName(id)).sort(),
    findings,
    reasons,
    rulesExpected,
    rulesEvaluated,
    notAsked: set.rules.filter(({ scope }) => scope === "change").map(({ id }) => id),
    unruled: [...unruled],
    notEvaluated: evaluated.notEvaluated.map((one) => ({ ...one, message: mask(one.message) })),
  };
}

function reasonsOf(rendered: Rendered, evaluated: Evaluated, target: TargetYaml | null): Reason[] {
  const failures = rendered.failures.map(({ code, message, file, line, column }) => {
    return {
      code,
      message: `${[file, line, column].filter((part) => part !== null).join(":")}  ${message}`,
      fix: fixOf(code),
    };
  });
  const silent = {
    code: "no-rule-evaluated",
    message: "No rule selects anything in these files.",
    fix: fixOf("no-rule-evaluated"),
  };
  const isSilent = failures.length === 0 && evaluated.rulesExpected === 0;
  const unruled = (target?.unruled === "deny" ? evaluated.unruled : []).map((name) => {
    return { code: "object-unruled", message: `${name} has no rule.`, fix: fixOf("object-unruled") };
  });
  return [...failures, ...(isSilent ? [silent] : []), ...unruled];
}

function fixOf(code: string): string | null {
  return isCode(code) ? codeEntry(code).fix : null;
}

/** Nothing passes by absence: whatever did not answer is an error, whatever was not looked at is a denial. */
function verdictOf(
  reasons: readonly Reason[],
  { rulesExpected, rulesEvaluated, notEvaluated }: Evaluated,
  findings: PolicyEvalReport["findings"],
): PolicyEvalReport["verdict"] {
  if (notEvaluated.length > 0 || rulesExpected !== rulesEvaluated) return "error";
  if (reasons.some(({ code }) => isCode(code) && codeEntry(code).class === "error")) return "error";
  if (reasons.length > 0 || findings.some(({ kind }) => kind === "deny")) return "deny";
  return findings.some(({ kind }) => kind === "ask") ? "wait" : "allow";
}
