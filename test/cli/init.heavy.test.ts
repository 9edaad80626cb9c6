import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { configCheckSchema, initSchema } from "../../src/cli/reports/schemas.ts";
import { yamlText } from "../../src/cli/starter.ts";
import { readSluiceYaml } from "../../src/config/sluice-yaml.ts";
import { readDocument } from "../../src/lib/document.ts";
import { readTrustFolder } from "../../src/signature/trust-folder.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

const DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";

const MIXED = {
  "clusters/prod/web.yaml": DEPLOYMENT,
  "clusters/staging/web.yaml": DEPLOYMENT,
  "apps/web/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
  "apps/web/web.yaml": DEPLOYMENT,
  "charts/db/Chart.yaml": "apiVersion: v2\nname: db\n",
  "charts/db/templates/db.yaml": "apiVersion: v1\nkind: {{ .Kind }}\n",
  "clusters/prod/flux.yaml":
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n",
  "clusters/prod/argo.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
  "clusters/prod/secret.yaml":
    "apiVersion: v1\nkind: Secret\ndata: {a: 'ENC[AES256_GCM,data:x]'}\nsops:\n  mac: ENC[x]\n",
  "clusters/prod/template.yaml": "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\n",
  ".github/workflows/ci.yaml": "on: push\n",
  "README.md": "# shop\n",
};

async function check(repo: TestRepository) {
  const run = await runSluice(["config", "check", "--format", "json"], { cwd: repo.path });
  return { code: run.code, remarks: configCheckSchema.parse(JSON.parse(run.stdout)).remarks };
}

test("init counts what is written as JSON, and what is sealed", async (t) => {
  const repo = await repository(t);
  const header = (apiVersion: string, kind: string) =>
    JSON.stringify({ apiVersion, kind, metadata: { name: "a" } }, null, 2);
  repo.commit({
    files: {
      "clusters/prod/web.yaml": header("apps/v1", "Deployment"),
      "clusters/prod/api.json": header("apps/v1", "Deployment"),
      "clusters/prod/both.yaml": `${header("helm.toolkit.fluxcd.io/v2", "HelmRelease")}\n---\napiVersion: v1\nkind: Service\n`,
      "clusters/prod/sealed.yaml": "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n",
      "clusters/prod/sops.yaml": "apiVersion: v1\nkind: Secret\nsops: {mac: 'ENC[x]', version: 3.8.1}\n",
      "package.json": '{"name": "shop"}\n',
      "clusters/prod/broken.json": '{"apiVersion": "v1", "kind"',
    },
  });
  const run = await runSluice(["init", "--dry-run"], { cwd: repo.path });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /6 plain manifests, 1 HelmRelease, 1 SOPS file, 1 SealedSecret\n/);
  assert.match(run.stdout, /path: clusters\/prod/);
});

test("init says what it found, writes a start in mode observe that config check accepts, and names the next command", async (t) => {
  const repo = await repository(t);
  repo.git(["remote", "add", "origin", "https://user:hunter2@github.com/acme/shop.git"]);
  const head = repo.commit({ files: MIXED });
  const run = await runSluice(["init"], { cwd: repo.path });
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  for (const fact of [
    "8 plain manifests",
    "1 Kustomize folder",
    "1 Helm chart",
    "1 Flux Kustomization",
    "1 HelmRelease",
    "1 Argo CD Application",
    "1 SOPS file",
    "1 constraint template",
    "1 CI file",
    "GitHub",
    "0 of the newest 1 commits carry a signature",
  ]) {
    assert.ok(run.stdout.replaceAll(/\s+/g, " ").includes(fact), fact);
  }
  assert.equal(run.stdout.includes("hunter2"), false);
  const wide = run.stdout.split("\n").filter((line) => line.length > 80 && !/^next |SHA256:/.test(line));
  assert.deepEqual(wide, []);
  assert.match(run.stdout, /^next {9}sluice config check, then commit: git add sluice\.yaml /m);
  const sluice = readSluiceYaml(repo.read("sluice.yaml"));
  const targets = Object.entries(sluice.targets).map(([name, one]) => [
    name,
    one.path,
    one.branch,
    one.mode,
    one.after,
  ]);
  assert.deepEqual(targets, [
    ["prod", "clusters/prod", "main", "observe", head],
    ["staging", "clusters/staging", "main", "observe", head],
  ]);
  assert.match(repo.read("sluice.yaml"), /^# {3}apps\/web \(Kustomize\)\n# {3}charts\/db \(Helm\)$/m);
  const { code, remarks } = await check(repo);
  assert.deepEqual([code, remarks.filter((one) => one.state !== "ok")], [0, []]);
});

test("init --dry-run --format json says the same in the shape of its schema, and writes nothing", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: MIXED });
  const run = await runSluice(["init", "--dry-run", "--format", "json"], { cwd: repo.path });
  const report = initSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual([run.code, report.written, existsSync(join(repo.path, "sluice.yaml"))], [0, false, false]);
  assert.deepEqual(
    report.targets.map(({ name, path }) => [name, path]),
    [
      ["prod", "clusters/prod"],
      ["staging", "clusters/staging"],
    ],
  );
  assert.deepEqual(report.unsupported, [
    { folder: "apps/web", tool: "Kustomize" },
    { folder: "charts/db", tool: "Helm" },
  ]);
  assert.ok(report.found.some((fact) => fact.includes("8 plain manifests")));
  assert.ok(report.files.includes("sluice.yaml") && report.files.includes("trust/people.yaml"));
});

