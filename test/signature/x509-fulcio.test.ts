/** gitsign: identities, certificate logs, the transparency log, timestamps, and the time at which a certificate counted. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import type { Trust } from "../../src/signature/trust.ts";
import type { Rejection, Verification } from "../../src/signature/verification.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { commitOf, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import {
  armoured,
  attribute,
  authority,
  certificate,
  cms,
  context,
  ecKey,
  extension,
  keyUsage,
  NULL,
  names,
  OIDS,
  octetString,
  pem,
  purposes,
  type TestCertificate,
  utf8String,
} from "../support/x509-bytes.ts";
import {
  field,
  type IdentityOptions,
  LOG_HOST,
  logId,
  PROVIDER,
  Sigstore,
  type TrustedRoot,
} from "../support/x509-sigstore.ts";
import { derOf, Openssl } from "../support/x509-tools.ts";

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
const EMAIL = "ada@example.com";
const NAME = { email: EMAIL };
const WORKFLOW = "https://forge.example/shop/web/.ci/release.yml@refs/heads/main";
/** When the certificates of these tests begin; whole seconds, as certificates have them. */
const SIGNED = Math.floor(Date.now() / 1000) * 1000;
const IN_TIME = SIGNED + 2 * MINUTE_MS;
const LATER = SIGNED + 11 * MINUTE_MS;

const sigstore = new Sigstore();
const PEOPLE = {
  people: { ada: { email: [EMAIL], keys: [] }, jo: { email: ["jo@example.com"], keys: [] } },
  robots: { releaser: { email: ["bot@example.com"], may: ["image"] } },
};
const IDENTITIES = [
  { issuer: PROVIDER, email: EMAIL, person: "ada" },
  { issuer: PROVIDER, uri: "https://forge.example/jo", person: "jo" },
  { issuer: PROVIDER, pattern: "https://forge.example/shop/*/.ci/release.yml@refs/heads/main", robot: "releaser" },
];

function read(
  change?: (root: TrustedRoot) => unknown,
  identities: readonly object[] = IDENTITIES,
  file = sigstore.trustedRoot(change),
): Promise<Trust> {
  return trustOf({ ...PEOPLE, authorities: { own: { root: "root.json", identities } } }, { "root.json": file });
}

const verifier = await openVerifier(await read(), "sha1");

type Unsigned = (made: { signature: Buffer; signedBytes: Buffer }, signer: TestCertificate) => readonly Buffer[];

function message(options: Partial<IdentityOptions> = {}, unsigned: Unsigned | null = null): Buffer {
  const signer = sigstore.identity({ name: NAME, from: SIGNED, ...options });
  return cms(PAYLOAD, signer, unsigned === null ? {} : { unsigned: (made) => unsigned(made, signer) });
}

async function judge(bytes: Uint8Array, at: number, trust?: Trust): Promise<Verification> {
  const judging = trust === undefined ? verifier : await openVerifier(trust, "sha1");
  return judging.verify(commitOf(signedRaw(armoured(bytes))), { instant: at, basis: "receipt" });
}

function outcome(found: Verification): string {
  return found.kind === "verified" ? `verified ${found.signer.person}` : found.reason;
}

const logged =
  (options: Parameters<Sigstore["entry"]>[2] = {}): Unsigned =>
  (made, signer) => [sigstore.entry(made, signer, { integratedTime: SIGNED / 1000 + 5, ...options })];
const stamped =
  (options: Partial<Parameters<Sigstore["timestamp"]>[1]> = {}): Unsigned =>
  ({ signature }) => [sigstore.timestamp(signature, { at: SIGNED + 5000, ...options })];

