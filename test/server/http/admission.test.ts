import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import type { RequestOptions } from "node:https";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { connect as tlsConnect } from "node:tls";
import type { AdmissionRequest, AdmissionVerdict } from "../../../src/admission/review.ts";
import { SluiceError } from "../../../src/lib/errors.ts";
import { serveAdmission } from "../../../src/server/http/admission-listener.ts";
import { tempFolder } from "../../support/temp.ts";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { ask, FILE_SCOPE } from "./served.ts";
import { expects, strictView } from "./strict-view.ts";

const POD = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "apps" }, spec: { containers: [] } };
const ALLOWED: AdmissionVerdict = { allowed: true, code: null, message: null, warnings: [], decision: null };

function review(change: object = {}): { apiVersion: string; kind: string; request: Record<string, unknown> } {
  const request = {
    uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
    kind: { group: "", version: "v1", kind: "Pod" },
    resource: { group: "", version: "v1", resource: "pods" },
    requestKind: { group: "", version: "v1", kind: "Pod" },
    name: "web",
    namespace: "apps",
    operation: "CREATE",
    userInfo: { username: "ada", groups: ["system:authenticated"] },
    object: POD,
    oldObject: null,
    options: null,
    dryRun: false,
    ...change,
  };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
}

describe("the listener for a cluster", async () => {
  const folder = tempFolder(FILE_SCOPE);
  const pem = (name: string): string => readFileSync(join(folder, name), "utf8");
  makeAuthority(folder, "ours", "/CN=ours");
  makeAuthority(folder, "strangers", "/CN=ours");
  makeCertificate(folder, "gate", { subject: "/CN=gate", by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
  makeCertificate(folder, "api", { subject: "/CN=apiserver", by: "ours", use: "clientAuth" });
  makeCertificate(folder, "stranger", { subject: "/CN=apiserver", by: "strangers", use: "clientAuth" });
  const strict = strictView();
  const begin = (deadline: string) =>
    serveAdmission({
      view: strict.view,
      admission: {
        address: "127.0.0.1",
        port: 0,
        target: "prod",
        tls: { certificate: "gate.crt", key: "gate.key", clients: "ours.crt" },
        deadline,
      },
      folder,
      clock: Date.now,
      random: randomBytes,
      onRequest: () => undefined,
    });
  const server = await begin("29s");
  FILE_SCOPE.after(() => void server.close(0));
  const client = (name = "api"): RequestOptions => ({
    ca: pem("ours.crt"),
    cert: pem(`${name}.crt`),
    key: pem(`${name}.key`),
    agent: false,
  });
  const admit = (body: unknown, path = "/v1/admit", url = server.url) =>
    ask(url, path, { method: "POST", body, tls: client() });
  afterEach(() => strict.finish());

  it("answers what the service says, with the uid as it came", async () => {
    strict.expect(expects("admit", null, { ...ALLOWED, decision: { id: "01JD7K", index: 12 } }));
    const { status, headers, json } = await admit(review());
    assert.deepEqual([status, headers["content-type"]], [200, "application/json"]);
    assert.deepEqual(json, {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: {
        uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
        allowed: true,
        auditAnnotations: { decision: "01JD7K", "log-index": "12" },
      },
    });
  });

  it("answers over HTTP/2 as over HTTP/1.1", async (t) => {
    const session: ClientHttp2Session = connect(server.url, client() as object);
    t.after(() => session.close());
    strict.expect(expects("admit", null, ALLOWED), expects("admit", null, ALLOWED));
    for (let time = 0; time < 2; time++) {
      const stream = session.request({ ":method": "POST", ":path": "/v1/admit", "content-type": "application/json" });
      stream.end(JSON.stringify(review()));
      const [headers] = await once(stream, "response");
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      assert.equal(headers[":status"], 200);
      assert.equal(JSON.parse(Buffer.concat(chunks).toString()).response.allowed, true);
    }
  });

  it("refuses with the code, and says why in one line", async () => {
    const verdict: AdmissionVerdict = {
      ...ALLOWED,
      allowed: false,
      code: "k8s-privileged",
      message: "container\n\u001b[31mweb",
      warnings: [
        "a\tb",
        "a\tb",
        " ",
        "w".repeat(400),
        ...Array.from({ length: 40 }, (_, at) => `${at} ${"x".repeat(200)}`),
      ],
    };
    strict.expect(expects("admit", null, verdict));
    const { response } = (await admit(review())).json as { response: Record<string, unknown> };
    assert.deepEqual(response["status"], {
      apiVersion: "v1",
      kind: "Status",
      status: "Failure",
      code: 403,
      reason: "Forbidden",
      message: "sluice: k8s-privileged: container\\u{a}\\u{1b}[31mweb",
    });
    const warnings = response["warnings"] as string[];
    assert.equal(warnings[0], "a\\u{9}b");
    assert.ok(warnings.every((one) => one.length <= 256 && one !== ""));
    assert.ok(warnings.join("").length <= 4096 && new Set(warnings).size === warnings.length);
    assert.ok(!("patch" in response) && !("patchType" in response));
  });

  for (const [operation, change] of [
    ["CREATE", { name: "", dryRun: true }],
    ["UPDATE", { oldObject: POD }],
    ["DELETE", { object: null, oldObject: POD }],
    ["CONNECT", { object: { apiVersion: "v1", kind: "PodExecOptions" }, subResource: "exec" }],
  ] as const) {
    it(`asks about ${operation} with all that it brings`, async () => {
      const asked = review({ operation, ...change });
      const { uid, kind, resource, name, namespace, userInfo, object, oldObject, dryRun } = asked.request;
      const subResource = asked.request["subResource"] ?? "";
      const request = {
        uid,
        kind,
        resource,
        subResource,
        name,
        namespace,
        operation,
        userInfo,
        object,
        oldObject,
        dryRun,
        whole: asked.request,
      };
      strict.expect(expects("admit", [request as unknown as AdmissionRequest], ALLOWED));
      assert.equal((await admit(asked)).status, 200);
    });
  }

  for (const [what, change] of [
    ["an operation that is none", { operation: "PATCH" }],
    ["a CREATE without its object", { object: null }],
    ["an UPDATE without what was before", { operation: "UPDATE" }],
    ["a DELETE without what is deleted", { operation: "DELETE", object: null }],
    ["an object that is a list", { object: [POD] }],
    ["a kind without a version", { kind: { group: "", version: "", kind: "Pod" } }],
    ["nobody who asks", { userInfo: null }],
    ["a dry run that is a text", { dryRun: "true" }],
  ] as const) {
    it(`refuses ${what}, in the form of a review`, async () => {
      const { status, json } = await admit(review(change));
      const { uid, allowed } = json["response"] as Record<string, unknown>;
      assert.deepEqual([status, uid, allowed], [200, "705ab4f5-6393-11e8-b7cc-42010a800002", false]);
    });
  }

  for (const [what, body] of [
    ["another version", { ...review(), apiVersion: "admission.k8s.io/v1beta1" }],
    ["another kind", { ...review(), kind: "List" }],
    ["no request", { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" }],
    ["no uid", review({ uid: "" })],
    ["no JSON", "{"],
    ["a key twice", '{"kind": "AdmissionReview", "kind": "AdmissionReview"}'],
    ["a nest of lists", "[".repeat(100_000)],
  ] as const) {
    it(`answers 400 to ${what}, which is a failure of the webhook`, async () => {
      const reply = await ask(server.url, "/v1/admit", {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
        tls: client(),
      });
      assert.deepEqual([reply.status, reply.json["code"]], [400, "request-invalid"]);
    });
  }

  for (const [what, thrown, code] of [
    [
      "a target without a first state",
      new SluiceError("target-not-adopted", "prod is not adopted."),
      "target-not-adopted",
    ],
    ["a state that nobody expected", new TypeError("/srv/secret"), "internal"],
  ] as const) {
    it(`refuses what could not be judged: ${what}`, async () => {
      strict.expect(expects("admit", null, () => Promise.reject(thrown)));
      const { json, text } = await admit(review());
      const { allowed, status } = json["response"] as { allowed: boolean; status: { code: number; message: string } };
      assert.deepEqual([allowed, status.code], [false, 500]);
      assert.ok(status.message.startsWith(`sluice: ${code}: `) && !text.includes("/srv/secret"));
    });
  }

  it("refuses what is not judged in time, ours or the caller's, and tells the judge to stop", async (t) => {
    const never = (): Promise<AdmissionVerdict> => new Promise(() => undefined);
    const quick = await begin("100ms");
    t.after(() => quick.close(0));
    for (const [path, url] of [
      ["/v1/admit", quick.url],
      ["/v1/admit?timeout=1s", server.url],
    ] as const) {
      let asked = false;
      const judge = (): Promise<AdmissionVerdict> => {
        asked = true;
        return never();
      };
      strict.expect(expects("admit", null, judge));
      for (let time = 0; !asked; time++) {
        const { status, json } = await admit(review(), path, url);
        if (!asked) {
          // a machine that was busy elsewhere: the time was up before the review had come
          assert.deepEqual([status, json["code"]], [503, "answer-too-slow"]);
          assert.ok(time < 20, "the review never reaches the judge");
          continue;
        }
        const { response } = json as { response: { allowed: boolean; status: { message: string } } };
        assert.deepEqual([status, response.allowed], [200, false]);
        assert.match(response.status.message, /^sluice: answer-too-slow: /);
      }
    }
  });

  it("answers 413, 415, 404 and 405 as problems", async () => {
    const large = `{"x": "${"x".repeat(7 * 1024 * 1024)}"}`;
    const post = { method: "POST", tls: client(), headers: { "content-type": "application/json" } };
    const codes = [
      await ask(server.url, "/v1/admit", { ...post, body: large }),
      await ask(server.url, "/v1/admit", { ...post, headers: { "content-type": "text/plain" }, body: "{}" }),
      await ask(server.url, "/v1/targets", { ...post, body: "{}" }),
      await ask(server.url, "/v1/admit", { tls: client() }),
    ].map(({ status, json }) => [status, json["code"]]);
    assert.deepEqual(codes, [
      [413, "request-too-large"],
      [415, "media-type-unknown"],
      [404, "route-unknown"],
      [405, "method-unknown"],
    ]);
  });

  it("speaks with nobody who has no certificate of its authority", async () => {
    const { hostname, port } = new URL(server.url);
    for (const tls of [{ ca: pem("ours.crt") }, client("stranger")]) {
      const socket = tlsConnect({ host: hostname, port: Number(port), ...(tls as object), ca: pem("ours.crt") });
      const answers: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => void answers.push(chunk));
      socket.on("error", () => undefined);
      socket.write(
        `POST /v1/admit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
      );
      await new Promise((done) => socket.once("close", done));
      assert.equal(Buffer.concat(answers).toString(), "");
    }
  });

  it("is not begun beyond this machine without certificates of clients", async () => {
    const admission = {
      address: "0.0.0.0",
      port: 0,
      target: "prod",
      tls: { certificate: "gate.crt", key: "gate.key" },
      deadline: "5s",
    };
    const options = {
      view: strict.view,
      admission,
      folder,
      clock: Date.now,
      random: randomBytes,
      onRequest: () => undefined,
    };
    await assert.rejects(serveAdmission(options), { code: "listen-unsafe" });
  });
});
