/** A reader that goes before the answer is there, as `head` does, and an output that cannot be written. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { sluiceCommand } from "../support/sluice.ts";

const NO_FULL_DEVICE = existsSync("/dev/full") ? false : "needs /dev/full";

/** `$SLUICE` runs the command line; a pipe made this way has lost its reader before anything is written. */
function inShell(script: string): { code: number | null; stderr: string } {
  const env = { PATH: process.env["PATH"] ?? "", SLUICE: `${process.execPath} ${sluiceCommand()}` };
  const { status, stderr } = spawnSync("bash", ["--norc", "-c", script], {
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { code: status, stderr };
}

describe("standard output", () => {
  for (const command of ["config schema", "--help"])
    it(`ends \`sluice ${command}\` quietly where its reader has gone, as SIGPIPE would`, () => {
      assert.deepEqual(inShell(`exec 3> >(true); wait $!; $SLUICE ${command} >&3`), { code: 141, stderr: "" });
    });

  it("ends a refusal the same way where nobody reads it", () => {
    assert.deepEqual(inShell("exec 3> >(true); wait $!; $SLUICE chekc 2>&3"), { code: 141, stderr: "" });
  });

  it("says that it could not be written", { skip: NO_FULL_DEVICE }, () => {
    const { code, stderr } = inShell("$SLUICE config schema > /dev/full");
    assert.deepEqual(
      [code, /^output-failed {2}Standard output could not be written: ENOSPC\./.test(stderr)],
      [3, true],
      stderr,
    );
  });
});
