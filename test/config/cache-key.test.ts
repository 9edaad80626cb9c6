import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { cacheKey } from "../../src/config/cache-key.ts";
import { readSurroundings, type Surroundings } from "../../src/config/environment.ts";
import { tempFolder } from "../support/temp.ts";

const PROCESSES = 6;

function surroundings(t: TestContext, environment: Readonly<Record<string, string>> = {}): Surroundings {
  return readSurroundings({ HOME: tempFolder(t), ...environment });
}

function stored(t: TestContext, content: string, mode: number): Surroundings {
  const found = surroundings(t);
  mkdirSync(dirname(found.cacheKeyFile), { recursive: true });
  writeFileSync(found.cacheKeyFile, content);
  chmodSync(found.cacheKeyFile, mode);
  return found;
}

test("the key is made once, 32 bytes in a private file of a private folder, and is the same the next time", (t) => {
  const found = surroundings(t);
  const key = cacheKey(found);
  assert.equal(key?.byteLength, 32);
  assert.deepEqual(cacheKey(found), key);
  assert.equal(statSync(found.cacheKeyFile).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(found.cacheKeyFile)).mode & 0o777, 0o700);
  assert.notDeepEqual(cacheKey(surroundings(t)), key);
});

test("the key does not lie in the folder of the cache", (t) => {
  const { cacheFolder, cacheKeyFile } = surroundings(t);
  assert.ok(!cacheKeyFile.startsWith(cacheFolder));
});

test("a key that others can read is not used, and is left as it is", (t) => {
  const found = stored(t, `${"0".repeat(64)}\n`, 0o644);
  assert.equal(cacheKey(found), null);
  assert.equal(readFileSync(found.cacheKeyFile, "utf8"), `${"0".repeat(64)}\n`);
  chmodSync(found.cacheKeyFile, 0o600);
  assert.equal(cacheKey(found)?.byteLength, 32);
});

test("a key that is too short, too long, empty or not hexadecimal is not used", (t) => {
  for (const content of ["", "00", "0".repeat(63), "0".repeat(66), "z".repeat(64), "0".repeat(62)]) {
    assert.equal(cacheKey(stored(t, content, 0o600)), null, content);
  }
});

test("no key is made on a CI runner, nor where none can be kept", (t) => {
  const runner = surroundings(t, { CI: "true" });
  assert.deepEqual([cacheKey(runner), existsSync(runner.cacheKeyFile)], [null, false]);
  assert.equal(cacheKey(surroundings(t, { XDG_CONFIG_HOME: "/dev/null" })), null);
});

test("of processes that start at once, one makes the key and all read the same", async (t) => {
  const { environment } = surroundings(t);
  const source = resolve(import.meta.dirname, "../../src/config");
  const program = `
    import { cacheKey } from ${JSON.stringify(join(source, "cache-key.ts"))};
    import { readSurroundings } from ${JSON.stringify(join(source, "environment.ts"))};
    const key = cacheKey(readSurroundings(process.env));
    process.stdout.write(key === null ? "none" : Buffer.from(key).toString("hex"));`;
  const keys = await Promise.all(Array.from({ length: PROCESSES }, () => output(program, environment)));
  assert.match(keys[0] ?? "", /^[0-9a-f]{64}$/);
  assert.equal(new Set(keys).size, 1, keys.join(" "));
  const { cacheKeyFile } = readSurroundings(environment);
  assert.deepEqual(readdirSync(dirname(cacheKeyFile)), [basename(cacheKeyFile)]);
});

function output(program: string, environment: Surroundings["environment"]): Promise<string> {
  const env = { ...environment, PATH: process.env["PATH"] ?? "" };
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((fulfil, reject) => {
    child.once("error", reject);
    child.once("close", () => fulfil(Buffer.concat(chunks).toString("utf8")));
  });
}

test("a cache and its key lie in no folder that is named from where somebody stands", () => {
  const { homedir: home } = userInfo();
  const names = { XDG_CACHE_HOME: ".cache", XDG_CONFIG_HOME: "./config", XDG_STATE_HOME: "" };
  for (const HOME of ["", ".", "home", "./home"]) {
    const { cacheFolder, cacheKeyFile, stateFolder, temporaryFolder } = readSurroundings({ HOME, ...names });
    assert.equal(cacheFolder, join(home, ".cache/sluice"), HOME);
    assert.equal(cacheKeyFile, join(home, ".config/sluice/cache.key"), HOME);
    assert.equal(stateFolder, join(home, ".local/state/sluice"), HOME);
    assert.ok(isAbsolute(temporaryFolder));
  }
  const { cacheFolder } = readSurroundings({ HOME: "/home/ada", XDG_CACHE_HOME: "/var/cache" });
  assert.equal(cacheFolder, "/var/cache/sluice");
});
