/** What a connection of a cluster may cost. Each test waits for the end of a socket, and measures no time. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { serveAdmission } from "../../../src/server/http/admission-listener.ts";
import { tempFolder } from "../../support/temp.ts";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { FILE_SCOPE } from "./served.ts";
import { open, SHORT, untilEnded } from "./sockets.ts";
import { strictView } from "./strict-view.ts";

const SOON = { ...SHORT, handshakeMs: 200 };
/** So long that on no machine they end what a deadline is to end. */
const LATE = { headersMs: 300_000, requestMs: 300_000, handshakeMs: 300_000, checkMs: 1000, connections: 1000 };

describe("a connection of a cluster", async () => {
  const folder = tempFolder(FILE_SCOPE);
  makeAuthority(folder, "ours", "/CN=ours");
  makeCertificate(folder, "gate", { subject: "/CN=gate", by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
  const tls = { certificate: "gate.crt", key: "gate.key" };
  const ca = readFileSync(join(folder, "ours.crt"), "utf8");
  const begin = (deadline: string, limits: typeof LATE) =>
    serveAdmission({
      view: strictView().view,
      admission: { address: "127.0.0.1", port: 0, target: "prod", tls, deadline },
      folder,
      clock: Date.now,
      random: randomBytes,
      onRequest: () => undefined,
      limits,
    });
  const patient = await begin("29s", SOON);
  const quick = await begin("100ms", LATE);
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
    assert.match(await untilSaid(socket, '"code":"answer-too-slow"'), /^HTTP\/1\.1 503 /);
    const session = connectHttp2(quick.url, { ca });
    const stream = session.request({ ":method": "POST", ":path": "/v1/admit", "content-type": "application/json" });
    stream.write("{");
    const [headers] = await once(stream, "response");
    assert.equal(headers[":status"], 503);
    session.destroy();
  });
});

/** All that comes up to this text, or to the end; the socket is destroyed. */
async function untilSaid(socket: TLSSocket, text: string): Promise<string> {
  let said = "";
  for await (const chunk of socket) {
    said += String(chunk);
    if (said.includes(text)) break;
  }
  return said;
}
