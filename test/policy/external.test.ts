/** `data.external.<name>`: what a set says that it reads, and that nothing is evaluated without it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { asSluiceError } from "../../src/lib/errors.ts";
import { examinePolicies } from "../../src/policy/examine.ts";
import {
  askOnce,
  type ExternalSources,
  externalRecord,
  givenSources,
  recordedSources,
} from "../../src/policy/external.ts";
import { writtenUses } from "../../src/policy/external-uses.ts";
import type { PolicyFile } from "../../src/policy/policy-set.ts";
import { build as buildBy, document, engine, policy, realToolchain } from "./support.ts";

const toolchain = realToolchain({ after });
const build = (files: readonly PolicyFile[]) => buildBy({ after }, files, toolchain);
const refusal = async (asked: Promise<unknown>) => asSluiceError(await asked.catch((thrown: unknown) => thrown));
const ENGINE = engine({ after });
const AT = "2026-11-22T10:00:00.000Z";

const known = (read: string) =>
  policy(
    "known",
    `deny contains {"message": name, "at": ""} if {\n\tname := input.resource.id.name\n\tnot name in ${read}\n}`,
  );

const KNOWN = known("data.external.names.allowed");

test("a set names what it reads from outside, with the place, and its answers are not remembered by object", async () => {
  const set = await build([KNOWN]);
  assert.deepEqual(set.external, [{ name: "names", file: "known/policy.rego", line: 11, column: 14 }]);
  assert.equal(set.readsOnlyOwnParts, false);
  const { external, problems } = await examinePolicies(toolchain, [KNOWN], []);
  assert.deepEqual(external, set.external);
  assert.deepEqual(
    problems.filter(({ severity }) => severity === "mistake"),
    [],
  );
});

test("nothing is evaluated without the data, and each rule that reads it sees exactly what it is given", async () => {
  const set = await build([KNOWN]);
  const documents = [document("one"), document("two")];
  const without = await ENGINE.evaluate(set, documents);
  assert.deepEqual([without.rulesExpected, without.rulesEvaluated], [2, 0]);
  assert.deepEqual(new Set(without.notEvaluated.map(({ code }) => code)), new Set(["external-not-given"]));
  const given = async (allowed: readonly string[]) => {
    const data = new Map([["names", { allowed: [...allowed] }]]);
    const { findings, notEvaluated } = await ENGINE.evaluate(set, documents, undefined, undefined, data);
    assert.deepEqual(notEvaluated, []);
    return findings.map(({ message }) => message);
  };
  assert.deepEqual(await given(["one"]), ["two"]);
  assert.deepEqual(await given(["one", "two"]), []);
});

test("policies of Conftest read it too, and keep a package that they call external", async () => {
  const deny =
    "deny contains msg if {\n\tnot input.metadata.name in data.external.names\n\tmsg := input.metadata.name\n}\n";
  const set = await build([{ path: "c.rego", text: `package main\n\n${deny}` }]);
  assert.deepEqual(
    set.external.map(({ name, line }) => [name, line]),
    [["names", 4]],
  );
  const { findings } = await ENGINE.evaluate(
    set,
    [document("one"), document("two")],
    undefined,
    undefined,
    new Map([["names", ["two"]]]),
  );
  assert.deepEqual(
    findings.map(({ message }) => message),
    ["one"],
  );
  const own = await build([
    { path: "c.rego", text: `package main\n\n${deny}` },
    {
      path: "d.rego",
      text: '# METADATA\n# custom:\n#   dialect: conftest\npackage external\n\nnames := ["one"]\n\nwarn contains "w" if false\n',
    },
  ]);
  assert.deepEqual(own.external, []);
});

test("a source is read by its name, and nobody else has the package", async () => {
  const refused = async (read: string) => {
    const { code, message, position } = await refusal(build([known(read)]));
    assert.deepEqual([position?.file, position?.line], ["known/policy.rego", 11], message);
    return code;
  };
  assert.equal(await refused("data.external[input.resource.id.name]"), "external-unnamed");
  assert.equal(await refused("data.external"), "external-unnamed");
  assert.equal(await refused('data.external["Registries-2"]'), "external-unnamed");
  const library = { path: "lib/external.rego", text: "package external.names\n\nallowed := []\n" };
  assert.equal((await refusal(build([KNOWN, library]))).code, "policy-metadata");
  const { problems } = await examinePolicies(toolchain, [known("data.external")], []);
  const [mistake] = problems.filter(({ severity }) => severity === "mistake");
  assert.deepEqual([mistake?.code, mistake?.line, mistake?.column], ["external-unnamed", 11, 14]);
});

test("what reaches outside while judging is refused with its place, and the fix names the other way", async () => {
  for (const call of ['http.send({"method": "get", "url": "http://x"}).body', 'net.lookup_ip_addr("x")']) {
    const thrown = await refusal(build([known(call)]));
    assert.equal(thrown.code, "builtin-not-supported");
    assert.match(thrown.message, /^known\/policy\.rego:11:14 /);
  }
});

test("what was asked once is what it is for the whole decision, and a failure says who reads it", async () => {
  let asked: readonly string[] = [];
  const sources: ExternalSources = {
    ask: async (_, names) => {
      asked = [...asked, ...names];
      return names.map((name) => externalRecord(name, AT, name === "odd" ? '{"a":1,"a":2}' : `"${name}"`));
    },
  };
  const use = (name: string) => ({ name, file: "p.rego", line: 3, column: 4 });
  const decision = askOnce(sources, "prod");
  assert.deepEqual([...(await decision.data([use("b"), use("a")]))].sort(), [
    ["a", "a"],
    ["b", "b"],
  ]);
  await decision.data([use("a")]);
  assert.deepEqual(asked, ["b", "a"]);
  const thrown = asSluiceError(await decision.data([use("odd")]).catch((error: unknown) => error));
  assert.deepEqual([thrown.code, thrown.position?.file], ["external-malformed", "p.rego"]);
  assert.match(thrown.message, /^p\.rego:3:4 reads data\.external\.odd\. What the source odd gave is not JSON/);
  assert.deepEqual(
    decision.records().map(({ name, failure }) => [name, failure?.code ?? null]),
    [
      ["a", null],
      ["b", null],
      ["odd", "external-malformed"],
    ],
  );
});

test("what was recorded is given again, a failure as that failure, and other names as others have them", async () => {
  const recorded = [externalRecord("a", AT, "1"), externalRecord("b", AT, "no")];
  const sources = recordedSources(recorded, givenSources([externalRecord("a", AT, "2"), externalRecord("c", AT, "3")]));
  const records = await sources.ask("prod", ["a", "b", "c", "d"]);
  assert.deepEqual(
    records.map(({ name, text, failure }) => [name, text, failure?.code ?? null]),
    [
      ["a", "1", null],
      ["b", null, "external-malformed"],
      ["c", "3", null],
      ["d", null, "external-not-given"],
    ],
  );
  const large = externalRecord("a", AT, `"${"x".repeat(1024 * 1024)}"`);
  assert.deepEqual([large.failure?.code, large.text], ["external-too-large", null]);
});

test("the text of policies alone says what they name, where nobody knows what they will be asked", () => {
  const texts = [
    { path: "a.rego", text: "package a\n# data.external\nx := data.external.one[0]\ny := { data.external.two }\n" },
    { path: "b.rego", text: 'package b\nz := data["external"].one\nq := "data.external"\n' },
  ];
  assert.deepEqual(
    writtenUses(texts).map(({ name, line }) => [name, line]),
    [
      ["one", 3],
      ["two", 4],
    ],
  );
  assert.throws(() => writtenUses([{ path: "a.rego", text: "package a\nimport data.external\n" }]), {
    code: "external-unnamed",
  });
});
