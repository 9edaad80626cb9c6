/** What other programs read of a check: code scanning, test reports, comments. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkJunit } from "../../src/cli/reports/junit.ts";
import { checkMarkdown } from "../../src/cli/reports/markdown.ts";
import { checkSarif } from "../../src/cli/reports/sarif.ts";
import type { Evidence } from "../../src/decision/decision.ts";
import { checkReport } from "../../src/gate/json/check.ts";
import { CODES } from "../../src/lib/codes.ts";
import { decided, finding, HEAD, rejected, TARGET } from "../decision/evidence.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";

const HOSTILE =
  "@all <img src=x> ``` | a](https://evil.example) {0} ]]> & \u202e\u0007\n\uffff --> www.evil.example #1";

function reportOf(change: Partial<Evidence> = {}) {
  const decision = decided(change);
  return checkReport([{ decision, record: null, resources: [], documents: [], mask: (text) => text }], { total: 1500 });
}

function failure(message: string): NonNullable<Evidence["failure"]> {
  return { stage: "render", code: "internal", message, fix: null };
}

const DENIED: Partial<Evidence> = {
  verifications: [rejected(HEAD)],
  requiredCommits: [HEAD],
  findings: [
    finding({ position: { file: "prod/a b:c.yaml", line: 14, column: 7, exact: true } }),
    finding({ rule: "image-digest", kind: "warn", message: "no digest" }),
    finding({ rule: "old", baseline: true }),
    finding({
      rule: "hostile",
      message: HOSTILE,
      fix: HOSTILE,
      position: { file: "a|`b\n<c>", line: 1, column: 1, exact: true },
    }),
  ],
};
const OBSERVED: Partial<Evidence> = { ...DENIED, target: { ...TARGET, mode: "observe" } };

interface Sarif {
  readonly version: string;
  readonly $schema: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly SarifRule[] } };
    readonly invocations: readonly { readonly executionSuccessful: boolean; readonly exitCode: number }[];
    readonly results: readonly SarifResult[];
  }[];
}
interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly help: { readonly text: string };
  readonly properties: Readonly<Record<string, unknown>>;
}
interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly suppressions: readonly { readonly kind: string }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string };
      readonly region?: { readonly startLine: number; readonly startColumn: number };
    };
  }[];
}

function sarif(change: Partial<Evidence> = {}) {
  const log = JSON.parse(checkSarif(reportOf(change))) as Sarif;
  const [run] = log.runs;
  assert.ok(run);
  const of = (rule: string): SarifResult => {
    const found = run.results.find(({ ruleId }) => ruleId === rule);
    assert.ok(found, rule);
    return found;
  };
  return { log, run, of };
}

describe("SARIF 2.1.0", () => {
  test("has one run whose results point into its rules, each with help text and a place", () => {
    const { log, run } = sarif(DENIED);
    assert.deepEqual([log.version, log.runs.length, run.tool.driver.name], ["2.1.0", 1, "Sluice"]);
    assert.match(log.$schema, /sarif-schema-2\.1\.0\.json$/);
    const ids = run.tool.driver.rules.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)].sort());
    assert.deepEqual(run.results.map(({ ruleId }) => ruleId).sort(), [...ids].sort());
    for (const { ruleId, ruleIndex, locations, message } of run.results) {
      const rule = run.tool.driver.rules[ruleIndex];
      assert.equal(rule?.id, ruleId);
      assert.ok(rule.shortDescription.text !== "" && rule.help.text.endsWith(`sluice explain ${ruleId}`), ruleId);
      assert.ok(message.text.startsWith("prod: ") && locations.length === 1, ruleId);
    }
  });

  test("names file, line and column of a finding as a relative reference, and sluice.yaml for what has no place", () => {
    const { of } = sarif(DENIED);
    const place = of("k8s-privileged").locations[0]?.physicalLocation;
    assert.deepEqual(place?.artifactLocation, { uri: "prod/a%20b%3Ac.yaml", uriBaseId: "%SRCROOT%" });
    assert.deepEqual(place.region, { startLine: 14, startColumn: 7 });
    const unsigned = of("unsigned-commit").locations[0]?.physicalLocation;
    assert.deepEqual([unsigned?.artifactLocation.uri, unsigned?.region], ["sluice.yaml", undefined]);
    assert.equal(of("hostile").locations[0]?.physicalLocation.artifactLocation.uri, "a%7C%60b%0A%3Cc%3E");
  });

  test("says error for what blocks, warning for what does not, and suppresses what is excused", () => {
    const { run, of } = sarif(DENIED);
    assert.deepEqual(
      ["unsigned-commit", "k8s-privileged", "image-digest", "old"].map((rule) => of(rule).level),
      ["error", "error", "warning", "note"],
    );
    assert.deepEqual(
      run.results.filter(({ suppressions }) => suppressions.length > 0).map(({ ruleId }) => ruleId),
      ["old"],
    );
    assert.deepEqual([run.invocations[0]?.executionSuccessful, run.invocations[0]?.exitCode], [true, 1]);
    const observed = sarif(OBSERVED);
    assert.deepEqual(
      observed.run.results.filter(({ level }) => level === "error"),
      [],
    );
    assert.match(observed.of("k8s-privileged").message.text, /^prod: \(observe only\) /);
    assert.equal(sarif({ failure: failure("it broke") }).run.invocations[0]?.executionSuccessful, false);
  });

  test("carries the catalogue's words as help of a code", () => {
    const { run } = sarif(DENIED);
    const help = run.tool.driver.rules.find(({ id }) => id === "unsigned-commit")?.help.text.replaceAll("\\", "");
    assert.ok(help?.includes(CODES["unsigned-commit"].means));
  });

  test("lets no stranger's text be a placeholder, a link or a control character", () => {
    const { text } = sarif(DENIED).of("hostile").message;
    assert.equal(/[\u0007\u202e]/.test(text), false);
    assert.equal(/(?<!\\)\]\(/.test(text), false, text);
    assert.equal(text.replaceAll("{{", "").replaceAll("}}", "").match(/[{}]/), null, text);
  });

  test("gives a result the same fingerprint when only its line moves", () => {
    const at = (line: number) => {
      const moved = finding({ position: { file: "web.yaml", line, column: 1, exact: true } });
      return sarif({ findings: [moved] }).of("k8s-privileged").partialFingerprints;
    };
    assert.deepEqual(at(3), at(30));
    assert.notDeepEqual(
      at(3),
      sarif({ findings: [finding({ message: "other" })] }).of("k8s-privileged").partialFingerprints,
    );
  });
});

/** Refuses what is not well-formed: raw `<` and `&`, attributes without quotes, tags that do not match. */
function wellFormed(xml: string): readonly string[] {
  assert.match(xml, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/);
  const text = `(?:[^<&"]|&(?:amp|lt|gt|quot|apos);)*`;
  const token = new RegExp(`<(/?)([a-z-]+)((?: [a-z]+="${text}")*)(/?)>|(${text})`, "y");
  const open: string[] = [];
  const seen: string[] = [];
  token.lastIndex = xml.indexOf("\n") + 1;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const found = token.exec(xml);
    assert.ok(found !== null && found[0] !== "", `not well-formed at: ${xml.slice(at, at + 80)}`);
    const [, closing, name = "", , empty] = found;
    if (name === "") continue;
    if (closing === "/") assert.equal(open.pop(), name);
    else seen.push(name);
    if (closing === "" && empty === "") open.push(name);
  }
  assert.deepEqual(open, []);
  assert.equal(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/.test(xml), false, "a character that XML 1.0 does not have");
  return seen;
}

