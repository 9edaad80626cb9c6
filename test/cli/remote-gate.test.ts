import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SluiceError } from "../../src/lib/errors.ts";
import { makeAuthority, makeCertificate } from "../server/http/certificates.ts";
import { CHECK, LANDINGS } from "../server/http/samples.ts";
import { FILE_SCOPE, serve } from "../server/http/served.ts";
import { expects } from "../server/http/strict-view.ts";
import { runGit, TestRepository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const holding = { index: 9, targets: ["prod"] };

describe("commands that ask a gate over the network", async () => {
  const folder = tempFolder(FILE_SCOPE);
  const path = (name: string): string => join(folder, name);
  makeAuthority(folder, "ours", "/CN=ours");
  makeCertificate(folder, "gate", { subject: "/CN=gate", by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
  const served = await serve(FILE_SCOPE, { listen: { tls: { certificate: path("gate.crt"), key: path("gate.key") } } });
  for (const role of ["operator", "caller", "reader"] as const)
    writeFileSync(path(`${role}.token`), `${served.tokens[role]}\n`, { mode: 0o600 });
  const gate = (role: string): readonly string[] => [
    "--gate",
    served.server.url,
    "--ca",
    "ours.crt",
    "--token-file",
    `${role}.token`,
  ];
  const run = (...args: readonly string[]) => runSluice(args, { cwd: folder });

  it("hold and resume in the name of the token, whoever types it", async () => {
    const request = { scope: "prod", reason: "migration", by: "operator-ada" };
    served.expect(expects("hold", [request], holding), expects("resume", [{ ...request, reason: "done" }], holding));
    const held = await run("hold", "prod", "--reason", "migration", ...gate("operator"));
    assert.equal(held.stdout.split("\n")[0], "prod: held by operator-ada; fresh heads say so for prod   log 9");
    assert.equal(
      held.stdout.split("\n")[1],
      `next       when it is over: sluice resume prod --reason TEXT --gate ${served.server.url} --token-file operator.token --ca ours.crt`,
    );
    assert.deepEqual([held.code, held.stderr], [0, ""]);
    const resumed = await run("resume", "prod", "--reason", "done", "--format", "json", ...gate("operator"));
    assert.deepEqual(JSON.parse(resumed.stdout), {
      apiVersion: "sluice/v1",
      kind: "Hold",
      state: "resumed",
      ...request,
      reason: "done",
      ...holding,
    });
    served.finish();
  });

  it("check the commit that is checked out here, and exit as the gate says", async () => {
    runGit(folder, ["init", "--quiet", "--template=", "--initial-branch=main", "shop"]);
    const repository = new TestRepository(path("shop"));
    const head = repository.commit({ files: { "a.txt": "a" }, message: "begin" });
    served.expect(expects("check", [{ repository: "shop", head, targets: ["prod"], by: "caller-ada" }], CHECK));
    const args = ["check", "--repo", "shop", "--target", "prod", "--format", "json", ...gate("caller")];
    const { code, stdout, stderr } = await run(...args);
    assert.deepEqual([code, stderr], [1, ""]);
    assert.deepEqual(JSON.parse(stdout), CHECK);
    served.finish();
  });

  it("release what landed", async () => {
    served.expect(expects("release", [{ target: "prod", by: "operator-ada" }], LANDINGS));
    const { code, stdout } = await run("release", "prod", ...gate("operator"));
    assert.deepEqual([code, stdout], [0, "prod: #3 is current; nothing new landed\n"]);
    served.finish();
  });

  it("say what the gate refuses, in its words and with its code", async () => {
    const refused = await run("hold", "prod", "--reason", "x", ...gate("reader"));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^not-permitted {2}The role reader may not do this; operator, admin may\.\n/);
    served.expect(
      expects("release", null, () => Promise.reject(new SluiceError("target-unknown", "gate.yaml has no target prd."))),
    );
    const unknown = await run("release", "prd", ...gate("operator"));
    assert.deepEqual(
      [unknown.code, unknown.stderr.split("\n")[0]],
      [2, "target-unknown  gate.yaml has no target prd."],
    );
    served.finish();
  });

  it("show the token to nobody whose certificate is not trusted, whatever the environment says", async () => {
    const args = ["hold", "prod", "--reason", "x", "--gate", served.server.url, "--token-file", "operator.token"];
    const { code, stderr } = await runSluice(args, { cwd: folder, env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
    assert.deepEqual([code, stderr.includes("gate-untrusted")], [3, true]);
    served.finish();
  });

  it("take a token from nowhere that others can read", async () => {
    writeFileSync(path("open.token"), served.tokens.operator);
    chmodSync(path("open.token"), 0o644);
    const { code, stderr } = await run("hold", "prod", "--reason", "x", ...gate("open"));
    assert.deepEqual([code, stderr.split("  ")[0]], [2, "secret-readable-by-others"]);
  });

  it("take one gate, not two", async () => {
    const { code, stderr } = await run("hold", "prod", "--reason", "x", "--config", "gate.yaml", ...gate("operator"));
    assert.deepEqual([code, stderr.split("  ")[0]], [2, "usage"]);
  });

  it("say what the address of a gate should have been", async () => {
    const meant: Readonly<Record<string, readonly [number, string]>> = {
      "127.0.0.1:8443": [2, "--gate https://127.0.0.1:8443"],
      "gate.example:8443": [2, "--gate https://gate.example:8443"],
      "https://gate.example/v1/": [2, "--gate https://gate.example"],
      "https://ada:hidden@gate.example": [2, "--gate https://gate.example"],
      "http://gate.example:8443": [3, "--gate https://gate.example:8443"],
      "http://127.0.0.1:1": [3, "Try `curl http://127.0.0.1:1/healthz`; then run the command again."],
    };
    await Promise.all(
      Object.entries(meant).map(async ([url, [code, fix]]) => {
        const asked = await run("hold", "prod", "--reason", "x", "--gate", url, "--token-file", "operator.token");
        assert.deepEqual([asked.code, asked.stderr.trimEnd().split("fix  ")[1]], [code, fix], url);
        assert.ok(!asked.stderr.includes("hidden"));
      }),
    );
  });

  it("say how a token is given, where there is none or another is needed", async () => {
    const without = await run("hold", "prod", "--reason", "x", ...gate("operator").slice(0, 4));
    assert.deepEqual([without.code, without.stderr.split("  ")[0]], [1, "not-authenticated"]);
    assert.match(without.stderr, /fix {2}--token-file FILE, with the token that an operator makes/);
    writeFileSync(path("wrong.token"), "sluice_wrong", { mode: 0o600 });
    const wrong = await run("hold", "prod", "--reason", "x", ...gate("wrong"));
    assert.match(
      wrong.stderr,
      /^not-authenticated .*\n +fix {2}ask an operator for another token .* into wrong\.token\n/,
    );
  });

  it("name no role that nobody can be given", async () => {
    const { stderr } = await run("check", "--repo", "shop", ...gate("reader"));
    assert.match(
      stderr,
      /^not-permitted {2}The role reader may not do this; approver, operator, admin, caller may\.\n/,
    );
  });
});
