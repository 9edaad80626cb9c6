/** The library's own tests: every rule is described, tested and shown, and means on our host what OPA says it means. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Invocation } from "../../src/cli/command.ts";
import { judgeExamples } from "../../src/cli/policy-examples.ts";
import { type PolicyFolder, readPolicyFolder } from "../../src/cli/policy-folder.ts";
import { policyCheckSchema, policyTestSchema } from "../../src/cli/reports/schemas.ts";
import type { JsonObject, JsonValue } from "../../src/lib/canonical.ts";
import { readExample } from "../../src/policy/example.ts";
import type { PolicyInput } from "../../src/policy/input.ts";
import { selects } from "../../src/policy/match.ts";
import { isObject, type Toolchain } from "../../src/policy/toolchain.ts";
import { readPod } from "../../src/render/pod.ts";
import { build, engine, ROOT, realToolchain } from "../policy/support.ts";
import { runSluice } from "../support/sluice.ts";

const SEED = 20_261_121;
const MUTATED_DOCUMENTS = 300;

function library(): PolicyFolder {
  return readPolicyFolder({ folder: ROOT } as Invocation, "policies");
}

function policiesOf({ files }: PolicyFolder) {
  return files.filter(({ path }) => path.endsWith(".rego") && !path.endsWith("_test.rego"));
}

test("the policy library", async (suite) => {
  const folder = library();
  const set = await build(suite, policiesOf(folder));

  await suite.test("has a folder for every rule, named after it, and a line in its README", () => {
    const readme = readFileSync(join(ROOT, "policies/README.md"), "utf8");
    assert.ok(set.rules.length >= 12);
    for (const { id, file, level, scope } of set.rules) {
      assert.equal(file, `policies/${id}/policy.rego`);
      const line = readme.split("\n").find((one) => one.startsWith(`| [${id}](${id}/policy.rego) | `)) ?? "";
      assert.ok(line.startsWith(`| [${id}](${id}/policy.rego) | ${level}`), `${id} is ${level} in README.md`);
      assert.ok(line.includes(`| ${scope} |`), `${id} has scope ${scope} in README.md`);
    }
  });

  await suite.test("says of every rule what, why, what to do, and what an auditor looks it up by", () => {
    for (const { id, title, description, fix, controls, mode } of set.rules) {
      assert.ok(title.length > 10 && !title.endsWith("."), id);
      assert.ok(description.length > 40 && description.endsWith("."), id);
      assert.ok((fix ?? "").length > 20, id);
      assert.ok(controls.length > 0, id);
      assert.equal(mode, "enforce", id);
    }
  });

  await suite.test("shows of every rule what it allows and what it denies, by objects that it selects", async (t) => {
    const judged = await judgeExamples(folder.examples, set, engine(t));
    assert.deepEqual(
      judged.filter(({ result }) => result === "failed"),
      [],
    );
    for (const { id } of set.rules) {
      const mine = judged.filter(({ rules }) => rules.includes(id));
      for (const expected of ["allow", "deny"])
        assert.ok(
          mine.some((one) => one.expected === expected),
          `${id} ${expected}`,
        );
    }
    for (const { path, text, folder: place } of folder.examples) {
      const rule = set.rules.find(({ file }) => dirname(file) === place) ?? assert.fail(path);
      for (const document of readExample(path, text)) assert.ok(selects(rule, document), path);
    }
  });

  await suite.test("denies exactly the deny examples by OPA's own evaluator too", async (t) => {
    const documents: PolicyInput[] = [];
    const asked = folder.examples.flatMap(({ path, text, folder: place, expected }) => {
      const rule = set.rules.find(({ file }) => dirname(file) === place) ?? assert.fail(path);
      const read = readExample(path, text);
      documents.push(...read);
      return read.map((_, index) => {
        return { set: `${rule.package}.deny`, document: documents.length - read.length + index, path, expected };
      });
    });
    const said = await topdown(realToolchain(t), folder, asked, documents);
    for (const [path, answers] of Map.groupBy(asked.keys(), (index) => asked[index]?.path)) {
      const isDenied = answers.some((index) => (said[index]?.length ?? 0) > 0);
      assert.equal(isDenied, asked[answers[0] ?? 0]?.expected === "deny", path);
    }
  });

  await suite.test("is clean by `policy check`, and its tests pass and reach every line by `policy test`", async () => {
    const check = await runSluice(["policy", "check", "policies", "--format", "json"], { cwd: ROOT });
    const { problems, rules } = policyCheckSchema.parse(JSON.parse(check.stdout));
    assert.deepEqual([check.code, problems, rules], [0, [], set.rules.map(({ id }) => id)]);
    const run = await runSluice(["policy", "test", "policies", "--threshold", "100", "--format", "json"], {
      cwd: ROOT,
    });
    const { coverage, counts, tests } = policyTestSchema.parse(JSON.parse(run.stdout));
    assert.deepEqual([run.code, coverage?.percent, counts.failed, counts.skipped], [0, 100, 0, 0]);
    for (const { id } of set.rules)
      assert.ok(
        tests.some(({ file }) => file.startsWith(`policies/${id}/`)),
        id,
      );
  });

  await suite.test("finds in mutated examples, on our host, exactly what OPA's evaluator finds", async (t) => {
    const host = engine(t);
    const real = folder.examples.flatMap(({ path, text }) => readExample(path, text));
    const documents = fc.sample(mutated(real), { numRuns: MUTATED_DOCUMENTS, seed: SEED });
    const asked = documents.flatMap((document, index) =>
      set.rules
        .filter((rule) => selects(rule, document))
        .flatMap((rule) => rule.kinds.map((kind) => ({ set: `${rule.package}.${kind}`, document: index }))),
    );
    const said = await topdown(realToolchain(t), folder, asked, documents);
    let found = 0;
    for (const [index, document] of documents.entries()) {
      const { findings, notEvaluated } = await host.evaluate(set, [document]);
      assert.deepEqual(notEvaluated, [], JSON.stringify(document));
      const ours = findings.map(({ policy, kind, message, at }) => JSON.stringify([`${policy}.${kind}`, message, at]));
      const theirs = asked.flatMap((one, place) =>
        one.document !== index ? [] : (said[place] ?? []).map((finding) => findingText(one.set, finding)),
      );
      assert.deepEqual(ours.sort(), theirs.sort(), JSON.stringify(document));
      found += findings.length;
    }
    assert.ok(found > MUTATED_DOCUMENTS / 2, `only ${found} findings in ${MUTATED_DOCUMENTS} documents`);
  });
});

function findingText(set: string, { message, at = "" }: JsonObject): string {
  return JSON.stringify([set, message, at]);
}

interface Asked {
  /** `package.deny`. */
  readonly set: string;
  /** Which of the documents it is asked about. */
  readonly document: number;
}

