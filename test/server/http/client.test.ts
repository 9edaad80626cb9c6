import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import * as z from "zod";
import { SluiceError } from "../../../src/lib/errors.ts";
import { callGate } from "../../../src/server/http/client.ts";

const answer = z.strictObject({ kind: z.literal("Hold") });

async function stand(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refused(url: string, deadlineMs = 30_000): Promise<string> {
  const call = callGate({ url, token: "sluice_t", authority: null, deadlineMs }, "/v1/holds", {}, answer);
  const thrown: unknown = await call.then(
    () => assert.fail("was not refused"),
    (reason) => reason,
  );
  return thrown instanceof SluiceError ? thrown.code : assert.fail(String(thrown));
}

describe("a call of a gate over the network", () => {
  it("sends the token and the body, and takes the answer in its form only", async (t) => {
    const seen: string[] = [];
    const url = await stand(t, (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${request.headers["content-type"]}`);
      response.end('{"kind": "Hold"}');
    });
    assert.deepEqual(await callGate({ url, token: "sluice_t", authority: null }, "/v1/holds", {}, answer), {
      kind: "Hold",
    });
    assert.deepEqual(seen, ["POST /v1/holds Bearer sluice_t application/json"]);
  });

  for (const [what, status, headers, body, code] of [
    ["a redirect, to which no token is carried", 307, { location: "/elsewhere" }, "", "gate-unreachable"],
    ["another form", 200, {}, '{"kind": "Hold", "more": 1}', "gate-unreachable"],
    ["a key twice", 200, {}, '{"kind": "Hold", "kind": "Hold"}', "gate-unreachable"],
    ["a page of a proxy", 502, {}, "<html>", "gate-unreachable"],
    ["a refusal of the gate", 403, {}, '{"code": "not-permitted", "detail": "No.", "fix": "ask"}', "not-permitted"],
    ["a code that is none", 403, {}, '{"code": "constructor", "detail": "No.", "fix": "ask"}', "gate-unreachable"],
  ] as const) {
    it(`refuses ${what}`, async (t) => {
      let calls = 0;
      const url = await stand(t, (_, response) => {
        calls += 1;
        response.writeHead(status, headers).end(body);
      });
      assert.equal(await refused(url), code);
      assert.equal(calls, 1);
    });
  }

  it("refuses an answer that does not end", async (t) => {
    const url = await stand(t, (_, response) => {
      const more = (): void => {
        while (response.writable && response.write(" ".repeat(1024 * 1024)));
      };
      response.on("drain", more).on("error", () => undefined);
      more();
    });
    assert.equal(await refused(url), "gate-unreachable");
  });

  it("does not wait for ever", async (t) => {
    assert.equal(await refused(await stand(t, () => undefined), 50), "gate-unreachable");
  });

  it("says where nothing listens", async () => {
    assert.equal(await refused("http://127.0.0.1:1"), "gate-unreachable");
  });

  for (const url of [
    "http://gate.example",
    "http://127.0.0.1.evil.example",
    "http://192.0.2.7:8443",
    "ftp://gate.example",
  ]) {
    it(`shows no token to ${url}`, async () => assert.equal(await refused(url), "gate-untrusted"));
  }

  for (const url of [
    "gate.example",
    "https://ada:secret@gate.example",
    "https://gate.example/v1",
    "https://gate.example?x=1",
    "",
  ]) {
    it(`takes ${JSON.stringify(url)} for no address of a gate`, async () => assert.equal(await refused(url), "usage"));
  }
});
