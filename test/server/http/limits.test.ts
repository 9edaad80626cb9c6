/** What a connection may cost. Each test waits for the end of a socket, whenever that comes, and measures no time. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { serveAdmission } from "../../../src/server/http/admission-listener.ts";
import { tempFolder } from "../../support/temp.ts";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { FILE_SCOPE, raw, serve } from "./served.ts";
import { strictView } from "./strict-view.ts";

const SHORT = { headersMs: 200, requestMs: 400, checkMs: 50, connections: 1000 };

/** All that comes until the other side ends, which it does by itself; meanwhile `drip` is sent again and again. */
async function untilEnded(socket: Socket, drip: string): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  socket.on("error", () => undefined);
  const tap = setInterval(() => socket.writable && socket.write(drip), 10);
  await new Promise((done) => socket.once("close", done));
  clearInterval(tap);
  return Buffer.concat(chunks).toString("utf8");
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
}

describe("a connection", async () => {
  const { server, tokens } = await serve(FILE_SCOPE, { limits: SHORT });
  const post = `POST /v1/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\ncontent-type: application/json\r\n`;

  for (const [what, begin, drip] of [
    ["a head that never ends", "GET /healthz HTTP/1.1\r\nhost: x\r\n", "x: y\r\n"],
    ["a head that stops", "GET /healthz HTTP/1.1\r\nhost: x\r\n", ""],
    ["a line that never ends", "GET /healthz", "z"],
    ["a body that comes byte by byte", `${post}content-length: 60000\r\n\r\n`, "x"],
    ["a body in chunks that never ends", `${post}transfer-encoding: chunked\r\n\r\n`, "1\r\nx\r\n"],
    ["a body that stops", `${post}content-length: 60000\r\n\r\n{`, ""],
  ] as const) {
    it(`with ${what} is told that it is too slow, and ended`, async () => {
      const socket = open(server.url);
      socket.write(begin);
      const answer = await untilEnded(socket, drip);
      // Whoever goes on sending may lose the answer to the reset that its own bytes bring about.
      if (drip === "" || answer !== "") assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*"code":"request-too-slow"/);
    });
  }

  it("on which nobody ever says anything is ended", async () => {
    assert.match(await untilEnded(open(server.url), ""), /^(?:HTTP\/1\.1 408 |$)/);
  });

  it("whose head has more than a hundred lines is refused", async () => {
    const lines = (count: number): string => Array.from({ length: count }, (_, at) => `x-${at}: y\r\n`).join("");
    const head = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    assert.match(await raw(server.url, `${head}${lines(98)}\r\n`), /^HTTP\/1\.1 200 /);
    for (const count of [99, 500]) {
      assert.match(
        await raw(server.url, `${head}${lines(count)}\r\n`),
        /^HTTP\/1\.1 431 [\s\S]*"code":"request-too-large"/,
      );
    }
  });
});

describe("connections", async () => {
  const limits = { headersMs: 60_000, requestMs: 60_000, checkMs: 1000, connections: 2 };
  const { server } = await serve(FILE_SCOPE, { limits });

  it("beyond the limit are ended without a word, and there is room again when one has gone", async () => {
    const ask = async (socket: Socket): Promise<string> => {
      socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
      const [answer] = await once(socket, "data");
      return String(answer);
    };
    const [first, second] = [open(server.url), open(server.url)];
    assert.match(await ask(first), /^HTTP\/1\.1 200 /);
    assert.match(await ask(second), /^HTTP\/1\.1 200 /);
    assert.equal(await untilEnded(open(server.url), ""), "");
    first.destroy();
    for (let answer = ""; !answer.startsWith("HTTP/1.1 200 "); ) {
      answer = await raw(server.url, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    }
    second.destroy();
  });
});

describe("a connection of a cluster", async () => {
  const folder = tempFolder(FILE_SCOPE);
  makeAuthority(folder, "ours", "/CN=ours");
  makeCertificate(folder, "gate", { subject: "/CN=gate", by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
  const tls = { certificate: "gate.crt", key: "gate.key" };
  const ca = readFileSync(join(folder, "ours.crt"), "utf8");
  const begin = (deadline: string) =>
    serveAdmission({
      view: strictView().view,
      admission: { address: "127.0.0.1", port: 0, target: "prod", tls, deadline },
      folder,
      clock: Date.now,
      random: randomBytes,
      onRequest: () => undefined,
      limits: { ...SHORT, handshakeMs: 200 },
    });
  const patient = await begin("29s");
  const quick = await begin("100ms");
  FILE_SCOPE.after(async () => void (await Promise.all([patient.close(0), quick.close(0)])));
  const post = "POST /v1/admit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n";

  it("that never says hello in TLS is ended", async () => {
    assert.equal(await untilEnded(open(patient.url), ""), "");
  });

  for (const [what, text, drip] of [
    ["a head that never ends", "POST /v1/admit HTTP/1.1\r\nhost: x\r\n", "x: y\r\n"],
    ["a body that comes byte by byte", post, " "],
  ] as const) {
    it(`with ${what} is ended, and nothing was judged`, async () => {
      const { hostname, port } = new URL(patient.url);
      const socket = connectTls({ host: hostname, port: Number(port), ca });
      socket.write(text);
      assert.doesNotMatch(await untilEnded(socket, drip), /200 OK/);
    });
  }

  it("whose review does not come in time is answered that it is too slow, over HTTP/2 too", async () => {
    const { hostname, port } = new URL(quick.url);
    const socket = connectTls({ host: hostname, port: Number(port), ca });
    socket.write(post);
    assert.match(await untilEnded(socket, ""), /^HTTP\/1\.1 503 [\s\S]*"code":"answer-too-slow"/);
    const session = connectHttp2(quick.url, { ca });
    const stream = session.request({ ":method": "POST", ":path": "/v1/admit", "content-type": "application/json" });
    stream.write("{");
    const [headers] = await once(stream, "response");
    assert.equal(headers[":status"], 503);
    session.destroy();
  });
});
