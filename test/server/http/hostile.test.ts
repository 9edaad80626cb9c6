import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, it } from "node:test";
import { SluiceError } from "../../../src/lib/errors.ts";
import { ALLOWANCES } from "../../../src/server/http/paces.ts";
import { COMMIT, READY } from "./samples.ts";
import { FILE_SCOPE, raw, serve } from "./served.ts";
import { expects } from "./strict-view.ts";

const HOLD = '{"scope": "prod", "reason": "x"}';

describe("a hostile caller", async () => {
  const served = await serve(FILE_SCOPE);
  const { tokens, server } = served;
  const operator = { token: tokens.operator, method: "POST" };
  afterEach(() => {
    served.clock.now += 60_000;
    served.finish();
  });

  describe("body", () => {
    for (const [what, body] of [
      ["a key twice", '{"scope": "prod", "scope": "all", "reason": "x"}'],
      ["a key twice, once with an escape", '{"scope": "prod", "\\u0073cope": "all", "reason": "x"}'],
      ["a key of every object", '{"__proto__": {}, "scope": "prod", "reason": "x"}'],
      ["an unknown key", '{"scope": "prod", "reason": "x", "role": "admin"}'],
      ["a nest of lists", `{"scope": ${"[".repeat(40)}${"]".repeat(40)}, "reason": "x"}`],
      ["a very deep nest", "[".repeat(60_000)],
      ["a comment", `${HOLD} // x`],
      ["two values", `${HOLD}${HOLD}`],
      ["nothing", ""],
      ["half a text", '{"scope": "prod'],
      ["half of a surrogate pair", '{"scope": "prod", "reason": "\\ud800"}'],
      ["a number that no reader keeps", '{"scope": 12345678901234567890, "reason": "x"}'],
    ] as const) {
      it(`with ${what} is refused`, async () => {
        const headers = { "content-type": "application/json" };
        const { status, json } = await served.ask("/v1/holds", { ...operator, body, headers });
        assert.deepEqual([status, json["code"]], [400, "request-invalid"]);
      });
    }

    it("that is no UTF-8 is refused", async () => {
      const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]);
      const { json } = await served.ask("/v1/holds", {
        ...operator,
        body,
        headers: { "content-type": "application/json" },
      });
      assert.equal(json["code"], "request-invalid");
    });

    it("is not repeated in the refusal", async () => {
      const body = '{"scope": "prod", "reason": 12, "password-hunter2": "hunter3"}';
      const { text } = await served.ask("/v1/holds", {
        ...operator,
        body,
        headers: { "content-type": "application/json" },
      });
      assert.ok(!text.includes("hunter3"));
    });

    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=utf-16",
      "application/jsonp",
      "multipart/form-data",
      "",
    ]) {
      it(`of type ${JSON.stringify(type)} is refused`, async () => {
        const { status, json } = await served.ask("/v1/holds", {
          ...operator,
          body: HOLD,
          headers: { "content-type": type },
        });
        assert.deepEqual([status, json["code"]], [415, "media-type-unknown"]);
      });
    }

    it("that is compressed is refused", async () => {
      const headers = { "content-type": "application/json", "content-encoding": "gzip" };
      assert.equal((await served.ask("/v1/holds", { ...operator, body: HOLD, headers })).status, 415);
    });

    it("that is too large is refused by its announced length, before it comes", async () => {
      const head = `POST /v1/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 70000\r\n\r\n`;
      const answer = await raw(server.url, head);
      assert.match(answer, /^HTTP\/1\.1 413 /);
    });

    it("that is too large without an announced length is cut off", async () => {
      const head = `POST /v1/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
      const chunk = `11170\r\n${" ".repeat(0x11170)}\r\n0\r\n\r\n`;
      assert.match(await raw(server.url, head + chunk), /^HTTP\/1\.1 413 /);
    });

    it("that waits to be asked for is asked for, or refused at once", async () => {
      const head = (length: number): string =>
        `POST /v1/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n`;
      served.expect(expects("hold", null, { index: 1, targets: [] }));
      const answer = await raw(server.url, head(HOLD.length) + HOLD);
      assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
      assert.match(await raw(server.url, head(70_000)), /^HTTP\/1\.1 413 /);
    });

    it("that is too large is thrown away to its end, so that whoever sends it hears why", async () => {
      const headers = { "content-type": "application/json" };
      const { status } = await served.ask("/v1/holds", { ...operator, headers, body: " ".repeat(8 * 1024 * 1024) });
      assert.equal(status, 413);
    });

    it("that ends before it is whole is no failure of the service", async () => {
      const { hostname, port } = new URL(server.url);
      const before = served.seen.length;
      const socket = connect(Number(port), hostname);
      const head = `POST /v1/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\n`;
      socket.write(`${head}expect: 100-continue\r\ncontent-length: 30\r\n\r\n`);
      await once(socket, "data"); // it reads the body now
      socket.destroy();
      while (served.seen.length === before) await new Promise(setImmediate);
      assert.equal(served.seen.at(-1)?.code, "request-invalid");
    });

    it("whose sender goes away before the answer is no failure of the service either", async () => {
      const { hostname, port } = new URL(server.url);
      const asked = Promise.withResolvers<void>();
      const before = served.seen.length;
      served.expect(
        expects("hold", null, () => {
          asked.resolve();
          return new Promise(() => undefined);
        }),
      );
      const socket = connect(Number(port), hostname);
      const head = `POST /v1/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\n`;
      socket.write(`${head}content-length: ${HOLD.length}\r\n\r\n${HOLD}`);
      await asked.promise;
      socket.destroy();
      while (served.seen.length === before) await new Promise(setImmediate);
      assert.deepEqual([served.seen.at(-1)?.code, served.seen.at(-1)?.status], ["request-too-slow", 408]);
    });

    it("where none is read is refused", async () => {
      const { json } = await served.ask("/v1/targets", { token: tokens.reader, body: "{}" });
      assert.equal(json["code"], "request-invalid");
    });
  });

  describe("path", () => {
    for (const path of [
      "/v1",
      "/v1/",
      "/v1/targets/",
      "//v1/targets",
      "/V1/targets",
      "/v1/./targets",
      "/v1/%2e/targets",
      "/v1/targets%00",
      "/v1/targets%2f",
      "/v1%2Ftargets",
      "/%ff",
      "/%",
      "/v1/targets;x=1",
      "/constructor",
      "/__proto__",
    ]) {
      it(`${path} is nothing`, async () => {
        const { status, json, headers } = await served.ask(path, { token: tokens.reader });
        assert.deepEqual([status, json["code"]], [404, "route-unknown"]);
        assert.equal(headers["content-type"], "application/problem+json");
      });
    }

    it("that is a whole address is nothing: this is no proxy", async () => {
      assert.match(
        await raw(server.url, "GET http://evil.example/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        /^HTTP\/1\.1 404 /,
      );
    });

    it("of eight thousand characters is nothing", async () => {
      assert.equal((await served.ask(`/v1/targets?${"x".repeat(8000)}`, { token: tokens.reader })).status, 404);
    });
  });

  describe("method", () => {
    for (const [method, path, allow] of [
      ["DELETE", "/v1/decisions", "GET, HEAD"],
      ["PUT", "/v1/holds", "GET, HEAD, POST"],
      ["PATCH", "/v1/checks", "POST"],
      ["GET", "/v1/checks", "POST"],
      ["HEAD", "/v1/checks", "POST"],
      ["TRACE", "/v1/targets", "GET, HEAD"],
      ["OPTIONS", "/v1/targets", "GET, HEAD"],
      ["POST", "/healthz", "GET, HEAD"],
    ] as const) {
      it(`${method} of ${path} is refused with those that there are`, async () => {
        const { status, headers } = await served.ask(path, { method, token: tokens.admin });
        assert.deepEqual([status, headers["allow"]], [405, allow]);
      });
    }

    it("HEAD has the head of GET and no body", async () => {
      served.expect(expects("readiness", [], READY), expects("readiness", [], READY));
      const [got, head] = [await served.ask("/readyz"), await served.ask("/readyz", { method: "HEAD" })];
      assert.equal(head.headers["content-length"], got.headers["content-length"]);
      assert.equal(head.body.byteLength, 0);
    });
  });

  describe("head", () => {
    it("that is too large is refused", async () => {
      const answer = await raw(server.url, `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 431 /);
      assert.match(answer, /"code":"request-too-large"/);
    });

    for (const [what, text] of [
      ["no host", "GET /healthz HTTP/1.1\r\n\r\n"],
      ["two lengths", "POST /v1/holds HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"],
      [
        "a length and chunks",
        "POST /v1/holds HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      ["a line end in a name", "GET /healthz HTTP/1.1\r\nhost: x\r\na b: c\r\n\r\n"],
      ["a folded line", "GET /healthz HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n"],
      ["another protocol", "SSH-2.0-x\r\n\r\n"],
      ["noise", "\u0000\u0001\u0002\r\n\r\n"],
    ] as const) {
      it(`with ${what} is refused, and the connection ends`, async () => {
        assert.match(await raw(server.url, text), /^HTTP\/1\.1 400 /);
      });
    }

    it("of an upgrade is answered as if it asked for none", async () => {
      const answer = await raw(
        server.url,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close, upgrade\r\nupgrade: websocket\r\n\r\n",
      );
      assert.doesNotMatch(answer, /^HTTP\/1\.1 101/);
    });

    it("with two tokens is refused, whichever is right", async () => {
      const text = `GET /v1/targets HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${tokens.reader}\r\nauthorization: Bearer x\r\n\r\n`;
      assert.match(await raw(server.url, text), /^HTTP\/1\.1 400 /);
    });
  });

  describe("pace", () => {
    it("is bounded for each token before anything is judged", async () => {
      const body = { repository: "shop", head: COMMIT };
      const fast = { token: tokens.caller, method: "POST", body };
      const refused = (): Promise<never> => Promise.reject(new SluiceError("target-unknown", "no"));
      for (let at = 0; at < ALLOWANCES.act.burst; at++) {
        served.expect(expects("check", null, refused));
        assert.equal((await served.ask("/v1/checks", fast)).status, 404);
      }
      const { status, headers, json } = await served.ask("/v1/checks", fast);
      assert.deepEqual([status, json["code"], headers["retry-after"]], [429, "too-many-requests", "1"]);
      served.expect(expects("hold", null, { index: 1, targets: [] }));
      assert.equal(
        (await served.ask("/v1/holds", { ...operator, body: JSON.parse(HOLD) })).status,
        200,
        "others go on",
      );
      served.clock.now += 1000;
      served.expect(expects("check", null, refused));
      assert.equal((await served.ask("/v1/checks", fast)).status, 404);
    });

    it("is bounded for strangers by their address, whatever they send, and not for probes", async () => {
      const guesses = Array.from(
        { length: ALLOWANCES.stranger.burst },
        (_, at) => `sluice_${String(at).padStart(43, "A")}`,
      );
      for (const token of guesses) assert.equal((await served.ask("/v1/targets", { token })).status, 401);
      assert.equal((await served.ask("/v1/targets", { token: "sluice_x" })).status, 429);
      assert.equal((await served.ask("/nowhere")).status, 429);
      assert.equal((await served.ask("/healthz")).status, 200);
      served.expect(expects("targets", [], []));
      assert.equal((await served.ask("/v1/targets", { token: tokens.reader })).status, 200, "whoever is known goes on");
    });
  });

  describe("what goes wrong inside", () => {
    for (const [what, thrown, status, code] of [
      ["a state that nobody expected", new TypeError("secret-path /srv/keys"), 500, "internal"],
      ["a text that was thrown", "secret", 500, "internal"],
      ["what does not exist yet", new SluiceError("not-supported", "Not there yet."), 501, "not-supported"],
      [
        "a log that another process writes",
        new SluiceError("log-busy", "Another process writes the log."),
        503,
        "log-busy",
      ],
      ["a target that there is not", new SluiceError("target-unknown", "There is none."), 404, "target-unknown"],
      [
        "a name that can hide things",
        new SluiceError("target-unknown", "There is no \u202egnp."),
        404,
        "target-unknown",
      ],
    ] as const) {
      it(`${what} is answered ${status} without its inside`, async () => {
        served.expect(expects("targets", [], () => Promise.reject(thrown)));
        const { status: answered, json, text } = await served.ask("/v1/targets", { token: tokens.reader });
        assert.deepEqual([answered, json["code"], json["status"]], [status, code, status]);
        assert.doesNotMatch(text, /secret|at .*\.ts:|\u202e/);
        assert.deepEqual(Object.keys(json).sort(), ["code", "detail", "fix", "requestId", "status", "title", "type"]);
      });
    }

    it("is told to whoever operates the service, with the request's id and without its values", async () => {
      const cause = new TypeError("inside");
      served.expect(expects("entries", null, () => Promise.reject(cause)));
      const { json } = await served.ask("/v1/decisions?person=ada", { token: tokens.reader });
      const seen = served.seen.at(-1);
      assert.equal(seen?.requestId, json["requestId"]);
      assert.deepEqual([seen?.cause, seen?.route, seen?.person], [cause, "decisions", "reader-ada"]);
      const { cause: _, ...told } = seen ?? assert.fail();
      assert.ok(!JSON.stringify(told).includes(tokens.reader) && !JSON.stringify(told).includes("person=ada"));
    });
  });

  it("finds the same headers on every answer: nothing is framed, guessed, kept or run", async () => {
    for (const path of ["/healthz", "/nowhere", "/openapi.json"]) {
      const { headers } = await served.ask(path, { token: tokens.reader });
      assert.match(String(headers["content-security-policy"]), /^default-src 'none';.*frame-ancestors 'none'/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["x-powered-by"], undefined);
      assert.match(String(headers["x-request-id"]), /^[0-9A-Z]{26}$/);
    }
  });
});
