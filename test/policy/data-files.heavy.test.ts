/** OPA itself beside us: the same folders give one document or a refusal, the same policies the same answers, and it reads our bundles. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { utf8 } from "../../src/lib/bytes.ts";
import type { JsonObject } from "../../src/lib/canonical.ts";
import { encodeBundle } from "../../src/policy/bundle.ts";
import { readBundle } from "../../src/policy/bundle-read.ts";
import { verifyBundleSignatures } from "../../src/policy/bundle-signature.ts";
import { compileRequest, sourcesOf } from "../../src/policy/compile.ts";
import { entriesOf, nestedText, policyFile, readDataFiles } from "../../src/policy/data-files.ts";
import type { PolicyFile } from "../../src/policy/policy-set.ts";
import { readPolicies, selectPolicies } from "../../src/policy/reading.ts";
import { write } from "../cli/policy-scene.ts";
import { tempFolder } from "../support/temp.ts";
import { build, document, engine, policy, ROOT, realToolchain } from "./support.ts";

const shared = { after };
const toolchain = realToolchain(shared);
const judging = engine(shared);
const opa = builtOpa();

function builtOpa(): string {
  const file = join(tempFolder(shared), "opa-data");
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/local/go/bin`, CGO_ENABLED: "0", GOWORK: "off" };
  execFileSync("go", ["build", "-o", file, "./conformance/data"], { cwd: join(ROOT, "toolchain"), env, stdio: "pipe" });
  return file;
}

/** null where OPA refuses it. */
function askOpa(path: string, ...queries: readonly string[]): readonly string[] | null {
  const { status, stdout } = spawnSync(opa, [path, ...queries], { encoding: "utf8" });
  assert.ok(status === 0 || status === 1, "OPA could not be asked");
  return status === 0 ? stdout.trimEnd().split("\n") : null;
}

type Folder = Readonly<Record<string, string>>;

function ours(files: Folder): string | null {
  const { document: whole, problems } = readDataFiles(
    Object.entries(files).map(([path, text]) => policyFile("", path, text)),
  );
  return problems.length > 0 ? null : nestedText(entriesOf(whole));
}