describe("JUnit", () => {
  test("is well-formed whatever strangers write, and counts what failed", () => {
    const xml = checkJunit(reportOf(DENIED));
    const tags = wellFormed(xml);
    const count = (tag: string): number => tags.filter((one) => one === tag).length;
    assert.deepEqual([count("testcase"), count("failure"), count("skipped"), count("error")], [5, 3, 1, 0]);
    assert.match(xml, /<testsuite name="prod" tests="5" failures="3" errors="0" skipped="1">/);
    assert.match(xml, /<testsuites name="sluice check" [^>]* time="1\.500">/);
    assert.match(
      xml,
      /name="k8s-privileged Deployment\/apps\/web prod\/a b:c\.yaml:14:7" file="prod\/a b:c\.yaml" line="14"/,
    );
    assert.ok(xml.includes("@all &lt;img src=x&gt;"));
  });

  test("has a case that passed when nothing is wrong, and fails no build of a target that only observes", () => {
    const allowed = checkJunit(reportOf());
    assert.deepEqual(wellFormed(allowed), ["testsuites", "testsuite", "testcase"]);
    assert.match(allowed, /tests="1" failures="0" errors="0"/);
    const observed = checkJunit(reportOf(OBSERVED));
    assert.match(observed, /tests="5" failures="0" errors="0" skipped="4"/);
    wellFormed(observed);
  });

  test("says error where nothing could be judged", () => {
    const xml = checkJunit(reportOf({ failure: failure(HOSTILE) }));
    assert.match(xml, /failures="0" errors="1"/);
    wellFormed(xml);
  });
});

