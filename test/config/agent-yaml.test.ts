import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readAgentYaml } from "../../src/config/agent-yaml.ts";
import { tempFolder } from "../support/temp.ts";
import { refusal } from "./refusal.ts";

/** The whole example of the documentation. */
const EXAMPLE = `version: 1
target: prod
channel: {directory: /srv/releases/prod}
apply: {files: /srv/www}
name: prod-1
key: {file: /etc/sluice/agent.key}
report: {directory: /srv/reports/prod}
log: {origin: gate.example/log, keys: ["gate.example/log+1a2b3c4d+AZab"]}
releaseKeys: ["gate.example/release+1a2b3c4d+AZab"]
minimumSequence: 1
state: /var/lib/sluice-agent
witnesses: {keys: [], quorum: 0}
`;

function write(t: TestContext, text: string): string {
  const file = join(tempFolder(t), "agent.yaml");
  writeFileSync(file, text);
  return file;
}

function refused(t: TestContext, text: string): readonly [string, string] {
  const file = write(t, text);
  const { code, message } = refusal(() => readAgentYaml(file));
  return [code, message.replaceAll(file, "agent.yaml")];
}

test("the whole example is read, every key of it", (t) => {
  const { agent } = readAgentYaml(write(t, EXAMPLE));
  assert.deepEqual(agent, {
    version: 1,
    target: "prod",
    channel: { directory: "/srv/releases/prod" },
    apply: { files: "/srv/www" },
    name: "prod-1",
    key: { file: "/etc/sluice/agent.key" },
    report: { directory: "/srv/reports/prod" },
    log: { origin: "gate.example/log", keys: ["gate.example/log+1a2b3c4d+AZab"] },
    releaseKeys: ["gate.example/release+1a2b3c4d+AZab"],
    minimumSequence: 1,
    state: "/var/lib/sluice-agent",
    witnesses: { keys: [], quorum: 0 },
  });
});

const NOT_YET: readonly (readonly [string, string, string])[] = [
  ["a channel that is not a directory", "{directory: /srv/releases/prod}", "{oci: registry.example/prod}"],
  ["a channel that is not a directory", "{directory: /srv/releases/prod}", "{branch: releases}"],
  ["a channel that is not a directory", "{directory: /srv/releases/prod}", "{gate: https://gate.example}"],
  ["an applier that is not files", "{files: /srv/www}", "{kubernetes: {}}"],
];

for (const [what, from, to] of NOT_YET) {
  test(`agent.yaml with ${to} is refused as not supported`, (t) => {
    assert.ok(EXAMPLE.includes(from));
    const said = refused(t, EXAMPLE.replace(from, to));
    assert.deepEqual(said, ["not-supported", `agent.yaml asks for ${what}, which is not there yet.`]);
  });
}

const INVALID: readonly (readonly [string, string, string, RegExp])[] = [
  ["a misspelt key", "releaseKeys", "relaseKeys", /^agent\.yaml:9:1 unknown key "relaseKeys"; .*"releaseKeys"\?$/m],
  ["no release key", '["gate.example/release+1a2b3c4d+AZab"]', "[]", /^agent\.yaml:9:1 releaseKeys: /],
  ["no log key", '["gate.example/log+1a2b3c4d+AZab"]', "[]", /log\.keys: /],
  ["a log key that is none", "gate.example/log+1a2b3c4d+AZab", "AZab", /log\.keys\.0: is a verifier key/],
  ["two channels", "{directory: /srv/releases/prod}", "{directory: a, gate: b}", /channel/],
  ["a sequence below zero", "minimumSequence: 1", "minimumSequence: -1", /^agent\.yaml:10:1 minimumSequence: /],
  ["no state folder", "state: /var/lib/sluice-agent", "", /^agent\.yaml:1:1 state: /],
];

for (const [name, from, to, expected] of INVALID) {
  test(`agent.yaml with ${name} is refused with its place`, (t) => {
    assert.ok(EXAMPLE.includes(from));
    const [code, message] = refused(t, EXAMPLE.replace(from, to));
    assert.equal(code, "agent-configuration-invalid");
    assert.match(message, expected);
  });
}

test("reports go to the address of a gate, where nothing between can read the token", (t) => {
  const reports = (to: string) => EXAMPLE.replace("{directory: /srv/reports/prod}", to);
  for (const url of ["http://gate.example", "https://ada@gate.example", "https://gate.example/v1", "gate.example"]) {
    const [code, message] = refused(t, reports(`{gate: "${url}"}`));
    assert.equal(code, "agent-configuration-invalid");
    assert.match(message ?? "", /^agent\.yaml:\d+:\d+ report/);
  }
});

test("an agent has no key by default: neither for the log nor for releases", (t) => {
  for (const line of ["releaseKeys: .*\n", "log: .*\n"]) {
    assert.equal(refused(t, EXAMPLE.replace(new RegExp(line), ""))[0], "agent-configuration-invalid");
  }
});

test("agent.yaml that demands more witnesses than it names is refused, two keys of one name being one", (t) => {
  const [one, again] = ["one.example/w+1a2b3c4d+BAab", "one.example/w+1a2b3c4e+BAac"];
  const asked = EXAMPLE.replace("keys: [], quorum: 0", `keys: ["${one}", "${again}"], quorum: 2`);
  assert.notEqual(asked, EXAMPLE);
  const [code, message] = refused(t, asked);
  assert.equal(code, "agent-configuration-invalid");
  assert.match(message ?? "", /witnesses: asks for more witnesses than it has keys of\.$/);
});