describe("the time", () => {
  for (const [name, unsigned, at, expected] of [
    ["seen within ten minutes, without any proof", null, IN_TIME, "verified ada"],
    ["seen in the last second", null, SIGNED + 10 * MINUTE_MS, "verified ada"],
    ["seen later, without any proof", null, LATER, "time-not-proven"],
    ["seen before the certificate began", null, SIGNED - 1, "key-not-yet-valid"],
    ["logged in time, seen a year later", logged(), SIGNED + YEAR_MS, "verified ada"],
    ["logged in time, without a proof of inclusion", logged({ proof: null }), LATER, "verified ada"],
    ["logged as the only entry", logged({ tree: { before: 0, after: 0 } }), LATER, "verified ada"],
    ["logged as the last of many", logged({ tree: { before: 12, after: 0 } }), LATER, "verified ada"],
    ["logged as the first of many", logged({ tree: { before: 0, after: 20 } }), LATER, "verified ada"],
    ["logged too late", logged({ integratedTime: LATER / 1000 }), LATER, "key-expired"],
    ["logged before the certificate began", logged({ integratedTime: SIGNED / 1000 - 60 }), LATER, "key-not-yet-valid"],
    ["logged after it was seen", logged({ integratedTime: SIGNED / 1000 + 500 }), SIGNED + 1000, "time-not-proven"],
    ["stamped in time, seen a year later", stamped(), SIGNED + YEAR_MS, "verified ada"],
    ["stamped too late", stamped({ at: LATER }), LATER, "key-expired"],
    [
      "stamped and logged",
      (made, signer) => [...logged()(made, signer), ...stamped()(made, signer)],
      LATER,
      "verified ada",
    ],
    [
      "logged in time and stamped later",
      (made, signer) => [...logged()(made, signer), ...stamped({ at: LATER })(made, signer)],
      LATER,
      "verified ada",
    ],
  ] as readonly (readonly [string, Unsigned | null, number, string])[]) {
    test(`${name}: ${expected}`, async () => {
      const found = await judge(message({}, unsigned), at);
      assert.equal(outcome(found), expected, JSON.stringify(found));
    });
  }

  test("the signer's own time proves nothing", async () => {
    const signer = sigstore.identity({ name: NAME, from: SIGNED });
    assert.equal(outcome(await judge(cms(PAYLOAD, signer), LATER)), "time-not-proven");
  });

  test("a timestamp by openssl ts counts", async (t) => {
    const openssl = new Openssl(t);
    const root = openssl.authority("Stamps");
    const usage = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n";
    const stamper = openssl.issue("Stamper", usage, root);
    const rawBytes = derOf(readFileSync(root.certificate, "utf8")).toString("base64");
    const trust = await read((whole) => ({
      ...whole,
      timestampAuthorities: [{ ...whole.timestampAuthorities[0], certChain: { certificates: [{ rawBytes }] } }],
    }));
    const bytes = message({}, ({ signature }) => [
      attribute(OIDS.timestamp, openssl.timestamp(stamper, root.certificate, signature)),
    ]);
    assert.equal(outcome(await judge(bytes, LATER, trust)), "verified ada");
    const other = message({}, () => [
      attribute(OIDS.timestamp, openssl.timestamp(stamper, root.certificate, Buffer.from("evil"))),
    ]);
    assert.equal(outcome(await judge(other, IN_TIME, trust)), "bad-timestamp");
  });
});

const elsewhere = { signature: Buffer.from("other"), signedBytes: Buffer.from("other") };
const foreign = ecKey();

