import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { AccessYaml } from "../../../src/config/access-yaml.ts";
import { SluiceError } from "../../../src/lib/errors.ts";
import { serveHttp } from "../../../src/server/http/server.ts";
import { tempFolder } from "../../support/temp.ts";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { FILE_SCOPE, serve } from "./served.ts";
import { expects } from "./strict-view.ts";

const SUBJECTS = {
  "CN=apiserver": "caller",
  "O=example, CN=sam": { role: "operator", person: "sam" },
  "CN=comma": "reader",
} as const;

describe("TLS and client certificates", async () => {
  const folder = tempFolder(FILE_SCOPE);
  const path = (name: string): string => join(folder, name);
  const pem = (name: string): string => readFileSync(path(name), "utf8");
  const listen = { tls: { certificate: path("gate.crt"), key: path("gate.key") } };
  const access: AccessYaml = {
    tokens: { file: "tokens.yaml" },
    certificates: { ca: path("clients.crt"), subjects: SUBJECTS },
  };
  makeAuthority(folder, "ours", "/CN=ours");
  makeAuthority(folder, "clients", "/CN=clients");
  makeAuthority(folder, "strangers", "/CN=clients");
  makeCertificate(folder, "gate", { subject: "/CN=gate", by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
  makeCertificate(folder, "sam", { subject: "/O=example/CN=sam", by: "clients", use: "clientAuth" });
  makeCertificate(folder, "api", { subject: "/CN=apiserver", by: "clients", use: "clientAuth" });
  makeCertificate(folder, "wrong-use", { subject: "/CN=apiserver", by: "clients", use: "serverAuth" });
  makeCertificate(folder, "stranger", { subject: "/CN=apiserver", by: "strangers", use: "clientAuth" });
  makeCertificate(folder, "imitation", { subject: "/CN=x, CN=comma", by: "clients", use: "clientAuth" });
  makeCertificate(folder, "old", {
    subject: "/CN=apiserver",
    by: "clients",
    use: "clientAuth",
    days: -1,
  });
  const served = await serve(FILE_SCOPE, { access, listen });

  const client = (name?: string): RequestOptions => ({
    ca: pem("ours.crt"),
    ...(name === undefined ? {} : { cert: pem(`${name}.crt`), key: pem(`${name}.key`) }),
  });

  it("knows a caller by the whole subject of a certificate that an authority of ours issued", async () => {
    served.expect(expects("hold", [{ scope: "prod", reason: "x", by: "sam" }], { index: 1, targets: [] }));
    const body = { scope: "prod", reason: "x" };
    assert.equal((await served.ask("/v1/holds", { method: "POST", body, tls: client("sam") })).status, 200);
    const refused = await served.ask("/v1/holds", { method: "POST", body, tls: client("api") });
    assert.equal(refused.json["code"], "not-permitted");
    served.finish();
  });

  for (const name of ["stranger", "wrong-use", "old", "imitation"]) {
    it(`knows nobody by a certificate that does not count: ${name}`, async () => {
      const { status, json } = await served.ask("/v1/targets", { tls: client(name) });
      assert.deepEqual([status, json["code"]], [401, "not-authenticated"]);
      served.finish();
    });
  }

  it("still takes a token where there is no certificate", async () => {
    served.expect(expects("targets", [], []));
    assert.equal((await served.ask("/v1/targets", { token: served.tokens.reader, tls: client() })).status, 200);
    served.finish();
  });

  it("tells browsers to come back by TLS only", async () => {
    const { headers } = await served.ask("/healthz", { tls: client() });
    assert.match(String(headers["strict-transport-security"]), /^max-age=31536000/);
  });

  it("speaks nothing older than TLS 1.2", async () => {
    await assert.rejects(served.ask("/healthz", { tls: { ...client(), maxVersion: "TLSv1.1", minVersion: "TLSv1" } }));
  });

  it("takes a new certificate, a new authority and new tokens in, and keeps the old ones where a new one is bad", async (t) => {
    const own = await serve(t, { access, listen });
    const next = { ...listen, address: "127.0.0.1", port: 0 };
    const reload = (change: Partial<AccessYaml>) =>
      own.server.reread({ listen: next, access: { ...access, ...change } })();
    for (const bad of [{ tokens: { file: "gone.yaml" } }, { certificates: { ca: path("gone.crt"), subjects: {} } }])
      assert.throws(() => reload(bad));
    assert.throws(() => own.server.reread({ listen: next, access: undefined }), { code: "listen-unsafe" });
    own.expect(expects("targets", [], []));
    assert.equal((await own.ask("/v1/targets", { token: own.tokens.reader, tls: client() })).status, 200);
    writeFileSync(join(own.folder, "tokens.yaml"), "version: 1\ntokens: []\n");
    makeCertificate(folder, "gate2", { subject: "/CN=gate2", by: "clients", use: "serverAuth", names: "IP:127.0.0.1" });
    own.server.reread({
      listen: { ...next, tls: { certificate: path("gate2.crt"), key: path("gate2.key") } },
      access,
    })();
    const tls = { ...client(), ca: pem("clients.crt") };
    assert.equal((await own.ask("/v1/targets", { token: own.tokens.reader, tls })).status, 401);
    own.finish();
  });

  it("is not begun with a key that others can read", async () => {
    execFileSync("chmod", ["0644", path("api.key")]);
    const options = {
      listen: { address: "127.0.0.1", port: 0, tls: { certificate: path("api.crt"), key: path("api.key") } },
      access: undefined,
    };
    assert.equal(await refusalOf(serveOnly(options)), "secret-readable-by-others");
  });

  it("is not begun beyond this machine without TLS and access, whatever read gate.yaml", async () => {
    assert.equal(
      await refusalOf(serveOnly({ listen: { address: "0.0.0.0", port: 0 }, access: undefined })),
      "listen-unsafe",
    );
  });

  it("is not begun where somebody else listens", async () => {
    const port = Number(new URL(served.server.url).port);
    assert.equal(
      await refusalOf(serveOnly({ listen: { address: "127.0.0.1", port }, access: undefined })),
      "listen-failed",
    );
  });

  async function refusalOf(work: Promise<unknown>): Promise<string> {
    const thrown: unknown = await work.then(
      () => assert.fail("was not refused"),
      (reason) => reason,
    );
    return thrown instanceof SluiceError ? thrown.code : assert.fail(String(thrown));
  }

  function serveOnly(options: Pick<Parameters<typeof serveHttp>[0], "listen" | "access">): Promise<unknown> {
    const { view } = served;
    const rest = {
      folder,
      clock: () => 0,
      random: (count: number) => new Uint8Array(count),
      onRequest: () => undefined,
    };
    return serveHttp({ view, ...options, ...rest });
  }
});