/** The same random numbers each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % sides;
  };
}

function randomValue(roll: (sides: number) => number, depth: number): unknown {
  const kind = roll(depth > 2 ? 4 : 7);
  if (kind === 0) return roll(1000) - 500;
  if (kind === 1) return `text <&> ${roll(9)}`;
  if (kind === 2) return roll(2) === 0 ? null : true;
  if (kind === 3) return [roll(3), [roll(3)]];
  return Object.fromEntries(Array.from({ length: roll(3) + 1 }, () => ["abcd"[roll(4)], randomValue(roll, depth + 1)]));
}

function randomFolder(seed: number): Folder {
  const roll = dice(seed);
  const names = Array.from({ length: 2 + roll(3) }, () => {
    const folder = ["", "a/", "a/b/", "c/", "a/b.c/"][roll(5)] ?? "";
    return `${folder}data.${["json", "yaml", "yml"][roll(3)]}`;
  });
  return Object.fromEntries(
    names.map((name) => {
      const value = name.includes("/") ? randomValue(roll, 0) : { [`${"abcd"[roll(4)]}`]: randomValue(roll, 1) };
      return [name, JSON.stringify(value)];
    }),
  );
}

const SAYS = (expression: string, name: string, head = "") =>
  `${head}package ${name}\n\nimport rego.v1\n\ndeny contains sprintf("%v", [${expression}])\n`;
const CONFTEST = "# METADATA\n# custom:\n#   dialect: conftest\n";
const GIVEN: Folder = {
  "shop/data.json": '{"limit": 123456789012345678901234567890, "teams": {"web": {"lead": "ada"}}, "f": 2.50, "e": 1e3}',
  "shop/images/data.yaml": "allowed: [a, b]\n",
  "data.yml": "kubernetes: {admission: {limit: 3}, other: {limit: 4}}\nmain: {more: {limit: 5}}\n",
  "main/data.json": '{"limit": 7}',
};

describe("data files beside OPA", () => {
  it("are one document, or a conflict, as OPA's bundles have them", (t) => {
    let refused = 0;
    for (let seed = 1; seed <= 120; seed++) {
      const files = randomFolder(seed);
      const folder = write(tempFolder(t), files);
      const [theirs] = askOpa(folder, "data") ?? [null];
      // Both print keys in order; the escapes of HTML are Go's alone.
      const expected = theirs?.replaceAll("\\u003c", "<").replaceAll("\\u003e", ">").replaceAll("\\u0026", "&") ?? null;
      assert.equal(ours(files), expected, JSON.stringify(files));
      if (expected === null) refused += 1;
    }
    assert.ok(refused > 10 && refused < 110, `${refused} of 120 are conflicts`);
  });

  it("conflict with rules where OPA says so", async (t) => {
    for (const text of [
      "package shop\n\nteams := 1\n",
      "package shop.teams\n\nx := 1\n",
      "package shop.limit.x\n\ny := 1\n",
      "package shop.images\n\nallowed contains 1\n",
      "package shop.images.allowed\n\nx := 1\n",
      "package main\n\nlimit := 1\n",
      "package main\n\nlimits := 1\n",
      "package kubernetes.admission\n\nlimit := 1\n",
      "package kubernetes.admission\n\nother := 1\n",
      "package shop\n\nteams.web.lead := 1\n",
      "package shop\n\nteams.web.deputy := 1\n",
      "package shop\n\nf(x) := x\n",
      "package shop\n\ng(x) := x\n",
    ]) {
      const theirs = askOpa(write(tempFolder(t), { ...GIVEN, "p.rego": text }), "1");
      const native = policy("native", 'deny contains {"message": "m"} if input.resource');
      const built = await build(shared, [...policies(GIVEN), { path: "p.rego", text }, native], toolchain).then(
        () => "built",
        ({ code }: { readonly code: string }) => code,
      );
      assert.equal(built, theirs === null ? "data-conflict" : "built", text);
    }
  });

  it("give the answers of OPA in every dialect, under whatever package they lie", async (t) => {
    for (const expression of [
      "data.shop.limit * 2",
      "[data.shop.f, data.shop.e]",
      'data.shop["teams"].web.lead',
      "count(data.shop.teams)",
      "data.shop.images.allowed[_]",
      "data.main.limit",
      "data.main.more.limit",
      "data.kubernetes.admission.limit",
      "data.kubernetes.other.limit",
      "data.shop.teams.absent",
      "{x | some x in data.shop.images.allowed}",
    ]) {
      const files = {
        "main.rego": SAYS(expression, "main"),
        "admission.rego": SAYS(expression, "kubernetes.admission"),
        "images.rego": SAYS(expression, "shop.images", CONFTEST),
      };
      const queries = ["data.kubernetes.admission.deny", "data.main.deny", "data.shop.images.deny"];
      const theirs = askOpa(write(tempFolder(t), { ...GIVEN, ...files }), ...queries);
      assert.deepEqual(
        await said(
          [...policies(GIVEN), ...policies(files)],
          ["kubernetes.admission/deny", "main/deny", "shop.images/deny"],
        ),
        theirs?.map((text) => JSON.parse(text) as readonly string[]),
        expression,
      );
    }
  });

  it("are in a bundle that OPA reads, with the document that it answers the same with, and that we read back", async (t) => {
    const expression = "[data.main.limit, data.shop.limit, data.shop.images.allowed, data.kubernetes.admission.limit]";
    const native = policy(
      "native",
      `deny contains {"message": m} if m := sprintf("%v", [[data.shop.limit, data.shop.f]])`,
    );
    const files = [
      ...policies(GIVEN),
      ...policies({
        "main.rego": SAYS(expression, "main"),
        "admission.rego": SAYS(expression, "kubernetes.admission"),
      }),
      native,
    ];
    const set = await build(shared, files, toolchain);
    const sources = sourcesOf(files, set.digest) ?? assert.fail();
    const bundle = encodeBundle(set, sources, { name: null, version: null, notAfter: null }, null);
    const file = join(tempFolder(t), "bundle.tar.gz");
    writeFileSync(file, bundle);
    const [whole = ""] = askOpa(file, "data") ?? assert.fail("OPA refuses the bundle");
    assert.ok(gunzipSync(bundle).includes(whole), "OPA reads another document than is written");
    const read = await readPolicies(toolchain, selectPolicies(files));
    if ("ok" in read) assert.fail();
    for (const { imported, id } of set.rules) {
      if (imported === null) continue;
      const request = {
        files: compileRequest(read)["files"] ?? [],
        data: whole,
        query: `data.${imported.package}.deny`,
      };
      const answer = await toolchain.request("eval", request as JsonObject);
      assert.ok(answer.ok);
      assert.deepEqual([answer.result["value"]], await said(files, [id]));
    }
    const back = readBundle(bundle);
    assert.equal(back.digest, set.digest);
    const again = await build(shared, back.policies, toolchain);
    assert.deepEqual([again.digest, again.data, again.wasm], [set.digest, set.data, set.wasm]);
  });

  it("in a bundle of opa build are read like those of its folder, and verified by its key", async (t) => {
    const folder = tempFolder(t);
    const files = { ...GIVEN, "lib/main.rego": SAYS("data.main.limit + data.shop.f", "main") };
    write(join(folder, "policies"), files);
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }).toString();
    openssl("genpkey", "-algorithm", "RSA", "-out", "key.pem");
    const key = openssl("pkey", "-in", "key.pem", "-pubout");
    const made = (name: string, source: string, ...args: readonly [string, string]) => {
      const file = join(folder, name);
      execFileSync(opa, ["build", join(folder, source), file, ...args], { stdio: "pipe" });
      return readFileSync(file);
    };
    const plain = readBundle(made("plain.tar.gz", "policies", "-", "-"));
    assert.deepEqual(await said(plain.policies, ["main/deny"]), [["9.5"]]);
    assert.deepEqual([plain.name, plain.version, plain.notAfter], [null, null, null]);
    const theirs = readDataFiles(plain.policies).document;
    assert.equal(nestedText(entriesOf(theirs)), nestedText(entriesOf(readDataFiles(policies(files)).document)));
    assert.throws(() => verifyBundleSignatures(plain.files, key), { code: "bundle-unsigned" });
    const signed = readBundle(made("signed.tar.gz", "policies", join(folder, "key.pem"), "-"));
    verifyBundleSignatures(signed.files, key);
    assert.equal(signed.digest, plain.digest);
    const changed = new Map(signed.files).set("data.json", utf8('{"main": {"limit": 8}}'));
    assert.throws(() => verifyBundleSignatures(changed, key), { code: "bundle-signature" });
    for (const [what, bundle] of [
      ["a module, beside which the rules are missing", made("wasm.tar.gz", "policies", "-", "main/deny")],
      ["no Rego", made("data.tar.gz", "policies/shop", "-", "-")],
    ] as const)
      assert.throws(() => readBundle(bundle), { code: "bundle-invalid" }, what);
  });
});

function policies(files: Folder): readonly PolicyFile[] {
  return Object.entries(files).map(([path, text]) => policyFile("", path, text));
}

/** By rule: what it says. */
async function said(files: readonly PolicyFile[], rules: readonly string[]): Promise<readonly (readonly string[])[]> {
  const set = await build(shared, files, toolchain);
  const { findings, notEvaluated } = await judging.evaluate(set, [document("web")]);
  assert.deepEqual(notEvaluated, []);
  return rules.map((id) =>
    findings
      .filter(({ rule }) => rule === id)
      .map(({ message }) => message)
      .sort(),
  );
}