describe("attacks on the log entry", () => {
  const attacks: readonly (readonly [string, Unsigned, Rejection])[] = [
    [
      "the entry of another signature (GO-2024-3252)",
      (_, signer) => [sigstore.entry(elsewhere, signer, { integratedTime: SIGNED / 1000 })],
      "bad-log-entry",
    ],
    ["the entry of another certificate", (made) => logged()(made, sigstore.identity({ name: NAME })), "bad-log-entry"],
    ["a promise about another body", logged({ promise: (one) => ({ ...one, body: "e30=" }) }), "bad-log-entry"],
    [
      "a promise of another time",
      logged({ promise: (one) => ({ ...one, integratedTime: SIGNED / 1000 + 6 }) }),
      "bad-log-entry",
    ],
    ["a promise of another place", logged({ promise: (one) => ({ ...one, logIndex: 1 }) }), "bad-log-entry"],
    ["no promise", logged({ withoutPromise: true }), "bad-log-entry"],
    ["the body of another entry beside a good promise", logged({ statedBody: Buffer.from("{}") }), "bad-log-entry"],
    ["a log that nobody listed", logged({ key: foreign }), "bad-log-entry"],
    ["a listed log's name over another key", logged({ key: foreign, logId: logId(sigstore.log) }), "bad-log-entry"],
    ["a proof of another leaf", logged({ proof: (one) => ({ ...one, index: 3 }) }), "bad-log-entry"],
    [
      "a proof with one hash more",
      logged({ proof: (one) => ({ ...one, hashes: [...one.hashes, one.root] }) }),
      "bad-log-entry",
    ],
    [
      "a proof with one hash less",
      logged({ proof: (one) => ({ ...one, hashes: one.hashes.slice(1) }) }),
      "bad-log-entry",
    ],
    ["a proof without hashes", logged({ proof: (one) => ({ ...one, hashes: [] }) }), "bad-log-entry"],
    ["a proof of a place outside the tree", logged({ proof: (one) => ({ ...one, index: one.size }) }), "bad-log-entry"],
    [
      "a proof to a root that it does not lead to",
      logged({ proof: (one) => ({ ...one, root: Buffer.alloc(32) }) }),
      "bad-log-entry",
    ],
    [
      "65 hashes",
      logged({ proof: (one) => ({ ...one, hashes: Array.from({ length: 65 }, () => one.root) }) }),
      "bad-log-entry",
    ],
    ["a checkpoint of another log", logged({ checkpoint: (one) => ({ ...one, key: foreign }) }), "bad-log-entry"],
    [
      "a checkpoint under another name",
      logged({ checkpoint: (one) => ({ ...one, name: "log.evil.example" }) }),
      "bad-log-entry",
    ],
    [
      "a checkpoint of another origin",
      logged({ checkpoint: (one) => ({ ...one, origin: `evil.${LOG_HOST}` }) }),
      "bad-log-entry",
    ],
    ["a checkpoint of another size", logged({ checkpoint: (one) => ({ ...one, size: 7 }) }), "bad-log-entry"],
    [
      "a checkpoint of another root",
      logged({ checkpoint: (one) => ({ ...one, root: Buffer.alloc(32) }) }),
      "bad-log-entry",
    ],
    [
      "an entry of a time before its log",
      logged({ integratedTime: SIGNED / 1000 - 2 * 365 * 86_400 }),
      "bad-log-entry",
    ],
    ["an entry of another kind", logged({ kind: "dsse" }), "not-supported"],
    ["an entry of another version", logged({ version: "0.0.2" }), "not-supported"],
    ["a field that nobody knows", logged({ after: field(9, "x") }), "bad-log-entry"],
    ["a field twice", logged({ after: field(3, "") }), "bad-log-entry"],
    ["a field cut off", logged({ after: Buffer.of(0x3a, 0x7f) }), "bad-log-entry"],
    ["a number that never ends", logged({ after: Buffer.alloc(16, 0xff) }), "bad-log-entry"],
    ["no bytes", () => [attribute(OIDS.logEntry, octetString(Buffer.alloc(0)))], "not-supported"],
    [
      "two entries",
      (made, signer) => {
        const one = octetString(sigstore.entryBytes(made, signer, {}));
        return [attribute(OIDS.logEntry, one, one)];
      },
      "bad-log-entry",
    ],
  ];
  for (const [name, unsigned, reason] of attacks) {
    test(`rejects ${name}`, async () => {
      const found = await judge(message({}, unsigned), IN_TIME);
      assert.equal(found.kind === "rejected" ? found.reason : found.kind, reason, JSON.stringify(found));
    });
  }

  test("an entry in the text form of gitsign 0.4 proves nothing, and harms nothing", async () => {
    const old: Unsigned = () => [attribute(OIDS.logEntry, utf8String("c0d23d6a"))];
    assert.equal(outcome(await judge(message({}, old), IN_TIME)), "verified ada");
    assert.equal(outcome(await judge(message({}, old), LATER)), "time-not-proven");
  });
});

