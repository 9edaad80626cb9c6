/**
 * A new user with the README and --help: an existing repository of 60 manifests and unsigned history, up to a first
 * enforced denial and a first release. What is typed is taken from the README and from what commands print, and counted.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { document } from "../support/shop.ts";
import { sshKeyPair } from "../support/signing.ts";
import { sluiceCommand } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const README = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");
/** More than this is not "a first day". */
const MOST_COMMANDS = 24;

/** The commands of the README's section, without their comments. */
function fromReadme(title: string): readonly string[] {
  const section = README.split(/^## /m).find((one) => one.startsWith(`${title}\n`)) ?? "";
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  return blocks.flatMap((block) => block.trim().split("\n")).map((line) => line.replace(/\s+#.*$/, ""));
}

function configMap(name: string, replicas = 1): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: apps
data:
  replicas: "${replicas}"
`;
}

function deployment(name: string, privileged = false): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: apps
spec:
  replicas: 2
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: web
          image: registry.example/${name}:1.4
          securityContext:
            privileged: ${privileged}
`;
}

test("from 60 unsigned manifests to a denial and a release, with what the README and the commands say", (t) => {
  const folder = tempFolder(t);
  const at = (name: string): string => join(folder, name);
  for (const name of ["home", "gate", "shop/clusters/prod"]) mkdirSync(at(name), { recursive: true, mode: 0o700 });
  sshKeyPair(folder, "id");
  const env = { HOME: at("home"), TMPDIR: folder, GIT_CONFIG_NOSYSTEM: "1", PATH: process.env["PATH"] ?? "" };
  const typed: string[] = [];

  /** One line, as somebody types it. */
  const type = (line: string, where = "shop", expected = 0): string => {
    typed.push(line);
    const sluice = `sluice() { "${process.execPath}" "${sluiceCommand()}" "$@"; }`;
    const run = spawnSync("bash", ["-c", `${sluice}\n${line}`], { cwd: at(where), env, encoding: "utf8" });
    assert.equal(run.status, expected, `${line}\n${run.stdout}${run.stderr}`);
    return run.stdout + run.stderr;
  };
  const quietly = (line: string, where = "shop"): string => {
    const run = spawnSync("bash", ["-c", line], { cwd: at(where), env, encoding: "utf8" });
    assert.equal(run.status, 0, `${line}\n${run.stderr}`);
    return run.stdout.trim();
  };

  // What is there before: nobody signs anything.
  quietly(
    "git init --quiet --initial-branch=main . && git config user.name Ada && git config user.email ada@example.com",
  );
  for (let batch = 0; batch < 6; batch++) {
    for (let one = 0; one < 10; one++) {
      const name = `app-${batch}-${one}`;
      const text = one % 2 === 0 ? deployment(name, one === 4) : configMap(name);
      writeFileSync(at(`shop/clusters/prod/${name}.yaml`), text);
    }
    quietly(`git add . && git commit --quiet -m "batch ${batch}"`);
  }
  quietly("git clone --quiet --bare shop shop.git", ".");
  quietly("git remote add origin ../shop.git && git fetch --quiet && git branch --quiet -u origin/main");

  // In the repository.
  const [init = "", check = "", ...gateLines] = fromReadme("In your repository");
  assert.equal(init, "sluice init");
  assert.match(type(`${init} --help`), /--key FILE/);
  const found = type(`${init} --key ../id.pub`);
  assert.match(found, /60 plain manifests/);
  assert.match(found, /0 of the newest 6 commits carry a signature/);
  const next = /git add [^\n]*/.exec(found)?.[0] ?? "";
  type("sluice config check");
  assert.match(type("sluice signing setup --help"), /--key/);
  type("sluice signing setup --key ../id.pub --yes");
  type(next);
  type("git commit --quiet -m sluice && git push --quiet origin main");
  type(`git switch --quiet -c look && git commit --quiet --allow-empty -m look`);
  assert.match(type(check), /^would be DENIED \(observe\) \(preview\) {2}prod/m); // and blocks nothing

  // On the gate's machine.
  const repositories = { shop: { url: "../shop.git" } };
  const prod = {
    repository: "shop",
    branch: "main",
    channels: [{ directory: "../channel" }],
    minimum: { mode: "enforce" },
  };
  const log = { store: "sqlite:./data/log.db", origin: "gate.example/log", key: { file: "log.key" } };
  const gate = { version: 1, repositories, targets: { prod }, log, release: { key: { file: "release.key" } } };
  writeFileSync(at("gate/gate.yaml"), document(gate));
  typed.push("(gate.yaml is written)");
  const [keyLog = "", keyRelease = "", adopt = "", gateCheck = "", release = ""] = gateLines;
  type(keyLog, "gate");
  type(keyRelease, "gate");
  assert.match(type(adopt, "gate"), /60 objects, \d+ findings as of today do not count/);

  // A first denial: somebody pushes a change that is not signed.
  const bad = deployment("app-0-0", true);
  writeFileSync(at("shop/clusters/prod/app-0-0.yaml"), bad);
  type(
    "git switch --quiet main && git switch --quiet -c change && git add . && git commit --quiet --no-gpg-sign -m change",
  );
  type("git push --quiet -u origin change");
  const config = "../gate/gate.yaml";
  const judged = gateCheck.replace("gate.yaml", config);
  const denied = type(judged, "shop", 1);
  assert.match(denied, /^DENIED {2}prod/m);
  assert.match(denied, /^unsigned-commit /m);
  assert.match(denied, /^k8s-privileged /m);

  // What it says is typed, and the container is no longer privileged.
  const words = denied.replaceAll(/\s+/g, " ");
  const cure = /`(git rebase -f -S [0-9a-f]+ && git push --force-with-lease)`/.exec(words)?.[1] ?? "";
  writeFileSync(at("shop/clusters/prod/app-0-0.yaml"), configMap("app-0-0", 3));
  type("git add . && git commit --quiet --amend --no-edit");
  type(cure);
  assert.match(type(judged), /^APPROVED {2}prod/m);
  type("git switch --quiet main && git merge --quiet --ff-only change && git push --quiet origin main");
  assert.match(type(release, "gate"), /^released {3}prod #1, 60 objects/m);

  assert.ok(typed.length <= MOST_COMMANDS, `${typed.length} commands:\n${typed.join("\n")}`);
  t.diagnostic(`${typed.length} commands from an unsigned repository of 60 manifests to a denial and a release`);
});
