import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { openGate } from "../../src/gate/wiring.ts";
import { generateNoteKey } from "../../src/log/note.ts";
import { tempFolder } from "../support/temp.ts";
import { refusal } from "./refusal.ts";

/** The example of the documentation, as far as its parts are there. */
const EXAMPLE = `version: 1
repositories:
  shop: {url: "https://git.example/shop.git", credentials: {file: /run/secrets/shop}, poll: 30s}
targets:
  prod: {repository: shop, branch: main, channels: [{directory: /srv/releases/prod}], minimum: {mode: enforce, signatures: every-commit}, agents: ["prod-1+1a2b3c4d+AZab"], reports: /srv/reports/prod}
revoked: ["SHA256:Xk"]
log: {store: "sqlite:./data/log.db", origin: gate.example/log, key: {file: /run/secrets/log.key}, anchor: /mnt/other/checkpoint}
release: {key: {file: /run/secrets/release.key}}
listen: {address: 127.0.0.1, port: 8443, tls: {certificate: tls.crt, key: tls.key}}
admission: {port: 9443, target: prod, tls: {certificate: tls.crt, key: tls.key, clients: ca.pem}, deadline: 5s}
data: {entrypoints: {shop/deny: prod}}
external: {registries: {url: "https://inventory.example/r.json?of=shop", targets: [prod]}}
access:
  tokens: {file: tokens.yaml}
  certificates: {ca: clients.pem, subjects: {"CN=apiserver": caller}}
`;

/** Its other lines, each of a part that is not there yet. */
const PLANNED: Readonly<Record<string, string>> = {
  forges: "forges: {github: {app: 12345, key: {file: /run/secrets/github.pem}, secret: {env: WEBHOOK_SECRET}}}",
};

function write(t: TestContext, text: string): string {
  const file = join(tempFolder(t), "gate.yaml");
  writeFileSync(file, text);
  return file;
}

function refused(t: TestContext, text: string): readonly [string, string] {
  const file = write(t, text);
  const { code, message } = refusal(() => readGateYaml(file));
  return [code, message.replaceAll(file, "gate.yaml")];
}

test("the example is read as far as its parts are there, and paths resolve from its folder", (t) => {
  const file = write(t, EXAMPLE);
  const { gate, folder, file: read } = readGateYaml(file);
  assert.deepEqual([folder, read], [dirname(file), file]);
  assert.deepEqual(gate.targets["prod"], {
    repository: "shop",
    branch: "main",
    channels: [{ directory: "/srv/releases/prod" }],
    minimum: { mode: "enforce", signatures: "every-commit" },
    emergency: { operators: 2 },
    agents: ["prod-1+1a2b3c4d+AZab"],
    reports: "/srv/reports/prod",
  });
  assert.deepEqual(gate.revoked, ["SHA256:Xk"]);
});

for (const [key, line] of Object.entries(PLANNED)) {
  test(`${key} of the example is refused as not supported, not silently ignored`, (t) => {
    assert.deepEqual(refused(t, `${EXAMPLE}${line}\n`), [
      "not-supported",
      `gate.yaml sets ${key}, which are not there yet.`,
    ]);
  });
}

test("a channel that is a branch or a registry is refused as not supported", (t) => {
  for (const channel of ["{branch: releases}", "{oci: registry.example/prod}"]) {
    assert.equal(refused(t, EXAMPLE.replace("{directory: /srv/releases/prod}", channel))[0], "not-supported", channel);
  }
});

