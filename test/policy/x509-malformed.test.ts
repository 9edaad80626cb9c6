/** Certificates and requests of a hostile policy input: each changed byte and each cut is read, or fails as a built-in does. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BuiltinError, LimitError } from "../../src/policy/builtins/call.ts";
import { BUILTINS } from "../../src/policy/builtins/x509.ts";
import { tempFolder } from "../support/temp.ts";

const CONFIGURATION = `[req]
distinguished_name = name
prompt = no
req_extensions = asked
[name]
O = Example
CN = leaf
[asked]
subjectAltName = DNS:a.example.com,IP:10.0.0.1,URI:https://a.example.com/b,email:a@example.com
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
nameConstraints = permitted;DNS:example.com,permitted;IP:10.0.0.0/255.0.0.0
certificatePolicies = 1.2.3.4
authorityInfoAccess = OCSP;URI:http://o.example.com
crlDistributionPoints = URI:http://c.example.com/l
`;
/** Tags and lengths that lead elsewhere: BMPString, SEQUENCE, SET, nothing, all bits. */
const WRITTEN = [0x1e, 0x30, 0x31, 0x00, 0xff];

function* changed(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at++) {
    yield bytes.subarray(0, at);
    for (const written of [...WRITTEN, (bytes[at] ?? 0) ^ 1]) {
      const copy = Buffer.from(bytes);
      copy[at] = written;
      yield copy;
    }
  }
}

function outcome(name: string, bytes: Buffer): "read" | "refused" {
  try {
    BUILTINS[name]?.([bytes.toString("base64")], { nowNs: null, draw: null });
    return "read";
  } catch (thrown) {
    assert.ok(thrown instanceof BuiltinError || thrown instanceof LimitError, `${bytes.toString("hex")}: ${thrown}`);
    return "refused";
  }
}

test("a changed or cut certificate or request is read or refused, and breaks nothing", (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, "c"), CONFIGURATION);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key");
  openssl("req", "-new", "-key", "key", "-config", "c", "-outform", "DER", "-out", "request");
  openssl(
    "req",
    "-x509",
    "-key",
    "key",
    "-config",
    "c",
    "-extensions",
    "asked",
    "-outform",
    "DER",
    "-out",
    "certificate",
  );
  for (const [name, file] of [
    ["crypto.x509.parse_certificates", "certificate"],
    ["crypto.x509.parse_certificate_request", "request"],
  ] as const) {
    const bytes = readFileSync(join(folder, file));
    assert.equal(outcome(name, bytes), "read");
    const found = new Set([...changed(bytes)].map((one) => outcome(name, one)));
    assert.deepEqual(found, new Set(["read", "refused"]));
  }
});
