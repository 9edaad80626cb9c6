import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { SIGNATURE_CODES } from "../../src/lib/codes/signature.ts";
import { CODES } from "../../src/lib/codes.ts";
import { FORMATS } from "../../src/signature/formats.ts";

test("the list of formats and the folder agree", () => {
  const files = readdirSync(new URL("../../src/signature/formats/", import.meta.url)).sort();
  assert.deepEqual(
    FORMATS.map((format) => `${format.name}.ts`),
    files,
  );
});

test("every code says what it means, shows an example and ends its fix in words or a command", () => {
  for (const [code, entry] of Object.entries(SIGNATURE_CODES)) {
    assert.ok(Object.hasOwn(CODES, code));
    for (const text of [entry.means, entry.example, entry.fix]) assert.ok(text.length > 10, `${code}: ${text}`);
    assert.match(entry.fix, /git |sluice |gpg |ssh-keygen /, code);
  }
});
