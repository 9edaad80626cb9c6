/** OPA's own reader takes a bundle that we signed, and no other. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { encodeBundle } from "../../src/policy/bundle.ts";
import { sourcesOf } from "../../src/policy/compile.ts";
import { tempFolder } from "../support/temp.ts";
import { build, denyLabel, ROOT } from "./support.ts";

const TERMS = { name: "platform", version: 7, notAfter: "2027-01-01T00:00:00.000Z" };

test("OPA verifies a signed bundle, and refuses one that was changed or signed by another key", async (t) => {
  const folder = tempFolder(t);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }).toString();
  const makeKey = (name: string) => {
    openssl("genpkey", "-algorithm", "RSA", "-out", name);
    writeFileSync(join(folder, `${name}.pub`), openssl("pkey", "-in", name, "-pubout"));
    return openssl("pkey", "-in", name);
  };
  const [pem] = [makeKey("own"), makeKey("other")];
  // OPA signs JSON as Go would write it, which escapes these otherwise than we do.
  const rule = denyLabel("a");
  const numbers = '"big": 123456789012345678901234567890, "f": 2.50, "e": 1e3';
  const keys = '"\u{1d4b3}": "<&>\u2028\u007f", "\uffff": "\\u0001\\b\\"", "a": [true, null, {}]';
  const policies = [
    { ...rule, text: `${rule.text}\n# <&>\u2028\u2029\u007f\n` },
    { path: "shop/data.json", text: `{${numbers}, ${keys}}` },
  ];
  const set = await build(t, policies);
  const sources = sourcesOf(policies, set.digest) ?? assert.fail();
  const bundle = encodeBundle(set, sources, TERMS, { pem, id: "gate" });
  const read = (bytes: Uint8Array, key: string) => {
    const file = join(folder, "bundle.tar.gz");
    writeFileSync(file, bytes);
    const args = ["run", "./conformance/bundle", file, join(folder, `${key}.pub`), "gate"];
    const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/local/go/bin`, CGO_ENABLED: "0", GOWORK: "off" };
    const { status, stdout, stderr } = spawnSync("go", args, { cwd: join(ROOT, "toolchain"), env, encoding: "utf8" });
    return { status, said: `${stdout}${stderr}` };
  };
  assert.deepEqual(read(bundle, "own"), { status: 0, said: `${set.digest}\n` });
  assert.match(read(bundle, "other").said, /failed to verify JWT signature/);
  const tar = gunzipSync(bundle);
  tar[tar.indexOf("\0asm") + 2000] = (tar[tar.indexOf("\0asm") + 2000] ?? 0) ^ 1;
  assert.match(read(gzipSync(tar), "own").said, /policy\.wasm: digest mismatch/);
  assert.match(read(encodeBundle(set, sources, TERMS, null), "own").said, /signature/);
});