describe("attacks on the timestamp", () => {
  const both = purposes(OIDS.timeStamping, OIDS.codeSigning);
  const attacks: readonly (readonly [string, Unsigned])[] = [
    ["over another signature", () => stamped()({ ...elsewhere }, sigstore.stamper)],
    ["by somebody who is not listed", stamped({ signer: new Sigstore().stamper })],
    [
      "by a key that may do other things too",
      stamped({ signer: sigstore.stampSigner({ extensions: [keyUsage(0), both] }) }),
    ],
    [
      "by a key that may not stamp",
      stamped({ signer: sigstore.stampSigner({ extensions: [keyUsage(0), purposes(OIDS.codeSigning)] }) }),
    ],
    ["by the signer of the commit", (made, signer) => stamped({ signer })(made, signer)],
    [
      "by a certificate that was over",
      stamped({ signer: sigstore.stampSigner({ from: SIGNED - YEAR_MS, until: SIGNED - 1000 }) }),
    ],
    ["over SHA-1", stamped({ hash: OIDS.sha1 })],
    ["of another version", stamped({ version: 2 })],
    ["with extensions", stamped({ extensions: context(1, extension("1.2.3.4", NULL, true)) })],
    ["that shows another time than it signed", stamped({ at: LATER, shown: SIGNED })],
    ["without its content", ({ signature }) => [attribute(OIDS.timestamp, cms(signature, sigstore.stamper))]],
    ["of a time before its authority", stamped({ at: SIGNED - 2 * YEAR_MS })],
    ["that is no message", () => [attribute(OIDS.timestamp, octetString(Buffer.of(1)))]],
    [
      "twice",
      ({ signature }) => {
        const token = sigstore.timestamp(signature, { at: SIGNED });
        const value = token.subarray(token.indexOf(0x31) + 4);
        return [attribute(OIDS.timestamp, value, value)];
      },
    ],
  ];
  for (const [name, unsigned] of attacks) {
    test(`rejects a timestamp ${name}`, async () => {
      const found = await judge(message({}, unsigned), IN_TIME);
      assert.equal(found.kind === "rejected" ? found.reason : found.kind, "bad-timestamp", JSON.stringify(found));
    });
  }
});

describe("identities", () => {
  const agree = extension(OIDS.oldFulcioIssuer, Buffer.from(PROVIDER));
  for (const [name, options, expected] of [
    ["issuer and address", {}, "verified ada"],
    ["issuer in the old form alone", { provider: null, extensions: [agree] }, "verified ada"],
    ["issuer in both forms", { extensions: [agree] }, "verified ada"],
    [
      "issuer in two forms that differ",
      { extensions: [extension(OIDS.oldFulcioIssuer, Buffer.from("https://evil.example"))] },
      "unknown-signer",
    ],
    ["no issuer", { provider: null }, "unknown-signer"],
    ["the address from another issuer", { provider: "https://evil.example" }, "unknown-signer"],
    ["an issuer with more after it", { provider: `${PROVIDER}.evil.example` }, "unknown-signer"],
    ["an issuer in capitals", { provider: PROVIDER.toUpperCase() }, "unknown-signer"],
    ["an issuer with a NUL after it", { provider: `${PROVIDER}\0` }, "unknown-signer"],
    ["an address with more after it", { name: { email: `${EMAIL}.evil.example` } }, "unknown-signer"],
    ["an address with a NUL in it", { name: { email: `${EMAIL}\0x` } }, "malformed-signature"],
    ["a URI that is listed", { name: { uri: "https://forge.example/jo" } }, "verified jo"],
    ["a URI that begins alike", { name: { uri: "https://forge.example/jo/x" } }, "unknown-signer"],
    ["the text of a URI as an address", { name: { email: "https://forge.example/jo" } }, "unknown-signer"],
    ["a workflow that fits the pattern", { name: { uri: WORKFLOW } }, "verified releaser"],
    ["a workflow with more after it", { name: { uri: `${WORKFLOW}-evil` } }, "unknown-signer"],
    ["a workflow with more before it", { name: { uri: `https://evil.example/?${WORKFLOW}` } }, "unknown-signer"],
    ["a workflow deeper than the pattern", { name: { uri: WORKFLOW.replace("web", "a/b") } }, "unknown-signer"],
    ["a workflow with nothing at the star", { name: { uri: WORKFLOW.replace("web", "") } }, "unknown-signer"],
    [
      "a workflow where the pattern's dot is another character",
      { name: { uri: WORKFLOW.replace(".yml", "xyml") } },
      "unknown-signer",
    ],
  ] as readonly (readonly [string, Partial<IdentityOptions>, string])[]) {
    test(`${name}: ${expected}`, async () => {
      const found = await judge(message(options), IN_TIME);
      assert.equal(outcome(found), expected, JSON.stringify(found));
    });
  }

  for (const [pattern, uri, fits] of [
    ["https://a.example/*", "https://a.example/x", true],
    ["https://a.example/*", "https://a.example/", false],
    ["https://a.example/x*x", "https://a.example/xx", false],
    ["https://a.example/x*x", "https://a.example/xxx", true],
    ["https://a.example/*-*-z", "https://a.example/a-b-c-z", true],
    ["https://a.example/*-*-z", "https://a.example/a--z", false],
    ["https://a.example/**", "https://a.example/x", false],
    ["https://a.example/?.+(", "https://a.example/?.+(", true],
    ["https://a.example/?", "https://a.example/x", false],
    [`https://a.example/${"*a".repeat(100)}`, `https://a.example/${"a".repeat(900)}b`, false],
  ] as const) {
    test(`${pattern.slice(0, 40)} and ${uri.slice(0, 40)}: ${fits ? "fits" : "does not fit"}`, async () => {
      const trust = await read(undefined, [{ issuer: PROVIDER, pattern, robot: "releaser" }]);
      const found = await judge(message({ name: { uri } }), IN_TIME, trust);
      assert.equal(outcome(found), fits ? "verified releaser" : "unknown-signer");
    });
  }

  test("a certificate that two listed people could mean is nobody's", async () => {
    const trust = await read(undefined, [...IDENTITIES, { issuer: PROVIDER, uri: WORKFLOW, person: "jo" }]);
    const found = await judge(message({ name: { uri: WORKFLOW } }), IN_TIME, trust);
    assert.equal(outcome(found), "unknown-signer");
  });

  test("a certificate of two names is nobody's", async () => {
    const two = names(NAME, { uri: "https://forge.example/jo" });
    const extensions = [
      keyUsage(0),
      purposes(OIDS.codeSigning),
      two,
      extension(OIDS.fulcioIssuer, utf8String(PROVIDER)),
    ];
    const signer = certificate({ issuer: sigstore.intermediate, extensions });
    assert.equal(outcome(await judge(cms(PAYLOAD, signer), IN_TIME)), "unknown-signer");
  });
});

