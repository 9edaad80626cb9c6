import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { policyBuild } from "../../src/cli/policy-build.ts";
import { policyCheck } from "../../src/cli/policy-check.ts";
import { policyEval } from "../../src/cli/policy-eval.ts";
import { type PolicyEvalReport, policyBuildSchema, policyCheckSchema } from "../../src/cli/reports/schemas.ts";
import { readArchive } from "../../src/policy/bundle-archive.ts";
import { sshKeyPair, sshSign } from "../support/signing.ts";
import type { Scope } from "../support/temp.ts";
import { COMPLETE, configMap, runCommand, scene } from "./policy-scene.ts";

const BLOCK = 512;

/** Policies, something to judge, and a trust folder in which two people, one of them security, change policies. */
function bundleScene(t: Scope): string {
  const folder = scene(t, { ...COMPLETE, "bad.yaml": configMap("bad", "{bad: yes please}"), "trust/README.md": "" });
  const people = ["ada", "lin", "jo"].map((name) => {
    const key = sshKeyPair(folder, name).line.split(" ").slice(0, 2).join(" ");
    const roles = name === "jo" ? "[security]" : "[]";
    return `  ${name}: {email: [${name}@example.com], roles: ${roles}, keys: [${key}]}\n`;
  });
  sshKeyPair(folder, "mallory");
  writeFileSync(
    join(folder, "trust/people.yaml"),
    `change: {count: 2, roles: [security]}\npeople:\n${people.join("")}`,
  );
  return folder;
}

async function build(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout } = await runCommand(policyBuild, ["--output", "p.tar.gz", "--format", "json", ...args], folder);
  assert.equal(code, 0);
  return policyBuildSchema.parse(JSON.parse(stdout)).digest;
}

/** One after the other into p.tar.gz.sig. */
function sign(folder: string, names: readonly string[], namespace = "sluice-bundle"): void {
  const payload = readFileSync(join(folder, "p.tar.gz"));
  writeFileSync(join(folder, "p.tar.gz.sig"), "");
  for (const name of names) {
    const line = readFileSync(join(folder, `${name}.pub`), "utf8").trim();
    const signature = sshSign({ path: join(folder, name), line }, payload, namespace);
    appendFileSync(join(folder, "p.tar.gz.sig"), signature);
  }
}

function evaluate(folder: string, ...args: string[]) {
  return runCommand(policyEval, ["bad.yaml", "--policies", "p.tar.gz", "--format", "json", ...args], folder);
}

test("a bundle that enough people of the trust folder signed judges as its folder does", async (t) => {
  const folder = bundleScene(t);
  const digest = await build(folder);
  for (const [signers, error] of [
    [[], "bundle-unsigned"],
    [["jo"], "bundle-signature"],
    [["jo", "jo"], "bundle-signature"],
    [["ada", "lin"], "bundle-signature"],
    [["jo", "mallory"], "bundle-signature"],
    [["mallory", "ada", "jo"], null],
  ] as const) {
    sign(folder, signers);
    assert.equal((await evaluate(folder)).error, error, signers.join());
  }
  const { code, stdout } = await evaluate(folder);
  const report = JSON.parse(stdout) as PolicyEvalReport;
  assert.equal(code, 1);
  assert.deepEqual(
    report.findings.map(({ rule, message }) => [rule, message]),
    [["label", "bad is labelled yes please"]],
  );
  assert.ok(stdout.includes(digest), "by the digest that decisions name");
  const check = await runCommand(policyCheck, ["p.tar.gz", "--format", "json"], folder);
  assert.deepEqual(policyCheckSchema.parse(JSON.parse(check.stdout)).rules, ["label"]);
  sign(folder, ["ada", "jo"], "git");
  assert.equal((await evaluate(folder)).error, "bundle-signature", "a signature of a commit is none of a bundle");
  sign(folder, ["ada", "jo"]);
  await build(folder, "--bundle-version", "1");
  assert.equal((await evaluate(folder)).error, "bundle-signature", "they signed other bytes");
});

test("a bundle that is past its end, or older than what is to be taken, is refused", async (t) => {
  const folder = bundleScene(t);
  const built = async (...args: string[]) => {
    await build(folder, ...args);
    sign(folder, ["ada", "jo"]);
  };
  await built("--bundle-version", "6", "--until", "2026-01-01");
  assert.equal((await evaluate(folder)).error, "bundle-expired");
  await built("--bundle-version", "6", "--until", "2999-01-01");
  assert.equal((await evaluate(folder, "--minimum-version", "7")).error, "bundle-rolled-back");
  assert.equal((await evaluate(folder, "--minimum-version", "6")).error, null);
  await built();
  assert.equal((await evaluate(folder, "--minimum-version", "0")).error, "bundle-rolled-back", "it says no version");
  const module = ["--output", "p.wasm", "--bundle-version", "1"];
  assert.equal((await runCommand(policyBuild, module, folder)).error, "usage");
});

