import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageSchema } from "../../src/cli/reports/schemas/coverage.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";

const SLUICE = `version: 1
ignore: ["*.md"]
targets:
  prod: {branch: main, path: clusters/prod}
  all: {branch: main, path: clusters/prod/shared}
`;

async function coverage(repo: TestRepository, args: readonly string[] = []) {
  const run = await runSluice(["check", "--coverage", ...args, "--format", "json"], { cwd: repo.path });
  assert.equal(run.stderr, "");
  const report = coverageSchema.parse(JSON.parse(run.stdout));
  assert.equal(run.code, report.exitCode);
  return report;
}

test("check --coverage lists every path with its target, and is content when each has one", async (t) => {
  const repo = await repository(t);
  const files = {
    "clusters/prod/web.yaml": "a",
    "clusters/prod/shared/b.yaml": "b",
    "README.md": "c",
    CODEOWNERS: "d",
  };
  const commit = repo.commit({ files: { ...files, "sluice.yaml": SLUICE } });
  const report = await coverage(repo);
  assert.deepEqual([report.exitCode, report.commit, report.branch, report.reasons], [0, commit, "main", []]);
  assert.deepEqual(
    report.paths.map(({ path, coverage, targets, pattern }) => [path, coverage, targets.join(), pattern]),
    [
      ["CODEOWNERS", "governance", "", null],
      ["README.md", "ignored", "", "*.md"],
      ["clusters/prod/shared/b.yaml", "target", "all,prod", null],
      ["clusters/prod/web.yaml", "target", "prod", null],
      ["sluice.yaml", "governance", "", null],
    ],
  );
  const { stdout } = await runSluice(["check", "--coverage"], { cwd: repo.path });
  assert.match(stdout, /^judges {5}CODEOWNERS\nignored {4}README\.md {3}\(\*\.md\)\nall,prod {3}clusters/);
  assert.match(stdout, /\n5 paths of [0-9a-f]{7} on main: 2 in targets, 2 judge, 1 ignored, 0 uncovered\n$/);
});

test("a path that is nobody's is exit 1, and a folder that looks like an environment is named", async (t) => {
  const repo = await repository(t);
  const before = repo.commit({ files: { "clusters/prod/web.yaml": "a", "sluice.yaml": SLUICE } });
  repo.commit({ files: { "clusters/staging/web.yaml": "a", "clusters/notes": "n", "tools/run": "x" } });
  const report = await coverage(repo);
  assert.deepEqual([report.exitCode, report.environments], [1, ["clusters/staging"]]);
  assert.deepEqual(
    report.reasons.map(({ code }) => code),
    ["environment-unmapped", "path-not-covered"],
  );
  assert.equal(report.paths.filter((one) => one.coverage === "uncovered").length, 3);
  const { code, stdout } = await runSluice(["check", "--coverage"], { cwd: repo.path });
  assert.equal(code, 1);
  assert.match(stdout, /\nUNCOVERED {2}tools\/run\n/);
  assert.match(stdout, /\nenvironment-unmapped {2}clusters\/staging looks like .*\n {22}fix {2}name a target/);
  assert.equal((await coverage(repo, ["--head", before])).exitCode, 0);
});

test("targets of another branch cover nothing; which branch is meant has to be said", async (t) => {
  const repo = await repository(t);
  const more = `${SLUICE}  next: {branch: next, path: clusters/next}\n`;
  repo.commit({ files: { "clusters/prod/web.yaml": "a", "clusters/next/web.yaml": "a", "sluice.yaml": more } });
  const run = await runSluice(["check", "--coverage"], { cwd: repo.path });
  assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [2, "", "usage"]);
  assert.deepEqual((await coverage(repo, ["--target", "prod"])).environments, ["clusters/next"]);
  assert.deepEqual((await coverage(repo, ["--target", "next"])).environments, ["clusters/prod"]);
});

test("check --coverage refuses what it has no use for, an unknown target and a commit without sluice.yaml", async (t) => {
  const repo = await repository(t);
  const empty = repo.commit({ files: { a: "1" } });
  repo.commit({ files: { "sluice.yaml": SLUICE } });
  const wrong: readonly (readonly [readonly string[], number, string])[] = [
    [["--config", "gate.yaml"], 2, "usage"],
    [["--base", "HEAD"], 2, "usage"],
    [["--format", "sarif"], 2, "usage"],
    [["--target", "production"], 2, "target-unknown"],
    [["--head", empty], 3, "configuration-absent"],
  ];
  for (const [args, code, name] of wrong) {
    const run = await runSluice(["check", "--coverage", ...args], { cwd: repo.path });
    assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [code, "", name], args.join(" "));
  }
});
