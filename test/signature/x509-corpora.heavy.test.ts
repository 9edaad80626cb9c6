/**
 * Real gitsign commits of sigstore/gitsign against the pinned public good root, at three times. Every verdict belongs to
 * a class with a name and a reason; an unexplained one fails the test, and so does a class whose size changes.
 * The second opinion about the mathematics and the chain is `openssl cms -verify`.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type Commit, commitId } from "../../src/git/object.ts";
import { hashObject, parseCommit } from "../../src/git/parse.ts";
import { readArmour } from "../../src/signature/armour.ts";
import { readSignedData, type SignedData } from "../../src/signature/cms-signed-data.ts";
import { signerOf } from "../../src/signature/cms-signer.ts";
import { splitCommit } from "../../src/signature/commit-payload.ts";
import { X509 } from "../../src/signature/formats/x509.ts";
import { fulcioIssuer, fulcioName } from "../../src/signature/fulcio-identity.ts";
import { PUBLIC_GOOD_ROOT } from "../../src/signature/fulcio-public-good.ts";
import type { Verification } from "../../src/signature/verification.ts";
import { openVerifier, type Verifier } from "../../src/signature/verify.ts";
import type { Certificate } from "../../src/signature/x509-certificate.ts";
import { trustOf } from "../support/signing.ts";
import { pem } from "../support/x509-bytes.ts";
import { Openssl } from "../support/x509-tools.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WHOLE = join(ROOT, "../shared/corpora");
const PART = join(ROOT, "test/fixtures/corpora");
const isWhole = existsSync(join(WHOLE, "gitsign"));
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const LOG_ENTRY = "1.3.6.1.4.1.57264.3.1";
const PROMISES = "1.3.6.1.4.1.11129.2.4.2";

interface Signed {
  readonly commit: Commit;
  readonly payload: Uint8Array;
  readonly message: Uint8Array;
  readonly data: SignedData;
  readonly certificate: Certificate;
  readonly identity: { readonly issuer: string; readonly email: string };
}

function readSigned(root: string): readonly Signed[] {
  const lines = gunzipSync(readFileSync(join(root, "gitsign/commits.ndjson.gz")))
    .toString("utf8")
    .trim()
    .split("\n");
  return lines.flatMap((line) => {
    const { id, raw } = JSON.parse(line) as { id: string; raw: string };
    const bytes = new Uint8Array(Buffer.from(raw, "base64"));
    assert.equal(hashObject("sha1", "commit", bytes), id);
    const split = splitCommit(bytes, "sha1");
    if (split.kind !== "signed" || split.format !== "x509") return [];
    const message = readArmour(Buffer.from(split.signature).toString("latin1"), { ...X509, openPgp: false });
    assert.ok(typeof message !== "string", message.toString());
    const data = readSignedData(message, id);
    assert.ok(data.kind === "signed-data", JSON.stringify(data));
    const signer = signerOf(data, split.payload, [], id);
    assert.ok(signer.kind === "signer", JSON.stringify(signer));
    const { certificate } = signer;
    const identity = { issuer: fulcioIssuer(certificate) ?? "", email: fulcioName(certificate)?.text ?? "" };
    const commit = parseCommit(commitId(id), bytes, "sha1");
    return [{ commit, payload: split.payload, message, data, certificate, identity }];
  });
}

function key({ issuer, email }: Signed["identity"]): string {
  return `${issuer} ${email}`;
}

/** One person for each identity, so that a verdict shows which one was matched. */
async function open(all: readonly Signed[]): Promise<{ verifier: Verifier; people: ReadonlyMap<string, string> }> {
  const identities = new Map(all.map((one) => [key(one.identity), one.identity]));
  const people = new Map([...identities.keys()].map((name, index) => [name, `p${index}`]));
  const trust = await trustOf({
    people: Object.fromEntries([...people.values()].map((id) => [id, { email: [`${id}@example.com`], keys: [] }])),
    authorities: {
      sigstore: {
        root: "public-good",
        identities: [...identities].map(([name, identity]) => ({ ...identity, person: people.get(name) })),
      },
    },
  });
  return { verifier: await openVerifier(trust, "sha1"), people };
}

/** The name of the verdict's explanation; null where there is none. */
function classify(found: Verification, { data, certificate }: Signed, at: number): string | null {
  const isLogged = data.signer.unsigned.get(LOG_ENTRY)?.[0]?.tag === 0x04;
  const isPromised = certificate.extensions.others.has(PROMISES);
  if (found.kind === "verified") {
    if (isLogged) return "verified: by the embedded log entry";
    return at <= certificate.notAfter && isPromised ? "verified: seen in time" : null;
  }
  switch (found.reason) {
    case "time-not-proven":
      return !isLogged && at > certificate.notAfter ? "rejected: no proof that it signed in time" : null;
    case "key-not-yet-valid":
      return at < certificate.notBefore ? "rejected: committed before the certificate began" : null;
    case "untrusted-certificate":
      return !isPromised && certificate.notBefore < Date.parse("2022-06-01") ? "rejected: without a promise" : null;
    default:
      return null;
  }
}