test("init explains every key of sluice.yaml by a comment and keeps to 120 columns", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: MIXED });
  await runSluice(["init"], { cwd: repo.path });
  const lines = repo
    .read("sluice.yaml")
    .split("\n")
    .filter((line) => line !== "");
  const isExplained = (line: string, index: number): boolean =>
    /^\s*#| {3}# |^version: |^ {2}[a-z-]+:$|^targets:$/.test(line) || (lines[index - 1] ?? "").startsWith("#");
  assert.deepEqual(
    lines.filter((line, index) => !isExplained(line, index)),
    [],
  );
  assert.ok(lines.every((line) => line.length <= 120));
});

test("init lists the person behind HEAD, with a key only when it made HEAD's signature", async (t) => {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  const repo = await repository(t, { path: join(folder, "repo") });
  repo.commit({ files: MIXED, signWith: ada.file, author: "Ada Lovelace <Ada@Example.com>" });
  const run = await runSluice(["init"], { cwd: repo.path });
  assert.ok(run.stdout.includes(`people.yaml: ada, ${ada.fingerprint}`), run.stdout);
  const trust = await readTrustFolder(new Map([["people.yaml", readFileSync(join(repo.path, "trust/people.yaml"))]]), {
    revokedKeys: [],
  });
  assert.deepEqual(
    trust.owners.map((owner) => [owner.id, owner.emails]),
    [["ada", ["ada@example.com"]]],
  );
  assert.deepEqual(
    trust.keys.map((key) => key.fingerprint),
    [ada.fingerprint],
  );
});

test("init takes no key from a signature that belongs to another commit", async (t) => {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  const repo = await repository(t, { path: join(folder, "repo") });
  repo.commit({ files: MIXED, signWith: ada.file });
  const raw = `${repo.git(["cat-file", "commit", "HEAD"])}\n`;
  const forged = repo.object("commit", raw.replace("commit 1", "something else"));
  repo.git(["update-ref", "refs/heads/main", forged]);
  const run = await runSluice(["init"], { cwd: repo.path });
  assert.match(run.stdout, /people\.yaml: ada, no key is known/);
  assert.equal(repo.read("trust/people.yaml").includes("ssh-ed25519 "), false);
});

test("init --key lists the given public key, and refuses what is none", async (t) => {
  const folder = tempFolder(t);
  const jo = makeSshKey(folder, "jo");
  const repo = await repository(t, { path: join(folder, "repo") });
  repo.commit({ files: MIXED });
  const wrong = await runSluice(["init", "--key", jo.file], { cwd: repo.path });
  assert.deepEqual(
    [wrong.code, wrong.stderr.split("  ")[0], existsSync(join(repo.path, "trust"))],
    [2, "usage", false],
  );
  assert.equal(wrong.stderr.includes("PRIVATE"), false);
  const run = await runSluice(["init", "--key", `${jo.file}.pub`], { cwd: repo.path });
  assert.ok(run.stdout.includes(`ada, ${jo.fingerprint}`));
});

test("init copies whole policies, so that explain shows their examples", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: MIXED });
  await runSluice(["init"], { cwd: repo.path });
  assert.deepEqual(readdirSync(join(repo.path, "policies")).sort(), ["image-digest", "k8s-privileged", "k8s-readable"]);
  const explained = await runSluice(["explain", "image-digest"], { cwd: repo.path });
  assert.match(explained.stdout, /^file {6}policies\/image-digest\/policy\.rego$/m);
  assert.match(explained.stdout, /^example {3}/m);
});

