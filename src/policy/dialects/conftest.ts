/**
 * Conftest: package `main`, packages below it, and any other whose METADATA says `custom.dialect: conftest`. Rules are
 * deny, violation and warn, and names that begin so (`deny_root`); the input is the object itself; what `exception`
 * names is excepted and stays visible as a warning. Deletions are not asked about: Conftest looks at files.
 */
import type { Claim, Dialect, Found } from "../dialect.ts";
import type { PolicyInput } from "../input.ts";
import type { Module } from "../inspection.ts";
import type { Rule } from "../policy-set.ts";
import { importedRule, move, ruleNames, saysDialect, saysNative } from "../rego-dialect.ts";

const NAME = "conftest";
const RULE = /^(deny|violation|warn)(?:_.+)?$/;
const EXCEPTION = "exception";

export const conftest: Dialect = {
  name: NAME,
  onFailure: "undefined",
  forms: ["results"],
  embedded: () => [],
  claim,
  ruleText,
  selects: (_rule: Rule, { resource }: PolicyInput) =>
    resource === null || resource.object === null ? { kind: "no" } : { kind: "yes", reviews: [] },
};

function claim(found: Found): Claim {
  const taken = found.modules.filter(
    (module) => saysDialect(module, NAME) || (/^main(?:$|[.[])/.test(module.package) && !saysNative(module)),
  );
  return claimConftest(taken, found, () => true);
}

/** All of `taken` move together; rules are those of the packages that are asked. */
export function claimConftest(taken: readonly Module[], found: Found, isAsked: (name: string) => boolean): Claim {
  const { sources, compiled, problems, moved } = move(taken, found, (name) => RULE.test(name));
  const groups = Map.groupBy(taken, (module) => module.package);
  const rules = [...groups.values()].flatMap((modules): readonly Rule[] => {
    const [first] = modules;
    if (first === undefined || !isAsked(first.package)) return [];
    const names = ruleNames(modules);
    const hasExceptions = names.includes(EXCEPTION);
    return names
      .filter((name) => RULE.test(name))
      .map((name) => {
        const own = modules.find((module) => ruleNames([module]).includes(name)) ?? first;
        const rule = importedRule(first, name, name.startsWith("warn") ? "warn" : "deny", {
          dialect: NAME,
          package: compiled(first),
          form: "results",
          hasExceptions,
        });
        return { ...rule, file: own.path };
      });
  });
  return { rules, sources, problems, moved };
}

/** As Conftest asks: `exception[_][_]` is the rule's name without its first word. */
function ruleText({ id, imported }: Rule, index: number): string {
  const asked = `input.asked[${JSON.stringify(id)}]`;
  const name = JSON.stringify((imported?.asks ?? "").replace(/^(?:deny|violation|warn)_?/, ""));
  const given = "with input as input.resource.object";
  const excepted =
    imported?.hasExceptions === true
      ? `[true | exceptions := data.${imported.package}.${EXCEPTION} ${given}; some one in exceptions; ${name} in one]`
      : "[]";
  return [
    `rule_${index} := {"said": said, "excepted": excepted} if {`,
    `\t${asked}`,
    `\tsaid := data.${imported?.package}.${imported?.asks} ${given}`,
    `\texcepted := ${excepted}`,
    "}",
  ].join("\n");
}
