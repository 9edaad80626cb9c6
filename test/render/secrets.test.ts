import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../src/lib/canonical.ts";
import { openRedactor } from "../../src/render/redactor.ts";
import { collectSecretValues, isPlainSecret, maskForPolicy } from "../../src/render/secrets.ts";
import { workload } from "./sources.ts";

const ENC = "ENC[AES256_GCM,data:abc=,iv:def=,tag:ghi=,type:str]";
const LAST = "kubectl.kubernetes.io/last-applied-configuration";

function secret(rest: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, ...rest };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

describe("the object that policies see", () => {
  test("has a Secret's keys and not its values", () => {
    const object = secret({
      type: "Opaque",
      data: { password: base64("hunter22") },
      stringData: { token: "t0ken-value" },
    });
    assert.deepEqual(
      maskForPolicy(object),
      secret({ type: "Opaque", data: { password: "***" }, stringData: { token: "***" } }),
    );
    assert.equal((object["data"] as JsonObject)["password"], base64("hunter22"), "the object itself is left alone");
  });

  test("has no values of a malformed Secret and none of the last-applied annotation", () => {
    assert.deepEqual(
      maskForPolicy(secret({ data: ["hunter22"], stringData: null })),
      secret({ data: "***", stringData: null }),
    );
    const annotated = { metadata: { name: "s", annotations: { [LAST]: '{"data":"x"}', other: "kept" } } };
    assert.deepEqual(maskForPolicy(workload("v1", "ConfigMap", annotated))["metadata"], {
      name: "s",
      annotations: { [LAST]: "***", other: "kept" },
    });
  });

  test("keeps what SOPS wrote, so that a rule can tell ciphertext from plain text, and nothing beside it", () => {
    const object = secret({
      data: { a: ENC, b: base64("hunter22"), c: `${ENC}x`, d: "", e: null },
      sops: { mac: ENC },
    });
    assert.deepEqual(
      maskForPolicy(object),
      secret({ data: { a: ENC, b: "***", c: "***", d: "", e: null }, sops: { mac: ENC } }),
    );
  });

  test("is unchanged for every other kind, a Secret of another group included", () => {
    for (const object of [
      workload("v1", "ConfigMap", { data: { a: "b" } }),
      workload("x.io/v1", "Secret", { data: { a: "b" } }),
    ]) {
      assert.deepEqual(maskForPolicy(object), object);
    }
  });
});

describe("an object that calls itself a SecretList", () => {
  const list = secret({ kind: "SecretList", stringData: { token: "t0ken-value" } });

  test("has its values masked and collected as those of a Secret", () => {
    assert.deepEqual(maskForPolicy(list)["stringData"], { token: "***" });
    assert.ok(collectSecretValues([list]).has("t0ken-value"));
  });
});

describe("a plain Secret", () => {
  const PLAIN: readonly (readonly [string, JsonObject])[] = [
    ["with a value", { data: { a: base64("x") } }],
    ["with a value as text", { stringData: { a: "x" } }],
    ["with ciphertext but no sops block", { data: { a: ENC } }],
    ["with one value left in plain", { data: { a: ENC, b: base64("x") }, sops: { mac: ENC } }],
    ["with text after the ciphertext", { data: { a: `${ENC}x` }, sops: { mac: ENC } }],
    ["with data that is no map", { data: "x", sops: { mac: ENC } }],
    ["with a sops block without checksum", { data: { a: ENC }, sops: {} }],
    ["with a checksum in plain", { data: { a: ENC }, sops: { mac: "ENC[hunter22]" } }],
    ["with another cipher's word for it", { data: { a: ENC.replace("AES256_GCM", "X") }, sops: { mac: ENC } }],
    ["with text where ciphertext has base64", { data: { a: ENC.replace("abc=", "hunter 22") }, sops: { mac: ENC } }],
    ["with ciphertext of nothing", { data: { a: ENC.replace("abc=", "") }, sops: { mac: ENC } }],
    ["with ciphertext without its type", { data: { a: ENC.replace(",type:str", "") }, sops: { mac: ENC } }],
    ["without values, which would empty the live one", {}],
    ["under the name of a list", { kind: "SecretList", data: { a: ENC }, sops: { mac: ENC } }],
    ["with the values in its annotation", { metadata: { name: "s", annotations: { [LAST]: "{}" } } }],
  ];
  for (const [what, rest] of PLAIN) test(`is one ${what}`, () => assert.ok(isPlainSecret(secret(rest))));

  test("is not SOPS ciphertext, a SealedSecret, an empty Secret or another kind", () => {
    assert.ok(!isPlainSecret(secret({ data: { a: ENC, empty: "" }, stringData: { b: ENC }, sops: { mac: ENC } })));
    assert.ok(
      !isPlainSecret(workload("bitnami.com/v1alpha1", "SealedSecret", { spec: { encryptedData: { a: "AgB" } } })),
    );
    assert.ok(!isPlainSecret(secret({ type: "kubernetes.io/service-account-token" })));
    assert.ok(!isPlainSecret(secret({ sops: { mac: ENC }, data: null })));
    assert.ok(!isPlainSecret(workload("v1", "ConfigMap", { data: { a: "b" } })));
    assert.ok(!isPlainSecret(workload("x.io/v1", "SecretList", { data: { a: "b" } })));
  });
});