const TIMES: readonly { readonly name: string; readonly at: (one: Signed) => number }[] = [
  { name: "seen a minute after the certificate began", at: (one) => one.certificate.notBefore + 60_000 },
  { name: "seen when it says it was committed", at: (one) => one.commit.committer.seconds * 1000 },
  { name: "seen in November 2026", at: () => Date.parse("2026-11-20") },
];

/** One entry a time. gitsign asks for the certificate after git has written the date, often a second too late for it. */
const EXPECTED: readonly Readonly<Record<string, { readonly whole: number; readonly part: number }>>[] = [
  {
    "verified: by the embedded log entry": { whole: 19, part: 19 },
    "verified: seen in time": { whole: 225, part: 14 },
    "rejected: without a promise": { whole: 18, part: 3 },
  },
  {
    "verified: by the embedded log entry": { whole: 19, part: 19 },
    "verified: seen in time": { whole: 24, part: 1 },
    "rejected: committed before the certificate began": { whole: 219, part: 16 },
  },
  {
    "verified: by the embedded log entry": { whole: 19, part: 19 },
    "rejected: no proof that it signed in time": { whole: 243, part: 17 },
  },
];

for (const { name, root, size } of [
  { name: "the part under test/fixtures", root: PART, size: "part" },
  ...(isWhole ? [{ name: "the whole corpus", root: WHOLE, size: "whole" } as const] : []),
] as const) {
  const all = readSigned(root);
  for (const [index, time] of TIMES.entries()) {
    test(`explains every verdict about gitsign commits, ${time.name} (${name})`, async (t) => {
      const { verifier, people } = await open(all);
      const counts: Record<string, number> = {};
      for (const one of all) {
        const at = time.at(one);
        const found = await verifier.verify(one.commit, { instant: at, basis: "receipt" });
        const kind = classify(found, one, at);
        assert.ok(kind !== null, `unexplained: ${JSON.stringify(found)}`);
        assert.equal(found.signer?.person, people.get(key(one.identity)));
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
      t.diagnostic(`${name}: ${JSON.stringify(counts)}`);
      const expected = Object.entries(EXPECTED[index] ?? {}).map(([kind, sizes]) => [kind, sizes[size]]);
      assert.deepEqual(counts, Object.fromEntries(expected));
    });
  }
}

test("openssl agrees about the mathematics and the chain of the part, at the time of each certificate", (t) => {
  const openssl = new Openssl(t);
  const chains = PUBLIC_GOOD_ROOT.certificateAuthorities.map((one) =>
    one.certChain.certificates.map(({ rawBytes }) => Buffer.from(rawBytes, "base64")),
  );
  openssl.write("root.pem", pem("CERTIFICATE", ...chains.flat()));
  const fixed = ["-inform", "DER", "-binary", "-purpose", "any", "-CAfile", "root.pem"];
  for (const one of readSigned(PART)) {
    openssl.write("payload", one.payload);
    openssl.write("message", one.message);
    const at = `${one.certificate.notBefore / 1000 + 60}`;
    const files = ["-in", "message", "-content", "payload", "-out", "/dev/null"];
    assert.ok(openssl.agrees(["cms", "-verify", ...fixed, ...files, "-attime", at]), one.commit.id);
    assert.ok(!openssl.agrees(["cms", "-verify", ...fixed, ...files, "-attime", `${Number(at) + YEAR_MS}`]));
  }
});

test("a log entry of one commit proves nothing about another", async () => {
  const all = readSigned(PART);
  const { verifier } = await open(all);
  const logged = all.filter((one) => one.data.signer.unsigned.get(LOG_ENTRY)?.[0]?.tag === 0x04);
  const entryOf = (one: Signed): Buffer => Buffer.from(one.data.signer.unsigned.get(LOG_ENTRY)?.[0]?.whole ?? []);
  const pairs = logged.flatMap((one) => logged.map((other) => [one, other] as const));
  const [first, second] = pairs.find(([a, b]) => a !== b && entryOf(a).length === entryOf(b).length) ?? [];
  assert.ok(first !== undefined && second !== undefined);
  const [own, other] = [entryOf(first), entryOf(second)];
  const text = Buffer.from(first.commit.raw).toString("latin1");
  const swapped = Buffer.from(first.message)
    .toString("latin1")
    .replace(own.toString("latin1"), other.toString("latin1"));
  assert.ok(swapped.includes(other.toString("latin1")));
  const lines =
    Buffer.from(swapped, "latin1")
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  const armour = `gpgsig ${X509.begin}\n ${lines.join("\n ")}\n ${X509.end}\n`;
  const raw = new Uint8Array(Buffer.from(text.replace(/^gpgsig (?:.*\n )*.*\n/m, armour), "latin1"));
  const id = commitId(hashObject("sha1", "commit", raw));
  const found = await verifier.verify(parseCommit(id, raw, "sha1"), { instant: Date.now(), basis: "receipt" });
  assert.equal(found.kind === "rejected" && found.reason, "bad-log-entry");
});