describe("certificates of Fulcio", () => {
  const other = new Sigstore();
  for (const [name, options, expected] of [
    ["without a certificate log's promise", { promise: null }, "untrusted-certificate"],
    ["with the promise of a log that is not listed", { promise: { key: foreign } }, "untrusted-certificate"],
    ["with a promise about another certificate", { promise: { of: () => sigstore.root.tbs } }, "untrusted-certificate"],
    ["with a promise of a time before its log", { promise: { at: SIGNED - 2 * YEAR_MS } }, "untrusted-certificate"],
    ["of another Fulcio", { issuer: other.intermediate }, "unknown-signer"],
    ["of the root itself", { issuer: sigstore.root }, "verified ada"],
    [
      "of an authority that Fulcio did not issue, under its name",
      { issuer: { ...sigstore.intermediate, key: foreign } },
      "unknown-signer",
    ],
  ] as readonly (readonly [string, Partial<IdentityOptions>, string])[]) {
    test(`${name}: ${expected}`, async () => {
      const found = await judge(message(options), IN_TIME);
      assert.equal(outcome(found), expected, JSON.stringify(found));
    });
  }

  test("count only while their authority was in use, by its trust root", async () => {
    const ended = await read((root) => {
      for (const one of root.certificateAuthorities) one.validFor.end = new Date(SIGNED - 1000).toISOString();
      return root;
    });
    assert.equal(outcome(await judge(message(), IN_TIME, ended)), "untrusted-certificate");
  });

  test("carry a company's authority nowhere: its purposes are others", async () => {
    const authorities = { company: { certificate: "ca.pem", email: ["*@example.com"] } };
    const trust = await trustOf({ ...PEOPLE, authorities }, { "ca.pem": pem("CERTIFICATE", sigstore.root.der) });
    const found = await judge(message({ issuer: authority("x", { issuer: sigstore.root }) }), IN_TIME, trust);
    assert.equal(outcome(found), "unknown-signer");
  });
});