/** Findings by question; asked strictly, so that a built-in that fails there is no silence. */
async function topdown(
  toolchain: Toolchain,
  folder: PolicyFolder,
  asked: readonly Asked[],
  documents: readonly PolicyInput[],
): Promise<readonly (readonly JsonObject[])[]> {
  const files = policiesOf(folder).map(({ path, text }) => ({ path, text }));
  const sets = [...new Set(asked.map(({ set }) => set))];
  const terms = sets.map((set) => {
    const indices = asked.filter((one) => one.set === set).map(({ document }) => document);
    return `{i: f | some i, one in input; i in {${indices.join(", ")}}; f := data.${set} with input as one}`;
  });
  const input = documents as unknown as JsonValue;
  const answer = await toolchain.request("eval", {
    files,
    query: `[${terms.join(", ")}]`,
    input,
    strictBuiltinErrors: true,
  });
  assert.ok(answer.ok, JSON.stringify(answer).slice(0, 2000));
  const said = answer.result["value"] as unknown as readonly Readonly<Record<string, readonly JsonObject[]>>[];
  return asked.map(({ set, document }) => said[sets.indexOf(set)]?.[document] ?? assert.fail(`${set} of ${document}`));
}

/** Real documents with up to four places, of the object or of what is known about the change, made into something else. */
function mutated(real: readonly PolicyInput[]): fc.Arbitrary<PolicyInput> {
  const surprise = fc.oneof(
    fc.constantFrom<JsonValue>(null, true, false, "true", "", "0", 0, 1, -1, 1.5, [], {}, [{}], [null], { name: "x" }),
    fc.constantFrom<JsonValue>("*", "latest", "web@sha256:00", "cluster-admin", "prod/x.yaml", "100%", "ALL", "ada"),
    fc.string(),
  );
  const edits = fc.array(fc.record({ at: fc.nat(), value: surprise }), { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.constantFrom(...real), edits).map(([document, changes]) => {
    const copy = JSON.parse(JSON.stringify(document)) as PolicyInput & { pod: unknown };
    for (const { at, value } of changes) mutate(copy, at, structuredClone(value) as JsonValue);
    const object = copy.resource?.object;
    if (!isObject(object)) return copy;
    const reading = readPod(object);
    return { ...copy, pod: reading.kind === "pod" ? reading.pod : null };
  });
}

/** Hostile authors write any object; of a change they choose only texts, in a shape that is always the same. */
function mutate({ resource, change, commits, approvals }: PolicyInput, at: number, value: JsonValue): void {
  const isResource = resource !== null;
  const root = (isResource ? resource.object : { paths: change?.paths, commits, approvals }) as Record<
    string,
    JsonValue
  >;
  const places = placesOf(root).filter(([node, key]) =>
    isResource ? node !== root || (key !== "apiVersion" && key !== "kind") : typeof node[key] === "string",
  );
  const place = places[at % Math.max(1, places.length)];
  if (place !== undefined) place[0][place[1]] = isResource ? value : String(value);
}

function placesOf(node: Record<string, JsonValue>): readonly [Record<string, JsonValue>, string][] {
  return Object.entries(node).flatMap(([key, child]) => {
    const below = typeof child === "object" && child !== null ? placesOf(child as Record<string, JsonValue>) : [];
    return [[node, key] as [Record<string, JsonValue>, string], ...below];
  });
}
