import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { isLoopback } from "../../src/config/access-yaml.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { tempFolder } from "../support/temp.ts";
import { refusal } from "./refusal.ts";

const BASE = `version: 1
repositories: {shop: {url: ../shop.git}}
targets: {prod: {repository: shop, branch: main, channels: [{directory: out}]}}
log: {store: "sqlite:./log.db", origin: gate.example/log, key: {file: log.key}}
release: {key: {file: release.key}}
`;
const TLS = "tls: {certificate: a.crt, key: a.key}";
const TOKENS = "access: {tokens: {file: tokens.yaml}}";

function gateYaml(t: TestContext, lines: string): string {
  const file = join(tempFolder(t), "gate.yaml");
  writeFileSync(file, `${BASE}${lines}\n`);
  return file;
}

describe("where the service listens", () => {
  it("is this machine alone where nothing is said", (t) => {
    const { listen, access, admission } = readGateYaml(gateYaml(t, "")).gate;
    assert.deepEqual(listen, { address: "127.0.0.1", port: 8443 });
    assert.deepEqual([access, admission], [undefined, undefined]);
  });

  for (const address of ["0.0.0.0", "::", "192.0.2.7", "::ffff:127.0.0.1"]) {
    it(`is not ${address} without TLS and access`, (t) => {
      for (const [listen, access] of [
        [`listen: {address: "${address}"}`, ""],
        [`listen: {address: "${address}", ${TLS}}`, ""],
        [`listen: {address: "${address}"}`, TOKENS],
      ]) {
        const { code } = refusal(() => readGateYaml(gateYaml(t, `${listen}\n${access}`)));
        assert.equal(code, "listen-unsafe", `${listen} ${access}`);
      }
    });

    it(`is ${address} with both`, (t) => {
      const { gate } = readGateYaml(gateYaml(t, `listen: {address: "${address}", ${TLS}}\n${TOKENS}`));
      assert.equal(gate.listen.address, address);
    });
  }

  for (const line of [
    "listen: {address: localhost}",
    "listen: {address: gate.example}",
    "listen: {port: 65536}",
    "listen: {port: -1}",
    "listen: {tls: {certificate: a.crt}}",
    "listen: {tsl: {certificate: a.crt, key: a.key}}",
    "access: {}",
    "access: {token: {file: tokens.yaml}}",
    `listen: {${TLS}}\naccess: {certificates: {ca: ca.pem, subjects: {"CN=ada": owner}}}`,
  ]) {
    it(`is refused as no configuration: ${line}`, (t) => {
      assert.equal(refusal(() => readGateYaml(gateYaml(t, line))).code, "gate-configuration-invalid");
    });
  }

  it("knows loopback by its numbers, not by a name or a prefix", () => {
    for (const text of ["127.0.0.1", "127.8.9.1", "::1"]) assert.equal(isLoopback(text), true, text);
    for (const text of ["128.0.0.1", "::", "::1:1", "::ffff:127.0.0.1", "127::1"])
      assert.equal(isLoopback(text), false, text);
  });
});

describe("client certificates", () => {
  const subjects = (given: string): string => `access: {certificates: {ca: ca.pem, subjects: {"CN=kim": ${given}}}}`;

  it("need a listener that asks for them", (t) => {
    const { code } = refusal(() => readGateYaml(gateYaml(t, subjects("reader"))));
    assert.equal(code, "listen-unsafe");
  });

  it("of an auditor have an end", (t) => {
    for (const given of ["auditor", "{role: auditor}"]) {
      const { code } = refusal(() => readGateYaml(gateYaml(t, `listen: {${TLS}}\n${subjects(given)}`)));
      assert.equal(code, "access-endless");
    }
    readGateYaml(gateYaml(t, `listen: {${TLS}}\n${subjects("{role: auditor, person: e.kim, until: 2026-12-31}")}`));
  });
});

describe("the listener for a cluster", () => {
  it("is not reached from elsewhere without certificates of clients", (t) => {
    const line = (clients: string): string =>
      `admission: {address: 0.0.0.0, target: prod, tls: {certificate: a.crt, key: a.key${clients}}}`;
    assert.equal(refusal(() => readGateYaml(gateYaml(t, line("")))).code, "listen-unsafe");
    assert.equal(readGateYaml(gateYaml(t, line(", clients: ca.pem"))).gate.admission?.deadline, "5s");
  });

  it("answers for a target that there is", (t) => {
    const { code } = refusal(() => readGateYaml(gateYaml(t, `admission: {target: prd, ${TLS}}`)));
    assert.equal(code, "gate-configuration-invalid");
  });

  for (const deadline of ["30s", "50ms", "0s", "soon", "5"]) {
    it(`answers in time, not with a deadline of ${deadline}`, (t) => {
      const line = `admission: {target: prod, ${TLS}, deadline: ${JSON.stringify(deadline)}}`;
      assert.equal(refusal(() => readGateYaml(gateYaml(t, line))).code, "gate-configuration-invalid");
    });
  }
});
