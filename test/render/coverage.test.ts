import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Coverage, isGovernanceFile, openCoverage } from "../../src/render/coverage.ts";
import { isPattern, openPattern, openPatterns } from "../../src/render/glob.ts";

const GOVERNANCE = { policies: "policies/", trust: "trust", waivers: "waivers.yaml" };
const TARGETS = [
  { name: "prod", path: "clusters/prod" },
  { name: "all", path: "clusters/" },
];

describe("ignore patterns", () => {
  const MATCHES: readonly (readonly [pattern: string, matching: string[], not: string[]])[] = [
    ["*.md", ["README.md", "a/b/c.md", ".md"], ["README.mdx", "a.md/b", "README.MD"]],
    ["docs/**", ["docs/a", "docs/a/b.yaml"], ["docs", "docs2/a", "a/docs/b", "Docs/a"]],
    ["docs/", ["docs/a"], ["docs", "a/docs/b"]],
    ["/LICENSE", ["LICENSE"], ["a/LICENSE"]],
    ["docs/*", ["docs/a"], ["docs/a/b", "docs"]],
    ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/b", "z", "a/z/b"]],
    ["**/test/**", ["test/a", "x/test/a/b"], ["test", "x/test", "tests/a"]],
    ["**", ["a", "a/b"], []],
    ["*", ["a", "a/b"], []],
    ["a?c", ["abc", "x/abc"], ["ac", "abbc", "a/c"]],
    ["*a*b*", ["ab", "xaxbx", "d/aab"], ["ba", "a", "b"]],
    ["a.b", ["a.b"], ["axb"]],
    ["a/**/b/**", ["a/b/c", "a/x/b/y/z"], ["a/b", "a/x/b"]],
  ];
  for (const [pattern, matching, not] of MATCHES) {
    test(`${pattern} matches exactly what it says`, () => {
      assert.ok(isPattern(pattern));
      for (const path of matching) assert.ok(openPattern(pattern)(path), `${pattern} should match ${path}`);
      for (const path of not) assert.ok(!openPattern(pattern)(path), `${pattern} should not match ${path}`);
    });
  }

  test("asked together, match what any one of them matches", () => {
    const patterns = ["/a/b", "/a/*", "c/**/d", "/e*/f", "g", "**/h/i", "[bad]"];
    const matches = openPatterns(patterns);
    for (const path of [
      "a",
      "a/b",
      "a/c",
      "a/b/c",
      "c",
      "c/d",
      "c/x/d",
      "e/f",
      "ee/f",
      "e",
      "g",
      "x/g",
      "h/i",
      "x/h/i",
      "[bad]",
    ])
      assert.equal(
        matches(path),
        patterns.some((one) => openPattern(one)(path)),
        path,
      );
    assert.ok(
      matches("a/b") && matches("c/x/d") && matches("ee/f") && matches("x/g") && !matches("b") && !matches("c"),
    );
  });

  test("with classes, braces, negation, escapes, dots or doubled slashes are no patterns and match nothing", () => {
    for (const pattern of [
      "",
      "[a]",
      "{a,b}",
      "!a",
      "a\\b",
      "../a",
      "a/./b",
      "a//b",
      "a**b",
      "a/***",
      "x".repeat(600),
      "a\nb",
    ]) {
      assert.ok(!isPattern(pattern), pattern);
      assert.ok(!openPattern(pattern)(pattern), pattern);
    }
  });

  test("stay quick on patterns made to explode", () => {
    assert.ok(!openPattern(`${"*a".repeat(200)}b`)("a".repeat(4_000)));
    assert.ok(!openPattern(`${"**/a/".repeat(80)}b`)(`${"a/".repeat(1_000)}c`));
  });
});

function coverPath(path: string, ...places: Parameters<typeof openCoverage>): Coverage {
  return openCoverage(...places)(path);
}

describe("coverage of a path", () => {
  test("a target's path wins over ignore, and every target that holds it is named", () => {
    assert.deepEqual(coverPath("clusters/prod/README.md", TARGETS, ["*.md"], GOVERNANCE), {
      kind: "target",
      targets: ["all", "prod"],
    });
    assert.deepEqual(coverPath("clusters/x", TARGETS, [], GOVERNANCE), { kind: "target", targets: ["all"] });
  });

  test("what is neither in a target nor ignored is uncovered", () => {
    assert.deepEqual(coverPath("README.md", TARGETS, ["*.md"], GOVERNANCE), { kind: "ignored", pattern: "*.md" });
    assert.deepEqual(coverPath("clusters2/x", TARGETS, ["*.md"], GOVERNANCE), { kind: "uncovered" });
    assert.deepEqual(coverPath("Makefile", TARGETS, [], GOVERNANCE), { kind: "uncovered" });
    assert.deepEqual(coverPath("Makefile", [{ name: "a", path: "." }], [], GOVERNANCE), {
      kind: "target",
      targets: ["a"],
    });
  });

  test("governance files can never be ignored, not even inside a target", () => {
    const everything = [{ name: "a", path: "." }];
    for (const path of ["sluice.yaml", "policies/a.rego", "trust/people.yaml", "waivers.yaml", "docs/CODEOWNERS"]) {
      assert.deepEqual(coverPath(path, everything, ["**"], GOVERNANCE), { kind: "governance" }, path);
    }
  });
});

describe("governance files", () => {
  test("are Sluice's own, the pipelines of every forge, code owners and attributes", () => {
    for (const path of [
      "sluice.yaml",
      "Sluice.yaml",
      "policies/deep/a.rego",
      "trust/keys/ada.asc",
      "waivers.yaml",
      "baseline.yaml",
      ".github/workflows/ci.yml",
      ".github/actions/x/action.yml",
      ".gitlab-ci.yml",
      "Jenkinsfile",
      "services/web/Jenkinsfile",
      "azure-pipelines.yml",
      ".circleci/config.yml",
      "bitbucket-pipelines.yml",
      ".drone.yml",
      ".woodpecker/a.yml",
      ".tekton/pr.yaml",
      ".buildkite/pipeline.yml",
      ".ci/run",
      "CODEOWNERS",
      ".github/CODEOWNERS",
      "docs/CODEOWNERS",
      ".gitattributes",
      "a/.gitattributes",
      ".gitmodules",
    ]) {
      assert.ok(isGovernanceFile(path, GOVERNANCE), path);
    }
  });

  test("are nothing else", () => {
    for (const path of [
      "policies2/a",
      "a/sluice.yaml",
      "trusty",
      "clusters/prod/web.yaml",
      ".github/ISSUE_TEMPLATE.md",
      "a/waivers.yaml",
    ]) {
      assert.ok(!isGovernanceFile(path, GOVERNANCE), path);
    }
    assert.ok(!isGovernanceFile("x.yaml", { ...GOVERNANCE, waivers: null }));
  });
});
