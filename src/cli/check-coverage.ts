/** `check --coverage`: whose business each path of a commit is, by the configuration in that commit. Nothing is judged. */

import type { SluiceYaml } from "../config/sluice-yaml.ts";
import { readSluiceConfiguration } from "../gate/judge.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { type Coverage, openCoverage } from "../render/coverage.ts";
import { answer, formatsOf } from "./answer.ts";
import { type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { wrap } from "./help.ts";
import { withRepository } from "./opening.ts";
import { namedTargets } from "./preview.ts";
import type { CoverageReport } from "./reports/schemas/coverage.ts";
import { environmentOf } from "./starter.ts";

type PathReport = CoverageReport["paths"][number];

/** Exit 1 when a path is nobody's, as a change of that path would be denied. @throws SluiceError `usage` */
export async function checkCoverage(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  for (const option of ["config", "base"]) {
    if (textOption(invocation, option) === undefined) continue;
    throw new SluiceError("usage", `--coverage looks at one commit of a clone and has no use for --${option}.`, {
      fix: "sluice check --coverage --head REV",
    });
  }
  const report = await withRepository(invocation, async ({ repository, name }) => {
    const commit = await repository.resolve(textOption(invocation, "head") ?? "HEAD");
    const configuration = await readSluiceConfiguration(repository, commit);
    const branch = oneBranch(configuration, namedTargets(invocation));
    const files = await repository.files((await repository.commit(commit)).tree);
    const paths = files
      .map(({ path }) => path)
      .map(reporting(configuration, branch))
      .sort(byPath);
    return { repository: name, commit, branch, ...findings(paths) };
  });
  const whole: CoverageReport = { apiVersion: "sluice/v1", kind: "Coverage", ...report };
  answer(invocation, whole, () => text(whole, invocation.output.width));
  return whole.exitCode;
}

/** Targets of another branch hold nothing here, so that one has to be meant. */
function oneBranch({ targets }: SluiceYaml, named: readonly string[]): string {
  const unknown = named.find((name) => targets[name] === undefined);
  if (unknown !== undefined) {
    const known = Object.keys(targets).sort().join(", ");
    throw new SluiceError("target-unknown", `sluice.yaml has no target ${JSON.stringify(unknown)}; it has ${known}.`);
  }
  const meant = Object.entries(targets).filter(([name]) => named.length === 0 || named.includes(name));
  const [branch = "", ...others] = [...new Set(meant.map(([, target]) => target.branch))].sort();
  if (others.length === 0) return branch;
  throw new SluiceError("usage", `The targets lie on several branches: ${[branch, ...others].join(", ")}.`, {
    fix: "--target T, one of the branch that is meant",
  });
}

function reporting(configuration: SluiceYaml, branch: string): (path: string) => PathReport {
  const here = Object.entries(configuration.targets).filter(([, target]) => target.branch === branch);
  const targets = here.map(([name, target]) => ({ name, path: target.path }));
  const cover = openCoverage(targets, configuration.ignore, configuration);
  return (path) => ({ path, ...said(cover(path)) });
}

function said(coverage: Coverage): Omit<PathReport, "path"> {
  const targets = coverage.kind === "target" ? [...coverage.targets] : [];
  return { coverage: coverage.kind, targets, pattern: coverage.kind === "ignored" ? coverage.pattern : null };
}

function byPath(a: PathReport, b: PathReport): number {
  return a.path < b.path ? -1 : 1;
}

function findings(
  paths: readonly PathReport[],
): Pick<CoverageReport, "exitCode" | "paths" | "environments" | "reasons"> {
  const open = paths.filter(({ coverage }) => coverage === "uncovered");
  const mapped = new Set(paths.filter(({ targets }) => targets.length > 0).map(({ path }) => environmentOf(path)));
  const found = new Set(open.map(({ path }) => environmentOf(path)).filter((folder) => folder !== null));
  const environments = [...found].filter((folder) => !mapped.has(folder)).sort();
  const reasons = [...environments.map(unmapped), ...uncovered(open.length)];
  return { exitCode: reasons.length === 0 ? EXIT.fine : EXIT.denied, paths: [...paths], environments, reasons };
}

function unmapped(folder: string): CoverageReport["reasons"][number] {
  const message = `${folder} looks like an environment and belongs to no target.`;
  return { code: "environment-unmapped", message, fix: `name a target with path: ${folder} in sluice.yaml` };
}

function uncovered(count: number): CoverageReport["reasons"] {
  if (count === 0) return [];
  const message = `${count} ${count === 1 ? "path belongs" : "paths belong"} to no target and no pattern of ignore covers ${count === 1 ? "it" : "them"}.`;
  return [{ code: "path-not-covered", message, fix: "give each a target, or a pattern under ignore: in sluice.yaml" }];
}

const LABELS = { governance: "judges", ignored: "ignored", uncovered: "UNCOVERED" } as const;

/** One line a path, so that grep finds the ones that matter. */
function text({ paths, commit, branch, reasons }: CoverageReport, columns: number): string {
  const rows = paths.map(({ path, coverage, targets, pattern }) => ({
    label: coverage === "target" ? targets.join(",") : LABELS[coverage],
    shown: pattern === null ? path : `${path}   (${pattern})`,
  }));
  const width = Math.max(9, ...rows.map(({ label }) => label.length)) + 2;
  const of = (kind: PathReport["coverage"]): number => paths.filter(({ coverage }) => coverage === kind).length;
  const counts = `${of("target")} in targets, ${of("governance")} judge, ${of("ignored")} ignored, ${of("uncovered")} uncovered`;
  const lines = [
    ...rows.map(({ label, shown }) => printable(`${label.padEnd(width)}${shown}`)),
    `${paths.length} paths of ${commit.slice(0, 7)} on ${printable(branch)}: ${counts}`,
    ...reasons.flatMap(({ code, message, fix }) => {
      const indent = " ".repeat(code.length + 2);
      const shown = fix === null ? [] : wrap(`fix  ${printable(fix)}`, Math.max(30, columns - indent.length));
      return [`${code}  ${printable(message)}`, ...shown.map((line) => `${indent}${line}`)];
    }),
  ];
  return `${lines.join("\n")}\n`;
}
