import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { openLog, openLogReader, STORES } from "../../src/log/stores.ts";
import { logStoreContract, type TestStore } from "../contract/log-store.ts";
import { KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../support/log.ts";

const MEMBERS: readonly TestStore[] = [
  { name: "sqlite", place: logPath, openWriter: openTestLog, openReader: openTestReader },
];

for (const member of MEMBERS) logStoreContract(member);

describe("the list of stores", () => {
  it("has one member for each file in its folder, and each keeps the contract", () => {
    const files = readdirSync(new URL("../../src/log/stores/", import.meta.url)).filter((name) => name.endsWith(".ts"));
    const schemes = STORES.map(({ scheme }) => scheme);
    assert.deepEqual(schemes.map((scheme) => `${scheme}.ts`).sort(), files.sort());
    assert.deepEqual(
      MEMBERS.map(({ name }) => name),
      schemes,
    );
  });

  it("refuses a store that it does not know, and says which is not there yet", async () => {
    const options = { origin: ORIGIN, key: KEY.skey, clock: () => 0, random: () => new Uint8Array(0) };
    for (const store of ["mysql:x", "data/log.db", "sqlite:", ""]) {
      await assert.rejects(openLog({ ...options, store }), { code: "log-store-unknown" });
      await assert.rejects(openLogReader({ store }), { code: "log-store-unknown" });
    }
    await assert.rejects(openLog({ ...options, store: "postgres://db" }), { code: "not-supported" });
  });
});
