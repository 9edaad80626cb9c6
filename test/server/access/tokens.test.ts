import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { sha256Hex } from "../../../src/lib/digest.ts";
import { addToken, findToken, readTokens, tokenText } from "../../../src/server/access/tokens.ts";
import { refusal } from "../../config/refusal.ts";
import { tempFolder } from "../../support/temp.ts";

const TOKEN = tokenText(new Uint8Array(32).fill(7));
const OTHER = tokenText(new Uint8Array(32).fill(8));

function write(t: TestContext, text: string, mode = 0o600): string {
  const file = join(tempFolder(t), "tokens.yaml");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("a token", () => {
  it("is 32 random bytes with a name in front, and nothing shorter", () => {
    assert.match(TOKEN, /^sluice_[A-Za-z0-9_-]{43}$/);
    assert.throws(() => tokenText(new Uint8Array(31)), TypeError);
  });

  it("is found by its SHA-256 alone, whichever line it stands in", () => {
    const tokens = [
      { sha256: sha256Hex(TOKEN), role: "reader", person: "ada" },
      { sha256: sha256Hex(OTHER), role: "operator", person: "sam" },
    ] as const;
    assert.equal(findToken(tokens, TOKEN)?.person, "ada");
    assert.equal(findToken(tokens, OTHER)?.person, "sam");
    for (const presented of [
      "",
      "sluice_",
      `${TOKEN}x`,
      ` ${TOKEN}`,
      TOKEN.slice(0, -1),
      TOKEN.toUpperCase(),
      sha256Hex(TOKEN),
    ])
      assert.equal(findToken(tokens, presented), null, presented);
  });
});

describe("the file of tokens", () => {
  it("is made for its owner only, and holds the digest, never the token", (t) => {
    const file = join(tempFolder(t), "tokens.yaml");
    addToken(file, { role: "auditor", person: "e.kim", until: "2026-12-31", targets: ["prod"] }, TOKEN);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file, "utf8").includes(TOKEN.slice(8)));
    assert.deepEqual(readTokens(file), [
      { sha256: sha256Hex(TOKEN), role: "auditor", person: "e.kim", targets: ["prod"], until: "2026-12-31" },
    ]);
  });

  it("keeps what it held, comments too, when a token is added", (t) => {
    const before = `version: 1\n# made in May\ntokens:\n  - sha256: "${sha256Hex(TOKEN)}"\n    role: reader\n    person: ada\n`;
    const file = write(t, before);
    addToken(file, { role: "caller", person: "ci" }, OTHER);
    assert.ok(readFileSync(file, "utf8").startsWith(before));
    assert.deepEqual(
      readTokens(file).map(({ person }) => person),
      ["ada", "ci"],
    );
  });

  it("is left alone where a line more would not be a token more", (t) => {
    const one = `{sha256: "${sha256Hex(TOKEN)}", role: reader, person: ada}`;
    for (const text of [`version: 1\ntokens: [${one}]\n`, `tokens:\n  - ${one}\nversion: 1\n`]) {
      const file = write(t, text);
      assert.equal(refusal(() => addToken(file, { role: "reader", person: "sam" }, OTHER)).code, "tokens-invalid");
      assert.equal(readFileSync(file, "utf8"), text);
    }
  });

  it("is not written while somebody else writes it", (t) => {
    const file = write(t, "version: 1\ntokens: []\n");
    addToken(join(tempFolder(t), "t.yaml"), { role: "reader", person: "ada" }, TOKEN);
    writeFileSync(file, `version: 1\ntokens:\n  - {sha256: "${sha256Hex(TOKEN)}", role: reader, person: ada}\n`);
    writeFileSync(`${file}.new`, "");
    assert.equal(refusal(() => addToken(file, { role: "reader", person: "sam" }, OTHER)).code, "usage");
    assert.ok(existsSync(`${file}.new`), "which is not ours to remove");
    assert.equal(readTokens(file).length, 1);
  });

  for (const mode of [0o640, 0o604, 0o644]) {
    it(`is refused with mode ${mode.toString(8)}`, (t) => {
      const file = write(t, "version: 1\ntokens: []\n", mode);
      assert.equal(refusal(() => readTokens(file)).code, "secret-readable-by-others");
    });
  }

  const digest = sha256Hex(TOKEN);
  for (const [what, line, code] of [
    ["a role that is none", `{sha256: "${digest}", role: owner, person: ada}`, "tokens-invalid"],
    ["a misspelt end", `{sha256: "${digest}", role: reader, person: ada, untill: 2026-12-31}`, "tokens-invalid"],
    ["the token in place of its digest", `{sha256: "${TOKEN}", role: reader, person: ada}`, "tokens-invalid"],
    ["nobody's name", `{sha256: "${digest}", role: operator, person: ""}`, "tokens-invalid"],
    ["two names in one", `{sha256: "${digest}", role: operator, person: "ada, sam"}`, "tokens-invalid"],
    ["no target at all", `{sha256: "${digest}", role: operator, person: ada, targets: []}`, "tokens-invalid"],
    ["an auditor without an end", `{sha256: "${digest}", role: auditor, person: e.kim}`, "access-endless"],
  ] as const) {
    it(`is refused with ${what}`, (t) => {
      const file = write(t, `version: 1\ntokens:\n  - ${line}\n`);
      assert.equal(refusal(() => readTokens(file)).code, code);
    });
  }

  it("is refused with one token twice", (t) => {
    const file = write(
      t,
      `version: 1\ntokens:\n  - {sha256: "${digest}", role: reader, person: ada}\n  - {sha256: "${digest}", role: admin, person: ada}\n`,
    );
    assert.equal(refusal(() => readTokens(file)).code, "tokens-invalid");
  });
});
