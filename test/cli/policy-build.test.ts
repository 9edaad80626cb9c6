import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { policyBuild } from "../../src/cli/policy-build.ts";
import { policyBuildSchema } from "../../src/cli/reports/schemas.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { COMPLETE, runCommand, scene } from "./policy-scene.ts";

test("policy build prints the rules and the digest, and writes the module", async (t) => {
  const folder = scene(t, COMPLETE);
  const run = await runSluice(["policy", "build", "--output", "out.wasm", "--format", "json"], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  const report = policyBuildSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    [report.folder, report.output, report.rules.map(({ id }) => id)],
    ["policies/", "out.wasm", ["label"]],
  );
  const module = readFileSync(join(folder, "out.wasm"));
  assert.equal(module.byteLength, report.bytes);
  await WebAssembly.compile(new Uint8Array(module));
  const text = await runSluice(["policy", "build", "policies"], { cwd: folder });
  assert.match(text.stdout, /^label {2}high {6}resource {2}label\n1 rule, \d+ KiB\nsha256:[0-9a-f]{64}\n$/);
  assert.ok(text.stdout.includes(report.digest), "the slash at the end of the folder makes no difference");
});

test("policy build writes the same bundle again elsewhere and later, which tar reads and another host runs", async (t) => {
  const first = scene(t, COMPLETE);
  const second = join(tempFolder(t), "elsewhere");
  mkdirSync(second);
  cpSync(first, second, { recursive: true });
  utimesSync(join(second, "policies/label/policy.rego"), 1, 1);
  for (const folder of [first, second]) {
    const run = await runCommand(policyBuild, ["--output", "out.tar.gz"], folder);
    assert.equal(run.code, 0);
    assert.match(run.stdout, /, written to out\.tar\.gz\n/);
  }
  const bundle = readFileSync(join(first, "out.tar.gz"));
  assert.ok(bundle.equals(readFileSync(join(second, "out.tar.gz"))));
  const tar = (...args: string[]) => spawnSync("tar", ["-P", ...args, "-f", join(first, "out.tar.gz")]).stdout;
  assert.equal(tar("-t").toString(), "/data.json\n/policy.wasm\n/.manifest\n");
  assert.equal(spawnSync("tar", ["-P", "-xOf", join(first, "out.tar.gz"), "/data.json"]).stdout.toString(), "{}\n");
  const member = (name: string) => spawnSync("tar", ["-P", "-xOf", join(first, "out.tar.gz"), name]).stdout;
  const manifest = JSON.parse(member("/.manifest").toString());
  const entrypoint = "sluice/aggregate/result";
  assert.deepEqual(manifest.wasm[0], { entrypoint, module: "/policy.wasm" });
  assert.deepEqual([manifest.roots, manifest.wasm.length], [["sluice/aggregate"], 2]);
  const policy = await loadPolicy(member("/policy.wasm"), { initial: 64, maximum: 1024 });
  const resource = { id: { kind: "ConfigMap", name: "a" }, object: { metadata: { labels: { bad: "x" } } } };
  const [answer] = policy.evaluate({ resource }, entrypoint) as { result: unknown }[];
  const deny = [{ at: "/metadata/labels/bad", message: "a is labelled x" }];
  assert.deepEqual(answer?.result, { label: { deny, warn: [], ask: [] } });
});

test("policy build signs a bundle for OPA, with the same bytes every time", async (t) => {
  const folder = scene(t, COMPLETE);
  const key = (name: string, ...how: string[]) => {
    execFileSync("openssl", ["genpkey", ...how, "-out", name], { cwd: folder, stdio: "pipe" });
    chmodSync(join(folder, name), 0o600);
  };
  key("rsa.key", "-algorithm", "RSA");
  key("ec.key", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
  const signed = (output: string, ...more: string[]) => runCommand(policyBuild, ["--output", output, ...more], folder);
  for (const output of ["a.tar.gz", "b.tar.gz"])
    assert.equal((await signed(output, "--sign", "rsa.key", "--key-id", "gate")).code, 0);
  assert.ok(readFileSync(join(folder, "a.tar.gz")).equals(readFileSync(join(folder, "b.tar.gz"))));
  const text = execFileSync("tar", ["-P", "-xOf", join(folder, "a.tar.gz"), "/.signatures.json"]).toString();
  const [token] = JSON.parse(text).signatures as [string];
  const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual(
    [payload.keyid, payload.files.map(({ name }: { name: string }) => name)],
    ["gate", ["data.json", "policy.wasm", ".manifest"]],
  );
  assert.equal((await signed("c.tar.gz", "--sign", "ec.key")).error, "signing-key-unusable");
  assert.equal((await signed("c.tar.gz", "--sign", "absent.key")).error, "secret-missing");
  assert.equal((await signed("c.wasm", "--sign", "rsa.key")).error, "usage");
  assert.equal((await signed("c.tar.gz", "--key-id", "x")).error, "usage");
  chmodSync(join(folder, "rsa.key"), 0o644);
  assert.equal((await signed("c.tar.gz", "--sign", "rsa.key")).error, "secret-readable-by-others");
});

test("policy build refuses an output of another kind, an empty folder, and policies that do not compile", async (t) => {
  const folder = scene(t, {
    ...COMPLETE,
    "empty/README.md": "",
    "wrong/policy.rego": `${COMPLETE["policies/label/policy.rego"]}\nwarn contains x if y\n`,
  });
  for (const [args, code, exit] of [
    [["--output", "out.zip"], "usage", 2],
    [["empty"], "no-policies", 3],
    [["absent"], "configuration-missing", 2],
    [["wrong"], "policy-does-not-compile", 3],
  ] as const) {
    const run = await runCommand(policyBuild, args, folder);
    assert.deepEqual([run.code, run.stdout, run.error], [exit, "", code]);
  }
});