describe("texts that leave", () => {
  const OBJECTS: readonly JsonObject[] = [
    secret({
      data: { password: base64("hunter22\n"), binary: "/////w==" },
      stringData: { "tls.key": "-----BEGIN-----\nMIIabc123def\n-----END-----\n" },
    }),
    workload("v1", "ConfigMap", { data: { url: "https://db.internal/x", debug: "true" } }),
    workload("apps/v1", "Deployment", {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: "web",
                env: [
                  { name: "A", value: 'quote"d\tvalue' },
                  { name: "B", value: "1234" },
                ],
              },
            ],
          },
        },
      },
    }),
    workload("v1", "ConfigMap", {
      metadata: { annotations: { [LAST]: JSON.stringify(secret({ stringData: { old: "former-password" } })) } },
    }),
  ];
  const redactor = openRedactor(collectSecretValues(OBJECTS));

  const HIDDEN = [
    "hunter22",
    base64("hunter22"),
    base64("hunter22\n"),
    "/////w==",
    "MIIabc123def",
    "https://db.internal/x",
    base64("https://db.internal/x"),
    'quote"d\tvalue',
    JSON.stringify('quote"d\tvalue').slice(1, -1),
    "former-password",
  ];
  for (const value of HIDDEN) {
    test(`carry no ${JSON.stringify(value)}`, () => {
      const masked = redactor.mask(`before ${value} after ${value}`);
      assert.ok(!masked.includes(value), masked);
      assert.match(masked, /^before .*\*\*\*.* after .*\*\*\*/);
    });
  }

  test("keep what is no value, and values under five bytes", () => {
    const text = 'Deployment/apps/web: container "web" has 1234 and true in {"name":"web"}';
    assert.equal(redactor.mask(text), text);
    assert.equal(openRedactor(new Set()).mask(text), text);
  });

  test("are masked once where values overlap, whichever begins first", () => {
    const values = new Set(["world", "hello world of ours and everyone else's", "secret", "secretive-thing"]);
    const { mask } = openRedactor(values);
    assert.equal(mask("say hello world of ours and everyone else's!"), "say ***!");
    assert.equal(mask("a secretive-thing, a secret."), "a ***, a ***.");
    assert.equal(mask("secretsecret"), "***");
  });

  test("are masked as far as a long value goes on, also when the text ends early", () => {
    const long = Array.from({ length: 50 }, (_, i) => `part${i}`).join("-");
    const { mask } = openRedactor(new Set([long, `${long.slice(0, 60)}OTHER`]));
    assert.equal(mask(`x${long}y`), "x***y");
    assert.equal(mask(`x${long.slice(0, 100)}`), "x***");
  });

  test("hold none of thousands of values, whatever they are", () => {
    const value = fc
      .string({ minLength: 5, maxLength: 60 })
      .filter((text) => text.trim().length >= 5 && !text.includes("*"));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), fc.string(), (values, filler) => {
        const objects = [
          workload("v1", "ConfigMap", { data: Object.fromEntries(values.map((text, i) => [`k${i}`, text])) }),
        ];
        const masked = openRedactor(collectSecretValues(objects)).mask(
          values.map((text) => `${filler}${text}`).join(" "),
        );
        for (const text of values) assert.ok(!masked.includes(text.trim()), masked);
      }),
      { numRuns: 200 },
    );
  });

  test("made to be slow are masked all the same", () => {
    const hostile = new Set(Array.from({ length: 3_000 }, (_, i) => "a".repeat(5_000 + i)));
    assert.ok(!openRedactor(hostile).mask("a".repeat(200_000)).includes("aaaaa"));
    assert.ok(
      !openRedactor(new Set([`${"a".repeat(100_000)}b`]))
        .mask(`${"a".repeat(200_000)}`)
        .includes("aaaaa"),
    );
  });
});
