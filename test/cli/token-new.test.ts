import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { tokenNewSchema } from "../../src/cli/reports/schemas/token.ts";
import { findToken, readTokens } from "../../src/server/access/tokens.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const GATE = `version: 1
repositories: {shop: {url: ../shop.git}}
targets: {prod: {repository: shop, branch: main, channels: [{directory: out}]}}
log: {store: "sqlite:./log.db", origin: gate.example/log, key: {file: log.key}}
release: {key: {file: release.key}}
access: {tokens: {file: secrets.yaml}}
`;

function gateFolder(t: TestContext): string {
  const folder = tempFolder(t);
  writeFileSync(join(folder, "gate.yaml"), GATE);
  return folder;
}

describe("sluice token new", () => {
  it("prints a token once, and writes its digest where gate.yaml says", async (t) => {
    const cwd = gateFolder(t);
    const args = ["--role", "auditor", "--person", "e.kim", "--until", "2999-12-31", "--targets", "prod"];
    const { code, stdout, stderr } = await runSluice(
      ["token", "new", ...args, "--config", "gate.yaml", "--format", "json"],
      { cwd },
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const { token, ...report } = tokenNewSchema.parse(JSON.parse(stdout));
    const file = join(cwd, "secrets.yaml");
    assert.deepEqual(report, {
      apiVersion: "sluice/v1",
      kind: "Token",
      file,
      role: "auditor",
      person: "e.kim",
      targets: ["prod"],
      until: "2999-12-31",
    });
    assert.equal(findToken(readTokens(file), token)?.person, "e.kim");
    assert.ok(!readFileSync(file, "utf8").includes(token));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("prints nothing but the token to standard output, so that a file of it is what --token-file reads", async (t) => {
    const cwd = gateFolder(t);
    const args = ["token", "new", "--role", "reader", "--person", "e.kim", "--config", "gate.yaml"];
    const { code, stdout, stderr } = await runSluice(args, { cwd });
    assert.equal(code, 0);
    assert.equal(findToken(readTokens(join(cwd, "secrets.yaml")), stdout.trimEnd())?.person, "e.kim");
    assert.match(stderr, /^reader e\.kim: every target; its SHA-256 is in .*secrets\.yaml\nnext {7}keep it now/);
  });

  for (const [what, args, expected] of [
    ["an auditor's token without an end", ["--role", "auditor", "--person", "e.kim"], "access-endless"],
    ["an end that is over", ["--role", "reader", "--person", "e.kim", "--until", "2020-01-01"], "usage"],
    ["an end that is no day", ["--role", "reader", "--person", "e.kim", "--until", "2999-02-31"], "usage"],
    ["a role that is none", ["--role", "owner", "--person", "e.kim"], "usage"],
    ["nobody's token", ["--role", "reader"], "usage"],
    ["a name of two people", ["--role", "reader", "--person", "ada, sam"], "usage"],
    ["a target that there is not", ["--role", "reader", "--person", "ada", "--targets", "prd"], "target-unknown"],
  ] as const) {
    it(`makes no token: ${what}`, async (t) => {
      const cwd = gateFolder(t);
      const { code, stdout, stderr } = await runSluice(["token", "new", ...args, "--config", "gate.yaml"], { cwd });
      assert.deepEqual([code, stdout, stderr.split("  ")[0]], [2, "", expected]);
      assert.ok(!existsSync(join(cwd, "secrets.yaml")));
    });
  }
});
