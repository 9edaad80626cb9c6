import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { INPUT_SCHEMAS } from "../../src/policy/input-schema.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { COMPLETE, configMap } from "./policy-scene.ts";
import { makeSshKey } from "./ssh-key.ts";

const SLUICE = "version: 1\ntargets:\n  prod: {branch: main, path: prod}\n  staging: {branch: main, path: staging}\n";
const SECRET =
  "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: apps}\nstringData: {password: hunter22}\n";

/** main holds two targets; the branch `change` changes both and is signed by ada. */
async function proposal(t: TestContext): Promise<TestRepository> {
  const repo = await repository(t);
  const ada = makeSshKey(tempFolder(t), "ada");
  const files = {
    ...COMPLETE,
    "sluice.yaml": SLUICE,
    "trust/people.yaml": `people:\n  ada: {email: [ada@example.com], keys: [${ada.line}]}\n`,
    "prod/a.yaml": configMap("a", "{old: label}"),
    "prod/gone.yaml": configMap("gone", "{}"),
    "staging/a.yaml": configMap("a", "{}"),
  };
  repo.commit({ files, signWith: ada.file });
  repo.branch("change");
  repo.commit({
    files: { "prod/a.yaml": configMap("a", "{new: label}"), "prod/gone.yaml": null, "staging/db.yaml": SECRET },
    signWith: ada.file,
    message: "label a",
  });
  return repo;
}

async function input(repo: TestRepository, ...args: readonly string[]) {
  const run = await runSluice(["policy", "input", ...args], { cwd: repo.path });
  assert.equal(run.code, 0, run.stderr);
  return { document: JSON.parse(run.stdout), remark: run.stderr };
}

test("policy input prints what policies see of a resource, as the published schema says", async (t) => {
  const repo = await proposal(t);
  const { document, remark } = await input(repo, "ConfigMap/apps/a");
  z.fromJSONSchema(INPUT_SCHEMAS.resource as never).parse(document);
  assert.deepEqual(document.resource.object.metadata.labels, { new: "label" });
  assert.deepEqual(document.resource.previous.metadata.labels, { old: "label" });
  assert.deepEqual(
    [document.resource.action, document.resource.origin],
    ["update", { file: "prod/a.yaml", line: 1, tool: "plain" }],
  );
  assert.deepEqual([document.subject.kind, document.subject.target.name], ["proposed", "prod"]);
  assert.equal(document.commits[0].verification.signer.person, "ada");
  assert.equal(remark, "ConfigMap/apps/a of prod is shown; --target staging shows the other one.\n");
  const staging = await input(repo, "ConfigMap/apps/a", "--target", "staging");
  assert.deepEqual([staging.document.resource.action, staging.remark], ["unchanged", ""]);
});

test("policy input prints the change, deletions and Secrets without their values", async (t) => {
  const repo = await proposal(t);
  const { document } = await input(repo, "change", "--target", "prod");
  z.fromJSONSchema(INPUT_SCHEMAS.change as never).parse(document);
  assert.deepEqual(document.change.paths, ["prod/a.yaml", "prod/gone.yaml", "staging/db.yaml"]);
  assert.equal(document.change.head, repo.head());
  const gone = await input(repo, "ConfigMap/apps/gone", "--repo", ".");
  assert.deepEqual([gone.document.resource.action, gone.document.resource.object], ["delete", null]);
  const secret = await input(repo, "Secret/apps/db");
  assert.deepEqual(secret.document.resource.object.stringData, { password: "***" });
  assert.equal(JSON.stringify(secret).includes("hunter22"), false);
});

test("policy input names the nearest resource, and says why a change has no input", async (t) => {
  const repo = await proposal(t);
  const unknown = await runSluice(["policy", "input", "ConfigMap/gone"], { cwd: repo.path });
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^resource-unknown {2}There is no resource "ConfigMap\/gone"/);
  assert.match(unknown.stderr, /fix {2}sluice policy input ConfigMap\/apps\/gone\n/);
  const empty = await runSluice(["policy", "input", "change", "--head", "main"], { cwd: repo.path });
  assert.deepEqual([empty.code, empty.stderr.split("  ")[0]], [2, "empty-range"]);
  repo.checkout("main");
  repo.commit({ files: { "prod/a.yaml": configMap("a", "{other: label}") } });
  repo.checkout("change");
  const conflict = await runSluice(["policy", "input", "change", "--target", "prod"], { cwd: repo.path });
  assert.deepEqual([conflict.code, conflict.stdout, conflict.stderr.split("  ")[0]], [1, "", "merge-conflict"]);
});

test("policy build prints the digest that a judgement of the same policies names", async (t) => {
  const repo = await proposal(t);
  const check = await runSluice(["check", "--target", "prod", "--format", "json"], { cwd: repo.path });
  const build = await runSluice(["policy", "build", "--format", "json"], { cwd: repo.path });
  const [target] = JSON.parse(check.stdout).targets;
  assert.match(target.digests.policies, /^[0-9a-f]{64}$/);
  assert.equal(JSON.parse(build.stdout).digest, target.digests.policies);
});
