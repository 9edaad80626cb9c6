/** The cases with which OPA's own GraphQL parser is tested, which lie inside its Go module: our answer is OPA's. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { load } from "js-yaml";
import { isObject } from "../../src/policy/toolchain.ts";
import { type Call, compareAnswers } from "./opa-answers.ts";
import { ROOT } from "./support.ts";

interface GraphqlCase {
  readonly query: string;
  readonly schema: string;
}

function folderOf(module: string): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/local/go/bin:/usr/lib/go/bin`, GOWORK: "off" };
  const listed = ["list", "-m", "-f", "{{.Dir}}", module];
  return execFileSync("go", listed, { cwd: join(ROOT, "toolchain"), env, encoding: "utf8" }).trim();
}

function yaml(...path: readonly string[]): unknown {
  return load(readFileSync(join(...path), "utf8"));
}

/** A schema is a text, or the number of one in a list beside the cases. */
function casesOf(folder: string, schemas: readonly unknown[]): readonly GraphqlCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".spec.yml"))
    .flatMap((name) => yaml(folder, name) as unknown[])
    .flatMap((one) => {
      if (!isObject(one) || typeof one["query"] !== "string") return [];
      const schema = typeof one["schema"] === "number" ? schemas[one["schema"]] : one["schema"];
      return typeof schema === "string" ? [{ query: one["query"], schema }] : [];
    });
}

test("each case of gqlparser's own validator has OPA's answer", async (t) => {
  const validator = join(folderOf("github.com/vektah/gqlparser/v2"), "validator");
  const schemas = yaml(validator, "imported", "spec", "schemas.yml") as unknown[];
  const cases = [
    ...casesOf(join(validator, "imported", "spec"), schemas),
    ...casesOf(join(validator, "spec"), schemas),
  ];
  const calls = cases.map(({ query, schema }): Call => {
    return ["graphql.parse_and_verify", JSON.stringify(query), JSON.stringify(schema)];
  });
  t.diagnostic(`${calls.length} queries`);
  assert.ok(calls.length > 400, `${calls.length} cases`);
  await compareAnswers(t, calls);
});
