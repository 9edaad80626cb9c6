import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { readSources } from "../support/source-graph.ts";
import { ROOT } from "./npm.ts";

interface LockedPackage {
  readonly dev?: boolean;
  readonly license?: string;
}

function json<T>(file: string): T {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8")) as T;
}

/** Name -> licence, as a table of the page says. */
function table(title: string): Readonly<Record<string, string>> {
  const page = readFileSync(join(ROOT, "docs/licences.md"), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith(title)) ?? "";
  const rows = [...section.matchAll(/^\| (\S+) \| ([^|]+) \| [^|]+ \|$/gm)].filter(
    ([, name]) => !/^(?:package|---)$/.test(name ?? ""),
  );
  return Object.fromEntries(rows.map(([, name = "", licence = ""]) => [name, licence]));
}

function installedLicence(name: string): string {
  return json<{ license: string }>(join("node_modules", name, "package.json")).license;
}

it("lists every package that a run needs, with the licence it was installed under", () => {
  const { packages } = json<{ packages: Record<string, LockedPackage> }>("package-lock.json");
  const needed = Object.keys(packages).filter((path) => path !== "" && packages[path]?.dev !== true);
  const names = needed.map((path) => path.replace(/^.*node_modules\//, ""));
  assert.deepEqual(
    table("Runtime packages"),
    Object.fromEntries(names.sort().map((name) => [name, installedLicence(name)])),
  );
});

it("lists every package that development names, with its licence", () => {
  const names = Object.keys(json<{ devDependencies: Record<string, string> }>("package.json").devDependencies);
  assert.deepEqual(
    table("For development only"),
    Object.fromEntries(names.sort().map((name) => [name, installedLicence(name)])),
  );
});

it("has nothing under a copyleft licence among what a run needs", () => {
  for (const licence of Object.values(table("Runtime packages"))) assert.doesNotMatch(licence, /GPL|MPL|EPL|CDDL/);
});

it("stands under the licence that package.json names, in full", () => {
  const licence = readFileSync(join(ROOT, "LICENSE"), "utf8");
  assert.match(licence, /Apache License\s+Version 2\.0, January 2004/);
  assert.match(licence, /END OF TERMS AND CONDITIONS/);
  assert.equal(json<{ license: string }>("package.json").license, "Apache-2.0");
});

it("carries the notice of every package that dist/ holds a copy of", () => {
  const page = readFileSync(join(ROOT, "docs/licences.md"), "utf8");
  const packages = readSources().flatMap(({ imports }) =>
    imports.map(({ to }) => to).filter((to) => !/^(?:node:|src\/)/.test(to)),
  );
  assert.deepEqual([...new Set(packages)].sort(), ["js-yaml", "pg", "re2js", "zod"]);
  for (const name of packages.filter((one) => one !== "pg")) {
    assert.ok(page.includes(readFileSync(join(ROOT, "node_modules", name, "LICENSE"), "utf8").trim()), name);
  }
});