/** What is left for Markdown to interpret: code spans end at a run of as many backticks (CommonMark, section 6.1). */
function withoutCode(markdown: string): string {
  return markdown.replace(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, "CODE");
}

describe("Markdown", () => {
  test("says first what is blocked, then what, where and what to do", () => {
    const lines = checkMarkdown(reportOf(DENIED)).split("\n");
    assert.equal(lines[0], "**Sluice: prod is blocked, 3 things to fix**");
    const row = lines.find((line) => line.includes("a b:c.yaml"));
    assert.equal(
      row?.replace(/^\| \d \| /, ""),
      '`prod/a b:c.yaml:14` | `container "web" is privileged` (`k8s-privileged`) | `remove it` |',
    );
    assert.match(
      lines.at(-2) ?? "",
      /^Try it: `sluice check` · Explain: `sluice explain unsigned-commit` · judged `aaaaaaa`/,
    );
    assert.equal(checkMarkdown(reportOf()).split("\n")[0], "**Sluice: prod approved**");
    assert.match(
      checkMarkdown(reportOf(OBSERVED)),
      /^\*\*Sluice: prod would be blocked \(observe\), 3 things to fix\*\*\n/,
    );
  });

  test("keeps strangers' text in code spans and in its cell", () => {
    const markdown = checkMarkdown(reportOf(DENIED));
    assert.equal(/[@<]all|img|evil|\{0\}|#1/.test(withoutCode(markdown)), false, withoutCode(markdown));
    const rows = markdown.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| |"));
    assert.equal(rows.length, 3);
    for (const row of rows) assert.equal(row.split("|").length, 6, row);
    assert.equal(/[\u0007\u202e]/.test(markdown), false);
  });

  test("stays below what a comment may hold", () => {
    const many = Array.from({ length: 500 }, (_, index) =>
      finding({ rule: `rule-${index}`, message: "x".repeat(9000), fix: "y".repeat(9000) }),
    );
    const markdown = checkMarkdown(reportOf({ findings: many }));
    assert.ok(markdown.length < 65_536, `${markdown.length}`);
    assert.match(markdown, /\nand 440 more\n/);
  });
});

test("check writes every format in one run, in a preview and at a gate", async (t) => {
  const world = await makeWorld(t);
  const head = world.propose({
    files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) },
    signed: false,
  });
  const outputs = ["json", "sarif", "junit", "markdown"].flatMap((format) => [
    "--format",
    format,
    "--output",
    `${format}.out`,
  ]);
  for (const [door, state] of [
    [[], "Sluice (preview)"],
    [["--config", "../gate.yaml"], "Sluice"],
  ] as const) {
    const run = await world.sluice(["check", "--head", head, ...door, "--format", "text", ...outputs]);
    assert.deepEqual([run.code, run.stderr], [1, ""]);
    assert.match(run.stdout, /^DENIED/);
    const read = (name: string): string => readFileSync(join(world.repo.path, `${name}.out`), "utf8");
    const { runs } = JSON.parse(read("sarif")) as Sarif;
    const privileged = runs[0]?.results.find(({ ruleId }) => ruleId === "no-privileged")?.locations[0]
      ?.physicalLocation;
    assert.equal(privileged?.artifactLocation.uri, "clusters/prod/web.yaml");
    assert.ok((privileged.region?.startLine ?? 0) > 1);
    assert.ok(wellFormed(read("junit")).includes("failure"));
    assert.ok(read("markdown").startsWith(`**${state}: prod is blocked, `));
    assert.equal((JSON.parse(read("json")) as { kind: string }).kind, "Check");
  }
  const wrong = await world.sluice(["check", "--head", head, "--format", "ndjson"]);
  assert.deepEqual([wrong.code, wrong.stderr.split("  ")[0]], [2, "usage"]);
});
