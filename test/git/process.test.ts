import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type OwnStore, requireGit, runGit, spawnFailure } from "../../src/git/process.ts";
import { writeStore } from "../../src/git/store.ts";
import { tempFolder } from "../support/temp.ts";

const LIMITS = { maxOutputBytes: 10_000, deadlineMs: 30_000 };

function store(t: TestContext): OwnStore {
  return writeStore(join(tempFolder(t), "store"), { objectFormat: "sha1", alternates: [], protocol: null });
}

/** Arguments that make git run a shell line. */
function shell(line: string): readonly string[] {
  return ["-c", `alias.run=!${line}`, "run"];
}

test("tells the version of the installed git", async () => {
  assert.match(await requireGit(), /^\d+\.\d+\.\d+$/);
});

test("any exit code is an answer, with the end of standard error kept", async (t) => {
  const answer = await runGit(store(t), { args: shell("echo out; echo err >&2; exit 7"), ...LIMITS });
  assert.deepEqual({ ...answer, stdout: answer.stdout.toString() }, { exitCode: 7, stdout: "out\n", stderr: "err\n" });
});

test("a child gets nothing of our environment", async (t) => {
  process.env["SLUICE_TEST_LEAK"] = "leak";
  t.after(() => delete process.env["SLUICE_TEST_LEAK"]);
  const answer = await runGit(store(t), { args: shell("env"), ...LIMITS });
  const names = answer.stdout
    .toString()
    .split("\n")
    .map((line) => line.split("=")[0]);
  assert.ok(names.includes("GIT_CONFIG_GLOBAL") && names.includes("GIT_NO_REPLACE_OBJECTS"));
  const allowed = /^(GIT_[A-Z_]+|PATH|HOME|XDG_CONFIG_HOME|LC_ALL|TZ|PWD|OLDPWD|SHLVL|_|)$/;
  assert.deepEqual(
    names.filter((name) => !allowed.test(name ?? "")),
    [],
  );
});

test("a deadline ends git and whatever it started", async (t) => {
  const started = runGit(store(t), { args: shell("sleep 300 & sleep 300"), ...LIMITS, deadlineMs: 100 });
  await assert.rejects(started, { code: "git-failed", retryable: true });
});

test("an answer larger than it may be ends git", async (t) => {
  const started = runGit(store(t), { args: shell("yes"), ...LIMITS });
  await assert.rejects(started, { code: "git-failed" });
});

test("input that the child does not read does no harm", async (t) => {
  const answer = await runGit(store(t), { args: shell("exit 0"), input: "x".repeat(1 << 20), ...LIMITS });
  assert.equal(answer.exitCode, 0);
});

test("a program that is not there is git-missing, any other failure to start is git-failed", async () => {
  const failure = (code: string) => spawnFailure(Object.assign(new Error("spawn"), { code }), "/");
  assert.equal(failure("ENOENT").code, "git-missing");
  assert.equal(failure("EAGAIN").code, "git-failed");
  const gone = { folder: "/nonexistent/store", objectFormat: "sha1" } as const;
  await assert.rejects(runGit(gone, { args: ["version"], ...LIMITS }), { code: "git-failed" });
});
