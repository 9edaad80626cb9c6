/** What a connection may cost. Each test waits for the end of a socket, whenever that comes, and measures no time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FILE_SCOPE, raw, serve } from "./served.ts";
import { open, SHORT, untilEnded } from "./sockets.ts";

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
    const { server } = await serve(FILE_SCOPE); // with the time that everybody has: this head is sent at once
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