const INVALID: readonly (readonly [string, string, string, RegExp])[] = [
  [
    "a misspelt key",
    "repository: shop",
    "repositry: shop",
    /^gate\.yaml:5:10 unknown key "repositry"; .*"repository"/m,
  ],
  ["a misspelt key of a secret", "{file: /run/secrets/log.key}", "{fiel: x}", /unknown key "fiel"; .*"file"\?/],
  ["a secret in place of a reference", "{file: /run/secrets/log.key}", "hunter2", /^gate\.yaml:7:\d+ log\.key: /],
  [
    "a variable in small letters",
    "{file: /run/secrets/log.key}",
    "{env: log_key}",
    /^gate\.yaml:7:\d+ log\.key\.env: /,
  ],
  ["a repository that is not listed", "repository: shop", "repository: shopp", /^Target prod names repository shopp, /],
  ["a minimum that does not exist", "mode: enforce", "mode: strict", /targets\.prod\.minimum\.mode: /],
  ["a sandbox that is none", "version: 1", "version: 1\ntoolchain: {sandbox: none}", /toolchain\.sandbox: /],
  ["an agent's key that is none", "prod-1+1a2b3c4d+AZab", "prod-1", /agents\.0: is a verifier key: name\+hash\+base64/],
  ["an entrypoint of no target", "{shop/deny: prod}", "{shop/deny: other}", /^data answers shop\/deny by other, /],
  ["an entrypoint that is no rule", "{shop/deny: prod}", '{"../deny": prod}', /data\.entrypoints/],
  ["a source of no target", "targets: [prod]}}", "targets: [other]}}", /^external gives registries to other, /],
  ["a source for nobody", "targets: [prod]}}", "targets: []}}", /external\.registries\.targets: /],
  ["a source that no policy could name", "{registries: {url", "{Registries-2: {url", /external/],
  [
    "a source in plain http",
    "https://inventory.example",
    "http://inventory.example",
    /external\.registries\.url: is an https/,
  ],
  ["a source with a password", "https://inventory", "https://ada:hunter2@inventory", /external\.registries\.url: /],
  ["a source that is a file", "https://inventory.example/r.json?of=shop", "file:///etc/passwd", /registries\.url: /],
  ["a source that is fresh for ever", "targets: [prod]}}", "targets: [prod], fresh: 30d}}", /registries\.fresh: /],
  ["no channel", "[{directory: /srv/releases/prod}]", "[]", /targets\.prod\.channels: /],
  ["an origin with a plus sign", "origin: gate.example/log", "origin: gate+log", /log\.origin: has no white space/],
  ["no release key", "release: {key: {file: /run/secrets/release.key}}", "", /^gate\.yaml:1:1 release: /],
];

for (const [name, from, to, expected] of INVALID) {
  test(`gate.yaml with ${name} is refused with its place`, (t) => {
    assert.ok(EXAMPLE.includes(from));
    const [code, message] = refused(t, EXAMPLE.replace(from, to));
    assert.equal(code, "gate-configuration-invalid");
    assert.match(message, expected);
    assert.ok(!message.includes("hunter2"), "a secret that stands in the wrong place is not repeated");
  });
}

test("a gate.yaml that is not there is said by its name", (t) => {
  const file = join(tempFolder(t), "gate.yaml");
  const { code, message } = refusal(() => readGateYaml(file));
  assert.deepEqual([code, message], ["configuration-missing", `${file} cannot be read.`]);
});

test("a gate is not opened with one key for log and releases, and writes nothing", async (t) => {
  const file = write(t, EXAMPLE.replaceAll(/\/run\/secrets\/(?:log|release)\.key/g, "both.key"));
  const { skey } = generateNoteKey("gate.example/log", new Uint8Array(32).fill(7));
  writeFileSync(join(dirname(file), "both.key"), `${skey}\n`, { mode: 0o600 });
  const means = {
    surroundings: readSurroundings({ HOME: dirname(file), CI: "true" }),
    clock: () => 0,
    random: (count: number) => new Uint8Array(count),
    onStep: () => undefined,
  };
  await assert.rejects(
    () => openGate(readGateYaml(file), means),
    (thrown: { code?: string; message?: string }) => {
      assert.equal(thrown.code, "gate-configuration-invalid");
      assert.ok(!thrown.message?.includes(skey));
      return true;
    },
  );
});

test("an emergency takes two operators unless the file says one, whose act is reviewed within a day at most", (t) => {
  const read = (emergency: string) =>
    readGateYaml(write(t, EXAMPLE.replace("branch: main,", `branch: main, emergency: ${emergency},`))).gate.targets[
      "prod"
    ]?.emergency;
  assert.deepEqual(read("{operators: 2}"), { operators: 2 });
  assert.deepEqual(read("{operators: 1}"), { operators: 1, review: "24h" });
  assert.deepEqual(read("{operators: 1, review: 4h}"), { operators: 1, review: "4h" });
  for (const [emergency, message] of [
    ["{operators: 1, review: 25h}", /is a duration such as 4h or 24h, from 10m to 24h/],
    ["{operators: 1, review: 5m}", /is a duration such as 4h or 24h/],
    ["{operators: 1, reviews: 4h}", /unknown key "reviews"; .*"review"\?/],
    ["{operators: 2, review: 4h}", /unknown key "review"/],
    ["{operators: 0}", /operators/],
    ["{operators: '1'}", /operators/],
    ["{review: 4h}", /operators/],
    ["{}", /operators/],
    ["1", /emergency/],
  ] as const) {
    const [code, said] = refused(t, EXAMPLE.replace("branch: main,", `branch: main, emergency: ${emergency},`));
    assert.equal(code, "gate-configuration-invalid", emergency);
    assert.match(said, message, emergency);
  }
});
