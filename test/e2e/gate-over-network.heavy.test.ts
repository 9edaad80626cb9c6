import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { noteVerifier } from "../../src/log/note.ts";
import { verifyProof } from "../../src/log/proof.ts";
import { readBundle } from "../../src/log/tile.ts";
import { makeAuthority, makeCertificate } from "../server/http/certificates.ts";
import { ask } from "../server/http/served.ts";
import { startService } from "../support/service.ts";
import { deployment } from "../support/shop.ts";
import { runSluice } from "../support/sluice.ts";
import { makeWorld } from "../support/world.ts";

describe("a gate that runs elsewhere", () => {
  it("is asked, held, resumed and audited over TLS, and its proof holds under the key that an auditor brings", async (t) => {
    const world = await makeWorld(t);
    makeAuthority(world.folder, "ours", "/CN=ours");
    makeCertificate(world.folder, "gate-tls", {
      subject: "/CN=gate",
      by: "ours",
      use: "serverAuth",
      names: "IP:127.0.0.1",
    });
    const tls = { certificate: world.path("gate-tls.crt"), key: world.path("gate-tls.key") };
    const access = { tokens: { file: world.path("tokens.yaml") } };
    world.configure("gate.yaml", () => ({ listen: { port: 0, tls }, access }));
    const token = async (role: string, ...more: readonly string[]): Promise<string> => {
      const args = [
        "token",
        "new",
        "--role",
        role,
        "--person",
        `${role}-ada`,
        "--config",
        world.path("gate.yaml"),
        ...more,
      ];
      const { code, stdout, stderr } = await runSluice(args, { cwd: world.folder });
      assert.equal(code, 0, stderr);
      const [text = ""] = stdout.split("\n");
      writeFileSync(world.path(`${role}.token`), text, { mode: 0o600 });
      return text;
    };
    const auditor = await token("auditor", "--until", "2999-01-01");
    for (const role of ["caller", "operator"]) await token(role);
    const service = await startService(t, world);
    const url = await service.url();
    const remote = (role: string) => [
      "--gate",
      url,
      "--ca",
      world.path("ours.crt"),
      "--token-file",
      world.path(`${role}.token`),
    ];

    const look = (path: string) =>
      ask(url, path, { token: auditor, tls: { ca: readFileSync(world.path("ours.crt")) } });

    const head = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } });
    world.repo.git(["push", "--quiet", "origin", `${head}:refs/heads/change`]);
    const asked = ["check", "--repository", "shop", "--head", head, "--format", "json", ...remote("caller")];
    const check = await world.sluice<CheckReport>(asked);
    assert.deepEqual([check.report.authority, check.report.head, check.code], ["gate", head, check.report.exitCode]);
    const index = check.report.targets[0]?.decision?.index ?? assert.fail(check.stderr);

    assert.equal((await world.sluice(["hold", "prod", "--reason", "x", ...remote("caller")])).code, 1);
    assert.equal((await world.sluice(["hold", "prod", "--reason", "migration", ...remote("operator")])).code, 0);
    const held = await look("/v1/targets");
    assert.equal((held.json["targets"] as { hold: { by: string } }[])[0]?.hold.by, "operator-ada");
    assert.equal((await world.sluice(["resume", "prod", "--reason", "done", ...remote("operator")])).code, 0);

    const { log } = JSON.parse(world.read("agent.yaml")) as { log: { origin: string; keys: string[] } };
    const { json } = await look(`/v1/decisions/${index}/proof`);
    const bundle = readBundle(new Uint8Array((await look(`/log/tile/entries/000.p/${index + 1}`)).body), index + 1);
    verifyProof(String(json["proof"]), bundle?.at(-1) ?? assert.fail(), log.origin, log.keys.map(noteVerifier));
    const reads = (await look("/v1/decisions?kind=read")).json["entries"] as unknown[];
    assert.equal(reads.length, 3, "each look of the auditor at decisions and targets, this one too");
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
  });
});