test("a version that was taken is remembered: no older one after it, and no other one in its place", async (t) => {
  const folder = bundleScene(t);
  const taken = async (...args: string[]) => {
    await build(folder, ...args);
    sign(folder, ["ada", "jo"]);
    return (await evaluate(folder)).error;
  };
  assert.equal(await taken(), null, "none was taken");
  assert.equal(await taken("--bundle-version", "7"), null);
  assert.equal(await taken("--bundle-version", "7"), null, "the same again");
  assert.equal(await taken("--bundle-version", "6"), "bundle-rolled-back");
  assert.equal(await taken(), "bundle-rolled-back", "it says no version");
  assert.equal(await taken("--bundle-version", "10"), null);
  assert.equal(await taken("--bundle-version", "9"), "bundle-rolled-back");
  assert.equal(await taken("--bundle-version", "9", "--bundle-name", "other"), null, "another bundle");
  const rule = join(folder, "policies/label/policy.rego");
  writeFileSync(rule, `${readFileSync(rule, "utf8")}\n# changed\n`);
  assert.equal(await taken("--bundle-version", "10"), "bundle-rolled-back", "other policies");
  await build(folder, "--bundle-version", "11");
  assert.equal((await evaluate(folder)).error, "bundle-signature");
  assert.equal(await taken("--bundle-version", "10", "--bundle-name", "third"), null);
  await build(folder, "--bundle-version", "99");
  sign(folder, ["mallory"]);
  assert.equal((await evaluate(folder)).error, "bundle-signature");
  assert.equal(await taken("--bundle-version", "11"), null, "what nobody signed is not remembered");
  const state = join(folder, ".local/state/sluice/bundles");
  rmSync(state, { recursive: true });
  writeFileSync(state, "");
  assert.equal(await taken("--bundle-version", "12"), "bundle-memory");
  const name = ["--output", "p.tar.gz", "--bundle-name", "Not One"];
  assert.equal((await runCommand(policyBuild, name, folder)).error, "usage");
});

test("a bundle signed for OPA verifies by that key alone, over exactly its files", async (t) => {
  const folder = bundleScene(t);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  for (const name of ["rsa", "other"]) {
    openssl("genpkey", "-algorithm", "RSA", "-out", `${name}.key`);
    openssl("pkey", "-in", `${name}.key`, "-pubout", "-out", `${name}.pub`);
    chmodSync(join(folder, `${name}.key`), 0o600);
  }
  await build(folder);
  assert.equal((await evaluate(folder, "--bundle-key", "rsa.pub")).error, "bundle-unsigned");
  await build(folder, "--sign", "rsa.key");
  assert.equal((await evaluate(folder, "--bundle-key", "rsa.pub")).code, 1);
  assert.equal((await evaluate(folder, "--bundle-key", "other.pub")).error, "bundle-signature");
  assert.equal((await evaluate(folder, "--bundle-key", "rsa.key")).error, "signing-key-unusable");
  assert.equal((await evaluate(folder, "--bundle-key", "rsa.pub", "--trust", "trust")).error, "bundle-unsigned");
  const tar = gunzipSync(readFileSync(join(folder, "p.tar.gz")));
  tar[tar.indexOf("\0asm") + 2000] = (tar[tar.indexOf("\0asm") + 2000] ?? 0) ^ 1;
  writeFileSync(join(folder, "p.tar.gz"), gzipSync(tar));
  assert.equal((await evaluate(folder, "--bundle-key", "rsa.pub")).error, "bundle-signature");
});

/** A header of the archive, changed, with the checksum that belongs to it. */
function header(block: Buffer, at: number, text: string): Buffer {
  const changed = Buffer.from(block);
  changed.write(text, at, "latin1");
  changed.write(" ".repeat(8), 148, "latin1");
  const sum = changed.reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return changed;
}

test("an archive that is anything but a bundle's four plain files is refused before anybody's signature is looked at", async (t) => {
  const folder = bundleScene(t);
  await build(folder);
  const whole = gunzipSync(readFileSync(join(folder, "p.tar.gz")));
  const [first, rest] = [whole.subarray(0, BLOCK), whole.subarray(BLOCK)];
  const dataFile = whole.subarray(0, 2 * BLOCK);
  const withHeader = (at: number, text: string) => Buffer.concat([header(first, at, text), rest]);
  const hostile: Readonly<Record<string, Buffer>> = {
    "a path": withHeader(0, "../data.json"),
    "a path by its prefix": withHeader(345, "../.."),
    "a link": withHeader(156, "2"),
    "a folder": withHeader(156, "5"),
    "a long name": withHeader(156, "x"),
    "a name beside the name": withHeader(157, "/etc/passwd"),
    "a wrong checksum": Buffer.concat([header(first, 0, "/data.json"), rest]).fill("7", 136, 137),
    "a size in another notation": withHeader(124, "\u0080"),
    "a size beyond the end": withHeader(124, "77777777777"),
    "a file twice": Buffer.concat([dataFile, whole]),
    "words behind a file": Buffer.concat([whole]).fill("x", 2 * BLOCK - 1, 2 * BLOCK),
    "words behind the end": Buffer.concat([whole, Buffer.from("more")]),
    "no end": whole.subarray(0, whole.length - BLOCK),
    "half of it": whole.subarray(0, 3 * BLOCK),
    "no manifest": Buffer.concat([dataFile, Buffer.alloc(2 * BLOCK)]),
    "data that its policies do not have": Buffer.concat([
      header(first, 124, "00000000010"),
      Buffer.from('{"a":1}\n'.padEnd(BLOCK, "\0")),
      whole.subarray(2 * BLOCK),
    ]),
    "another magic": withHeader(257, "zstar"),
  };
  for (const [what, tar] of Object.entries(hostile)) {
    writeFileSync(join(folder, "p.tar.gz"), gzipSync(tar));
    assert.equal((await evaluate(folder)).error, "bundle-invalid", what);
  }
  writeFileSync(join(folder, "p.tar.gz"), "no gzip");
  assert.equal((await evaluate(folder)).error, "bundle-invalid");
  writeFileSync(join(folder, "p.tar.gz"), gzipSync(Buffer.alloc(65 * 1024 * 1024)));
  assert.equal((await evaluate(folder)).error, "bundle-too-large", "64 KiB that swell");
  assert.throws(() => readArchive(new Uint8Array(32 * 1024 * 1024 + 1)), { code: "bundle-too-large" });
  assert.equal(
    (await runCommand(policyEval, ["bad.yaml", "--policies", "absent.tar.gz"], folder)).error,
    "configuration-missing",
  );
});
