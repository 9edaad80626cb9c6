import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { type BuildFailure, type BuildProgress, buildToolchain } from "../../scripts/build-toolchain.ts";
import { type Scope, tempFolder } from "../support/temp.ts";

/** A Go module of the toolchain's shape whose program does nothing. */
function smallModule(scope: Scope): string {
  const folder = tempFolder(scope);
  const platform = join(folder, "packages", `${process.platform}-${process.arch}`);
  for (const part of [join(folder, "cmd", "rego"), join(folder, "internal"), platform])
    mkdirSync(part, { recursive: true });
  writeFileSync(join(folder, "go.mod"), "module example.test/small\n\ngo 1.21\n");
  writeFileSync(join(folder, "go.sum"), "");
  writeFileSync(join(folder, "cmd", "rego", "main.go"), "package main\n\nfunc main() {}\n");
  writeFileSync(join(platform, "package.json"), "{}\n");
  return folder;
}

function failureWith(exitCode: number, text: RegExp): (failure: BuildFailure) => boolean {
  return (failure) => failure.name === "BuildFailure" && failure.exitCode === exitCode && text.test(failure.message);
}

it("builds once, and again only when a source has changed", async (t) => {
  const folder = smallModule(t);
  const steps: BuildProgress["step"][] = [];
  const first = await buildToolchain({ folder, onProgress: ({ step }) => steps.push(step) });
  assert.equal(first.built, true);
  assert.ok(existsSync(first.binary));
  assert.deepEqual([...new Set(steps)], ["download", "compile", "done"]);

  const second = await buildToolchain({
    folder,
    searchPath: [],
    onProgress: () => assert.fail("nothing is to be built"),
  });
  assert.deepEqual(second, { ...first, built: false });

  writeFileSync(join(folder, "cmd", "rego", "main.go"), 'package main\n\nfunc main() { println("other") }\n');
  const third = await buildToolchain({ folder });
  assert.equal(third.built, true);
  assert.notEqual(third.key, first.key);
});

it("puts the program into the package of this platform", async (t) => {
  const folder = smallModule(t);
  const { binary } = await buildToolchain({ folder });
  const copy = join(folder, "packages", `${process.platform}-${process.arch}`, "bin", "rego");
  assert.ok(readFileSync(copy).equals(readFileSync(binary)));
});

it("says in one sentence what to install when there is no Go, with exit code 2", async (t) => {
  const folder = smallModule(t);
  await assert.rejects(
    buildToolchain({ folder, searchPath: [tempFolder(t)] }),
    failureWith(2, /^Go is missing: install Go 1\.26 .*\.$/),
  );
});

it("says the same when Go is too old and may not fetch a newer one", async (t) => {
  const folder = smallModule(t);
  writeFileSync(join(folder, "go.mod"), "module example.test/small\n\ngo 1.999\n");
  const before = process.env["GOTOOLCHAIN"];
  process.env["GOTOOLCHAIN"] = "local";
  t.after(() => {
    if (before === undefined) delete process.env["GOTOOLCHAIN"];
    else process.env["GOTOOLCHAIN"] = before;
  });
  await assert.rejects(buildToolchain({ folder }), failureWith(2, /^Go is missing: install Go 1\.26/));
});

it("hands on what Go says about a broken source, and leaves the last program alone", async (t) => {
  const folder = smallModule(t);
  const { binary, key } = await buildToolchain({ folder });
  const working = join(folder, "working");
  copyFileSync(binary, working);
  writeFileSync(join(folder, "cmd", "rego", "main.go"), "package main\n\nfunc main() { missing() }\n");
  await assert.rejects(buildToolchain({ folder }), failureWith(1, /undefined: missing/));
  assert.ok(readFileSync(binary).equals(readFileSync(working)));
  assert.equal(readFileSync(`${binary}.key`, "utf8").trim(), key);
});
