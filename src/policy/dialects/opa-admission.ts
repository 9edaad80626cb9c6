/**
 * OPA's admission control: package `kubernetes.admission` with a set `deny`, or `system.main`, which answers a whole
 * AdmissionReview; other packages by METADATA `custom.dialect: opa-admission`. Where `system.main` is there it alone is
 * asked, as OPA would. The input is an AdmissionReview; an object at rest is asked as if it were created now.
 */
import type { Claim, Dialect, Found, Selection } from "../dialect.ts";
import type { PolicyInput } from "../input.ts";
import type { Module } from "../inspection.ts";
import type { Rule } from "../policy-set.ts";
import { importedRule, move, ruleNames, saysDialect, saysNative } from "../rego-dialect.ts";
import { reviewsOf } from "../reviews.ts";

const NAME = "opa-admission";
const DENY = "deny";
const MAIN = "main";
const SYSTEM = "system";

export const opaAdmission: Dialect = {
  name: NAME,
  onFailure: "undefined",
  forms: ["denials", "responses"],
  embedded: () => [],
  claim,
  ruleText,
  selects,
};

function claim(found: Found): Claim {
  const taken = found.modules.filter(
    (module) =>
      saysDialect(module, NAME) ||
      (/^(?:kubernetes\.admission|system)(?:$|[.[])/.test(module.package) && !saysNative(module)),
  );
  const { sources, compiled, problems, moved } = move(taken, found, (name) => /^deny(?:$|[.[])/.test(name));
  const groups = [...Map.groupBy(taken, (module) => module.package).values()];
  const system = groups.find(([first]) => first?.package === SYSTEM) ?? [];
  const asksSystem = ruleNames(system).includes(MAIN);
  const rules = groups.flatMap((modules): readonly Rule[] => {
    const [first] = modules;
    if (first === undefined) return [];
    if (asksSystem) return first.package === SYSTEM ? [ruleOf(first, MAIN, "responses", compiled(first))] : [];
    return ruleNames(modules).includes(DENY) ? [ruleOf(first, DENY, "denials", compiled(first))] : [];
  });
  return { rules, sources, problems, moved };
}

function ruleOf(module: Module, name: string, form: "denials" | "responses", compiled: string): Rule {
  return importedRule(module, name, "deny", { dialect: NAME, package: compiled, form, hasExceptions: false });
}

/** Deletions are asked about only at a door for requests: the usual webhook is for CREATE and UPDATE. */
function selects(_rule: Rule, document: PolicyInput): Selection {
  const reviews = reviewsOf(document, "created").filter(({ isDeletion }) => !isDeletion || document.request !== null);
  return reviews.length === 0 ? { kind: "no" } : { kind: "yes", reviews: reviews.map(({ number }) => number) };
}

function ruleText({ id, imported }: Rule, index: number): string {
  const asked = `input.asked[${JSON.stringify(id)}]`;
  const review = `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": review}`;
  return [
    `rule_${index} := {"of": count(${asked}), "reviews": [said |`,
    `\tsome number in ${asked}`,
    "\treview := reviews[number]",
    `\tsaid := data.${imported?.package}.${imported?.asks} with input as ${review}`,
    "]}",
  ].join("\n");
}
