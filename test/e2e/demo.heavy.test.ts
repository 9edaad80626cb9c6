/** The demo as a newcomer runs it; and with command lines that lie, because a demo that cannot fail shows nothing. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { demoSchema } from "../../src/cli/reports/schemas/demo.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

async function demo(t: TestContext, binary?: string) {
  const folder = tempFolder(t);
  const env = { TMPDIR: folder, ...(binary === undefined ? {} : { SLUICE_BIN: binary }) };
  const run = await runSluice(["demo", "--json"], { cwd: folder, env });
  assert.deepEqual(readdirSync(folder), [], "nothing is left behind");
  return { ...run, lines: run.stdout === "" ? [] : demoSchema.parse(JSON.parse(run.stdout)) };
}

/** A program in the place of `sluice`; `body` is shell. */
function wrapper(t: TestContext, body: string): string {
  const file = join(tempFolder(t), "sluice.sh");
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o700 });
  return file;
}

test("the demo plays nine steps, each command as expected, and leaves nothing behind", async (t) => {
  const { code, stderr, lines } = await demo(t);
  const failed = lines.filter((line) => !line.ok || line.exitCode !== line.expected);
  assert.deepEqual([code, stderr, failed], [0, "", []]);
  assert.deepEqual([...new Set(lines.map((line) => line.step))], STEPS);
  const commands = new Set(lines.map(({ argv }) => argv[1]));
  assert.deepEqual([...commands].sort(), ["adopt", "agent", "approve", "check", "head", "log", "release", "rollback"]);
  assert.ok(lines.some((line) => line.expected === 1) && lines.length >= 20);
});

test("the demo fails with a command line that always exits 0 and says nothing", async (t) => {
  const { code, lines } = await demo(t, wrapper(t, "exit 0"));
  assert.equal(code, 1);
  assert.ok(lines.length > 0 && lines.every((line) => !line.ok));
});

test("the demo fails with a command line that exits 0 and answers everything with the same friendly JSON", async (t) => {
  const target = { target: "prod", verdict: "allow", reasons: [], findings: [], decision: { index: 1 } };
  const answer = {
    apiVersion: "sluice/v1",
    kind: "Check",
    authority: "gate",
    verdict: "allow",
    exitCode: 0,
    targets: [{ ...target, approvals: { given: [], missing: [] } }],
    landed: [],
    current: null,
    intact: true,
    outcome: "applied",
    sequence: 1,
    statement: { approver: "lin" },
  };
  const binary = wrapper(
    t,
    `while [ $# -gt 0 ]; do [ "$1" = --output ] && file="$2"; shift; done
cat > "$file" <<'JSON'
${JSON.stringify(answer)}
JSON
echo APPROVED`,
  );
  const { code, lines } = await demo(t, binary);
  assert.equal(code, 1);
  const [adoption] = lines;
  assert.deepEqual([adoption?.argv[1], adoption?.exitCode, adoption?.ok], ["adopt", 0, false], "exit 0 is not enough");
  assert.ok(lines.filter((line) => !line.ok).length >= 3);
});
