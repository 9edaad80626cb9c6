import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FILE_SCOPE, serve } from "./served.ts";

describe("where only this machine may call", async () => {
  const served = await serve(FILE_SCOPE, { access: null });

  for (const host of ["127.0.0.1", "127.0.0.1:8443", "localhost", "localhost:1", "[::1]:8443"]) {
    it(`it may call it ${host}`, async () => {
      assert.equal((await served.ask("/healthz", { headers: { host } })).status, 200);
    });
  }

  for (const host of [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "0.0.0.0",
    "gate",
  ]) {
    it(`no page behind ${host} may`, async () => {
      const { status, json } = await served.ask("/v1/targets", { headers: { host } });
      assert.deepEqual([status, json["code"]], [421, "host-unknown"]);
      served.finish();
    });
  }
});
