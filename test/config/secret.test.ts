import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { logKey, readSecret, releaseKey } from "../../src/config/secret.ts";
import { tempFolder } from "../support/temp.ts";
import { refusal } from "./refusal.ts";

const SECRET = "hunter2-hunter2-hunter2";

function keyFile(t: TestContext, mode: number, content: string | Uint8Array = `${SECRET}\n`): string {
  const folder = tempFolder(t);
  writeFileSync(join(folder, "key"), content);
  chmodSync(join(folder, "key"), mode);
  return folder;
}

test("a secret is read from a file that only its owner can read, without its last newline", (t) => {
  for (const mode of [0o600, 0o400, 0o700]) {
    assert.equal(readSecret({ file: "key" }, keyFile(t, mode), {}), SECRET, mode.toString(8));
  }
});

test("a file that anybody else can read, write or run is refused, without its content in the message", (t) => {
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o777]) {
    const folder = keyFile(t, mode);
    const { code, message, fix } = refusal(() => readSecret({ file: "key" }, folder, {}));
    const path = join(folder, "key");
    assert.equal(code, "secret-readable-by-others");
    assert.equal(message, `${path} has mode ${mode.toString(8)}; a secret's file is 0600.`);
    assert.equal(fix, `chmod 600 ${path}`);
  }
});

test("a file that is not there is refused by its path, from the configuration's folder", (t) => {
  const folder = tempFolder(t);
  const { code, message } = refusal(() => readSecret({ file: "keys/log.key" }, folder, {}));
  assert.deepEqual([code, message], ["secret-missing", `${join(folder, "keys/log.key")} does not exist.`]);
});

test("a key that is not there is answered with the command that makes it", (t) => {
  const folder = tempFolder(t);
  const path = join(folder, "a.key");
  const at = (wish: Parameters<typeof readSecret>[3]) =>
    refusal(() => readSecret({ file: "a.key" }, folder, {}, wish)).fix;
  assert.equal(at(releaseKey("gate.example/log")), `sluice keygen release --name gate.example/release --out ${path}`);
  assert.equal(at({ use: "agent", name: "prod-1" }), `sluice keygen agent --name prod-1 --out ${path}`);
  const ofLog = `for a new log: sluice keygen log --name gate.example/log --out ${path}; one that has entries needs the key that it had`;
  assert.equal(at(logKey("gate.example/log")), ofLog);
  assert.equal(at(undefined), `create ${path} with mode 0600`);
});

test("a folder and a file that is too large for a key are refused", (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, "key"), { mode: 0o700 });
  assert.equal(refusal(() => readSecret({ file: "key" }, folder, {})).code, "secret-missing");
  const large = keyFile(t, 0o600, "x".repeat(64 * 1024 + 1));
  assert.equal(refusal(() => readSecret({ file: "key" }, large, {})).code, "secret-missing");
});

test("an empty file is no secret", (t) => {
  assert.equal(refusal(() => readSecret({ file: "key" }, keyFile(t, 0o600, "\n"), {})).code, "secret-missing");
});

test("a secret is read from the variable that is named, and from no other", () => {
  assert.equal(readSecret({ env: "LOG_KEY" }, "/", { LOG_KEY: SECRET }), SECRET);
  for (const environment of [{}, { LOG_KEY: "" }, { LOG_KEY: undefined }, { log_key: SECRET, LOG_KEY_: SECRET }]) {
    const { code, message } = refusal(() => readSecret({ env: "LOG_KEY" }, "/", environment));
    assert.deepEqual([code, message], ["secret-missing", "The environment variable LOG_KEY is not set."]);
  }
});