test("init --dry-run writes nothing and shows the sluice.yaml that it would write", async (t) => {
  const repo = await repository(t);
  repo.commit({ files: MIXED });
  const before = readdirSync(repo.path).sort();
  const dry = await runSluice(["init", "--dry-run"], { cwd: repo.path });
  assert.deepEqual([dry.code, readdirSync(repo.path).sort()], [0, before]);
  await runSluice(["init"], { cwd: repo.path });
  assert.ok(dry.stdout.endsWith(repo.read("sluice.yaml")));
});

test("init never overwrites: whatever stands in the way, nothing at all is written", async (t) => {
  const outside = tempFolder(t);
  for (const [name, block] of [
    ["sluice.yaml", (path: string) => writeFileSync(path, "mine\n")],
    ["waivers.yaml", (path: string) => symlinkSync(join(outside, "waivers"), path)],
  ] as const) {
    const repo = await repository(t);
    repo.commit({ files: MIXED });
    block(join(repo.path, name));
    const before = readdirSync(repo.path).sort();
    const run = await runSluice(["init"], { cwd: repo.path });
    assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [2, "", "init-exists"]);
    assert.deepEqual(readdirSync(repo.path).sort(), before);
  }
  assert.deepEqual(readdirSync(outside), []);
});

test("init leaves folders of other tools alone and follows no link", async (t) => {
  const outside = tempFolder(t);
  const repo = await repository(t);
  repo.commit({ files: { ...MIXED, "policies/kyverno.yaml": "apiVersion: kyverno.io/v1\nkind: Policy\n" } });
  symlinkSync(outside, join(repo.path, "trust"));
  const run = await runSluice(["init"], { cwd: repo.path });
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual([readdirSync(outside), readdirSync(join(repo.path, "policies"))], [[], ["kyverno.yaml"]]);
  const sluice = readSluiceYaml(repo.read("sluice.yaml"));
  assert.deepEqual([sluice.policies, sluice.trust], ["sluice-policies/", "sluice-trust/"]);
  assert.equal((await check(repo)).code, 0);
});

test("init works in a repository without a commit, without manifests, and refuses one without a work tree", async (t) => {
  const empty = await repository(t);
  assert.equal((await runSluice(["init"], { cwd: empty.path })).code, 0);
  assert.equal((await check(empty)).code, 0);
  const folder = tempFolder(t);
  mkdirSync(join(folder, "plain"));
  const none = await runSluice(["init"], { cwd: join(folder, "plain") });
  assert.deepEqual([none.code, none.stderr.split("  ")[0]], [2, "not-a-repository"]);
  empty.git(["clone", "-q", "--bare", empty.path, join(folder, "bare.git")]);
  const bare = await runSluice(["init"], { cwd: join(folder, "bare.git") });
  assert.deepEqual([bare.code, bare.stderr.split("  ")[0]], [2, "usage"]);
});

test("init writes hostile names so that they mean themselves and nothing else", async (t) => {
  const repo = await repository(t);
  const path = 'clusters/x: {mode: "off"} # no';
  repo.commit({ files: { [`${path}/web.yaml`]: DEPLOYMENT }, author: "\u202eEve}\u0085 #{ <eve@example.com>" });
  const run = await runSluice(["init"], { cwd: repo.path });
  assert.equal(run.code, 0, run.stderr);
  assert.equal(/[\u202e\u0085]/.test(run.stdout), false, "output");
  const targets = Object.values(readSluiceYaml(repo.read("sluice.yaml")).targets);
  assert.deepEqual(
    targets.map((one) => [one.path, one.mode]),
    [[path, "observe"]],
  );
  assert.equal((await check(repo)).code, 0);
});

test("a text written for YAML is read back as exactly that text", () => {
  const texts = [
    "main",
    "no",
    "1e3",
    "0x10",
    "~",
    "a: b",
    "- a",
    "#",
    "",
    " x ",
    "a\nb",
    "\u2028\u0085\u202e",
    "é",
    "🙂",
    "{}",
    "'\"\\",
  ];
  for (const text of texts) {
    const read = readDocument(
      `key: ${yamlText(text)}\n`,
      "x",
      z.strictObject({ key: z.string() }),
      "configuration-invalid",
    );
    assert.equal(read.key, text);
  }
});
