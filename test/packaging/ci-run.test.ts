import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../support/temp.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** What the script itself needs; everything else is made up, so that nothing is installed. */
const REAL = ["bash", "dirname", "mktemp", "rm", "awk", "tee", "grep", "cat", "chmod"];
const PRESENT = ["git", "gpg", "gpgsm", "ssh-keygen", "openssl", "strace", "jq", "gofmt", "python3"];

/** Each says what it was asked and fails where FAIL begins like it. */
const PRETENDED = `#!/bin/bash
words="$(basename "$0" .sh) $*"
echo "$words" >> "$CALLS"
if [[ -n $FAIL && $words == $FAIL* ]]; then echo "$words is broken" >&2; exit 1; fi
case "$words" in
  "npm test") echo "total 5 ran / 1 skipped / 0 failed" ;;
  "npm run test:heavy") echo "total 2 ran / 0 skipped / 0 failed" ;;
  "npm run test:mutants") echo "7 passed, 0 failed, 0 skipped" ;;
  "go test"*) echo "--- PASS: TestOne" ;;
esac
`;

function run(t: TestContext, fail: string) {
  const folder = tempFolder(t);
  const bin = join(folder, "bin");
  mkdirSync(join(folder, "toolchain"), { recursive: true });
  mkdirSync(bin);
  cpSync(join(ROOT, ".ci/run"), join(folder, ".ci/run"));
  cpSync(join(ROOT, "toolchain/go.mod"), join(folder, "toolchain/go.mod"));
  for (const name of [...REAL, "basename"]) symlinkSync(found(name), join(bin, name));
  for (const name of [...PRESENT, "npm", "go", "apt-get", "sudo"]) {
    writeFileSync(join(bin, name), PRETENDED);
    chmodSync(join(bin, name), 0o755);
  }
  mkdirSync(join(folder, "node_modules/.cache/python/bin"), { recursive: true });
  writeFileSync(join(folder, "node_modules/.cache/python/bin/python"), PRETENDED, { mode: 0o755 });
  const env = { PATH: bin, HOME: folder, TMPDIR: folder, CALLS: join(folder, "calls"), FAIL: fail };
  const { status, stdout } = spawnSync(join(folder, ".ci/run"), { env, encoding: "utf8" });
  return { status, lines: stdout.trimEnd().split("\n") };
}

function found(name: string): string {
  return spawnSync("/bin/bash", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
}

test("the CI script ends with the sum of all suites and exit 0 when nothing failed", (t) => {
  const { status, lines } = run(t, "");
  assert.deepEqual([status, lines.at(-1)], [0, "23 passed, 0 failed, 1 skipped"]);
});

for (const [fail, suite, sum] of [
  ["go", "go", "1 passed, 1 failed, 0 skipped"],
  ["npm ci", "npm-ci", "2 passed, 1 failed, 0 skipped"],
  ["npm run build", "build", "3 passed, 1 failed, 0 skipped"],
] as const) {
  test(`the CI script starts no suite and still ends with the sum and exit 1 when \`${fail}\` fails`, (t) => {
    const { status, lines } = run(t, fail);
    assert.deepEqual([status, lines.at(-1)], [1, sum]);
    assert.ok(lines.some((line) => line.startsWith(suite) && line.endsWith("1 failed")));
    assert.ok(!lines.some((line) => line.startsWith("== test")));
  });
}

test("the CI script goes on after a suite that fails or ends without its closing line", (t) => {
  for (const fail of ["npm run check", "npm test", "go vet"]) {
    const { status, lines } = run(t, fail);
    assert.equal(status, 1, fail);
    assert.match(lines.at(-1) ?? "", /^\d+ passed, 1 failed, \d skipped$/);
    assert.ok(
      lines.some((line) => /^mutants +7 ran/.test(line)),
      fail,
    );
  }
});