describe("the trust folder", () => {
  const [first = {}] = IDENTITIES;
  const identity = (change: object): readonly object[] => [{ ...first, ...change }];
  const root = (change: (whole: TrustedRoot) => unknown): string => sigstore.trustedRoot(change);
  const refusals: readonly [string, readonly object[], string | undefined, Code, RegExp][] = [
    ["an issuer with a wildcard", identity({ issuer: "https://*" }), undefined, "trust-invalid", /without `\*`/],
    ["an address with a wildcard", identity({ email: "*" }), undefined, "trust-invalid", /one e-mail address/],
    [
      "a pattern for every host",
      identity({ email: undefined, pattern: "https://*/x" }),
      undefined,
      "trust-invalid",
      /whole host name/,
    ],
    [
      "a pattern for everything",
      identity({ email: undefined, pattern: "*" }),
      undefined,
      "trust-invalid",
      /whole host name/,
    ],
    ["an identity without an issuer", identity({ issuer: undefined }), undefined, "trust-invalid", /issuer/],
    [
      "an identity without a name",
      identity({ email: undefined }),
      undefined,
      "trust-invalid",
      /one of email, uri and pattern/,
    ],
    [
      "an identity of two names",
      identity({ uri: "https://x.example" }),
      undefined,
      "trust-invalid",
      /one of email, uri/,
    ],
    ["an identity of nobody", identity({ person: undefined }), undefined, "trust-invalid", /either person or robot/],
    [
      "an identity of somebody who is not listed",
      identity({ person: "eve" }),
      undefined,
      "trust-authority-invalid",
      /eve is not listed under people/,
    ],
    [
      "a person under robots",
      identity({ person: undefined, robot: "ada" }),
      undefined,
      "trust-authority-invalid",
      /ada is not listed under robots/,
    ],
    [
      "one identity for two people",
      [...IDENTITIES, { ...first, person: "jo" }],
      undefined,
      "trust-authority-invalid",
      /already listed for ada/,
    ],
    ["a root that is no JSON", IDENTITIES, "{", "trust-authority-invalid", /no JSON/],
    ["a root with a repeated key", IDENTITIES, '{"mediaType":1,"mediaType":2}', "trust-authority-invalid", /no JSON/],
    [
      "a root of another form",
      IDENTITIES,
      root((one) => ({ ...one, mediaType: "text/plain" })),
      "trust-authority-invalid",
      /mediaType/,
    ],
    [
      "a root without authorities",
      IDENTITIES,
      root((one) => ({ ...one, certificateAuthorities: [] })),
      "trust-authority-invalid",
      /certificateAuthorities/,
    ],
    [
      "a root with a damaged certificate",
      IDENTITIES,
      root((one) => JSON.parse(JSON.stringify(one).replaceAll('"MII', '"MIJ'))),
      "trust-authority-invalid",
      /cannot be used/,
    ],
    [
      "a root with a log's key that is none",
      IDENTITIES,
      root((one) => JSON.parse(JSON.stringify(one).replaceAll('"MFkw', '"MFkx'))),
      "trust-authority-invalid",
      /key of a log/,
    ],
    [
      "a root with a time that is none",
      IDENTITIES,
      root((one) => JSON.parse(JSON.stringify(one).replaceAll('Z"', '+01:00"'))),
      "trust-authority-invalid",
      /no time in UTC/,
    ],
  ];
  for (const [name, identities, file, code, text] of refusals) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(read(undefined, identities, file), (thrown) => {
        assert.ok(thrown instanceof SluiceError, String(thrown));
        assert.equal(thrown.code, code, thrown.message);
        assert.match(thrown.message, text);
        assert.ok((thrown.position?.line ?? 0) > 1, "with its place");
        return true;
      });
    });
  }

  test("the pinned public good root can be named, and counts in the trust digest", async () => {
    const pinned = await trustOf({
      ...PEOPLE,
      authorities: { sigstore: { root: "public-good", identities: IDENTITIES } },
    });
    const [own] = pinned.x509Authorities ?? [];
    assert.deepEqual(
      [own?.issuers.length, own?.logs.length, own?.certificateLogs.length, own?.timestampers.length],
      [2, 2, 2, 1],
    );
    assert.equal(outcome(await judge(message(), IN_TIME, pinned)), "unknown-signer", "it is another Sigstore");
  });
});
