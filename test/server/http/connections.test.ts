/** How many connections there may be at once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { FILE_SCOPE, raw, serve } from "./served.ts";
import { open, untilEnded } from "./sockets.ts";

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
