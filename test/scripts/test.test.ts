import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { type Scope, tempFolder } from "../support/temp.ts";

const RUNNER = resolve(import.meta.dirname, "../../scripts/test.ts");

interface TestRun {
  readonly code: number | null;
  readonly output: string;
}

/** Runs test files (name below test/ -> body after the imports) in a process that is not itself a test. */
function runFiles(scope: Scope, files: Readonly<Record<string, string>>, skips: object = {}): TestRun {
  const root = tempFolder(scope);
  writeFileSync(join(root, "package.json"), '{"type": "module"}');
  for (const [name, body] of Object.entries(files)) {
    mkdirSync(join(root, "test", name, ".."), { recursive: true });
    writeFileSync(join(root, "test", name), `import { describe, it } from "node:test";\n${body}`);
  }
  writeFileSync(join(root, "test", "skips.json"), JSON.stringify(skips));
  const names = Object.keys(files).map((name) => join("test", name));
  const program = `import { runTests } from ${JSON.stringify(RUNNER)};
    const passed = await runTests(${JSON.stringify(root)}, ${JSON.stringify(names)}, (text) => process.stdout.write(text));
    process.exitCode = passed ? 0 : 1;`;
  writeFileSync(join(root, "run.mjs"), program);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const ended = spawnSync(process.execPath, [join(root, "run.mjs")], { encoding: "utf8", env });
  return { code: ended.status, output: ended.stdout + ended.stderr };
}

it("closes with one line a suite and a total", (t) => {
  const { code, output } = runFiles(t, {
    "lib/a.test.ts": `describe("a", () => { it("one", () => {}); it("two", () => {}); });`,
    "alone.test.ts": `it("three", () => {});`,
  });
  assert.match(output, /^alone +1 ran \/ 0 skipped \/ 0 failed$/m);
  assert.match(output, /^lib +2 ran \/ 0 skipped \/ 0 failed$/m);
  assert.match(output, /^slowest +(?:lib\/a \d+ s, alone \d+ s|alone \d+ s, lib\/a \d+ s)$/m);
  assert.match(output, /^total +3 ran \/ 0 skipped \/ 0 failed in [\d.]+ s$/m);
  assert.equal(code, 0);
});

it("fails on a failed test, counts it once and says why", (t) => {
  const { code, output } = runFiles(t, {
    "lib/a.test.ts": `describe("outer", () => { it("breaks", () => { throw new Error("because"); }); it("holds", () => {}); });`,
  });
  assert.match(output, /^FAILED test\/lib\/a\.test\.ts:2: breaks\n {4}Error: because$/m);
  assert.match(output, /^lib +2 ran \/ 0 skipped \/ 1 failed$/m);
  assert.equal(code, 1);
});

it("fails on a file that cannot be loaded and on one without a test", (t) => {
  const broken = runFiles(t, { "lib/a.test.ts": `it("one", () => {}); import "./nowhere.ts";` });
  assert.match(broken.output, /nowhere\.ts/);
  assert.equal(broken.code, 1);
  const empty = runFiles(t, { "lib/a.test.ts": "" });
  assert.match(empty.output, /has no test in it/);
  assert.equal(empty.code, 1);
});

it("fails on a skip that is not in the list, and takes one that is", (t) => {
  const files = { "lib/a.test.ts": `it("one", () => {}); it("needs gpg", { skip: "no gpg" }, () => {});` };
  const unlisted = runFiles(t, files);
  assert.match(unlisted.output, /skipped and not listed in test\/skips\.json: needs gpg/);
  assert.equal(unlisted.code, 1);
  const listed = runFiles(t, files, { "test/lib/a.test.ts": { "needs gpg": "gpg is not everywhere" } });
  assert.match(listed.output, /^lib +1 ran \/ 1 skipped \/ 0 failed$/m);
  assert.equal(listed.code, 0);
});

it("takes a todo for a skip, and fails on a line of the list that names no test", (t) => {
  const todo = runFiles(t, {
    "lib/a.test.ts": `it("one", () => {}); it("later", { todo: true }, () => {});`,
  });
  assert.match(todo.output, /not listed in test\/skips\.json: later/);
  assert.equal(todo.code, 1);
  const stale = runFiles(
    t,
    { "lib/a.test.ts": `it("one", () => {});` },
    { "test/lib/a.test.ts": { gone: "no reason" } },
  );
  assert.match(stale.output, /skips\.json names no test: test\/lib\/a\.test\.ts: gone/);
  assert.equal(stale.code, 1);
});

it("runs a file that failed once more alone, names it as unsteady, and counts it as passed", (t) => {
  const mark = join(tempFolder(t), "ran");
  const { code, output } = runFiles(t, {
    "lib/a.test.ts": `import { existsSync, writeFileSync } from "node:fs";
      const ran = existsSync(${JSON.stringify(mark)});
      writeFileSync(${JSON.stringify(mark)}, "");
      it("breaks once", () => { if (!ran) throw new Error("because"); });`,
    "lib/b.test.ts": `it("holds", () => {});`,
  });
  assert.match(output, /^FAILED test\/lib\/a\.test\.ts:\d+: breaks once$/m);
  assert.match(output, /^once more, alone: test\/lib\/a\.test\.ts$/m);
  assert.match(output, /^UNSTEADY test\/lib\/a\.test\.ts: /m);
  assert.match(output, /total +2 ran \/ 0 skipped \/ 0 failed in [\d.]+ s\n$/);
  assert.equal(code, 0);
});

it("does not run again what fails on an input that was drawn, nor more files than fail by chance", (t) => {
  const drawn = runFiles(t, { "lib/a.test.ts": `it("breaks", () => { throw new Error("Counterexample: [1]"); });` });
  assert.doesNotMatch(drawn.output, /once more/);
  assert.equal(drawn.code, 1);
  const broken = `it("breaks", () => { throw new Error("because"); });`;
  const many = runFiles(t, Object.fromEntries(["a", "b", "c", "d"].map((name) => [`lib/${name}.test.ts`, broken])));
  assert.doesNotMatch(many.output, /once more/);
  assert.match(many.output, /^lib +4 ran \/ 0 skipped \/ 4 failed$/m);
  assert.equal(many.code, 1);
});
