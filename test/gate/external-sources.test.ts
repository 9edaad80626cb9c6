/** The sources that gate.yaml declares: who is given them, and for how long. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { ExternalSource } from "../../src/config/external-yaml.ts";
import type { GateConfiguration } from "../../src/config/gate-yaml.ts";
import { openExternalSources } from "../../src/gate/external.ts";

const MINUTE_MS = 60_000;

/** A source that counts, its clock, and what gate.yaml says of it. */
async function counting(t: TestContext) {
  let asked = 0;
  let status = 200;
  const server = createServer((_, response) => response.writeHead(status).end(String(++asked)));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const declare = (more: Partial<ExternalSource> = {}) =>
    ({
      folder: "/",
      gate: { external: { count: { url, targets: ["prod"], deadline: "30s", fresh: "1m", ...more } } },
    }) as unknown as GateConfiguration;
  let now = Date.parse("2026-11-22T10:00:00Z");
  let configuration = declare();
  const sources = openExternalSources(
    () => configuration,
    {},
    () => now,
  );
  return {
    ask: async (target = "prod", name = "count") => {
      const [record] = await sources.ask(target, [name]);
      return record?.failure?.code ?? record?.text;
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    answer: (code: number) => {
      status = code;
    },
    reconfigure: (more: Partial<ExternalSource>) => {
      configuration = declare(more);
    },
  };
}

test("a target is given only what is declared for it", async (t) => {
  const { ask } = await counting(t);
  assert.equal(await ask("staging"), "external-undeclared");
  assert.equal(await ask("prod", "constructor"), "external-undeclared");
  assert.equal(await ask("prod"), "1");
});

test("an answer counts while it is fresh, and no older one stands in for a failure", async (t) => {
  const { ask, pass, answer } = await counting(t);
  assert.deepEqual(await Promise.all([ask(), ask()]), ["1", "1"]);
  pass(MINUTE_MS - 1);
  assert.equal(await ask(), "1");
  pass(1);
  answer(503);
  assert.equal(await ask(), "external-unreachable");
  answer(200);
  assert.equal(await ask(), "3", "a failure is not kept");
  pass(-1);
  assert.equal(await ask(), "4", "nothing of a later time is used");
});

test("what was fetched for another gate.yaml does not count, and a token that is not there is a failure", async (t) => {
  const { ask, reconfigure } = await counting(t);
  assert.equal(await ask(), "1");
  reconfigure({});
  assert.equal(await ask(), "2");
  reconfigure({ fresh: "0ms" });
  assert.deepEqual([await ask(), await ask()], ["3", "4"]);
  reconfigure({ credentials: { env: "NOT_SET" } });
  assert.equal(await ask(), "secret-missing");
  reconfigure({ authority: "nowhere.pem" });
  assert.equal(await ask(), "configuration-missing");
});
