import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { adopt } from "../../src/cli/adopt.ts";
import { check } from "../../src/cli/check.ts";
import type { Command } from "../../src/cli/command.ts";
import { suggestSchema } from "../../src/cli/reports/schemas/suggest.ts";
import { suggest } from "../../src/cli/suggest.ts";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { adoptionSchema } from "../../src/gate/json/schemas/acts.ts";
import { runHere } from "../support/in-process.ts";
import { configMap, deployment } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";

/** Two privileged containers in two files, one bad label in one. */
const base = await makeWorld(
  { after },
  {
    adopt: false,
    files: {
      "clusters/prod/web.yaml": deployment("web", { privileged: true, labels: { bad: "yes" } }),
      "clusters/prod/api.yaml": deployment("api", { privileged: true }),
    },
  },
);

function run(world: World, command: Command, ...args: readonly string[]) {
  return runHere(command, args, world.repo.path, Date.now, world.path("home"));
}

const ADOPT = ["prod", "--config", "../gate.yaml", "--reason", "what runs", "--as", "ops"];

function writeLive(world: World, files: Readonly<Record<string, string>>): string {
  mkdirSync(world.path("live"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(world.path("live"), name), text);
  return "../live";
}

test("adopt --compare-with says what is equal, different, unmanaged and missing beside the live manifests", async (t) => {
  const world = base.copy(t);
  const api = deployment("api", { privileged: true, replicas: 9 });
  const live = writeLive(world, {
    "a.yaml": `${api}---\n${configMap("stray")}`,
    "list.yaml": `apiVersion: v1\nkind: List\nitems:\n- ${JSON.stringify(JSON.parse(configMap("colours")))}\n`,
    "notes.txt": "not a manifest",
  });
  const words = await run(world.copy(t), adopt, ...ADOPT, "--compare-with", live);
  assert.equal(words.code, 0, words.stderr);
  assert.match(words.stdout, /^live {8}\.\.\/live: 1 equal, 1 different, 1 unmanaged, 1 missing$/m);
  assert.match(words.stdout, /^different {3}Deployment\/apps\/api {2}\/spec\/replicas$/m);
  const { code, stdout } = await run(world, adopt, ...ADOPT, "--compare-with", live, "--format", "json");
  const { comparison } = adoptionSchema.parse(JSON.parse(stdout));
  assert.deepEqual(
    [code, comparison],
    [
      0,
      {
        folder: "../live",
        equal: 1,
        different: [{ resource: "Deployment/apps/api", at: ["/spec/replicas"] }],
        unmanaged: ["ConfigMap/apps/stray"],
        missing: ["Deployment/apps/web"],
        pins: [],
      },
    ],
  );
});

test("live manifests that cannot be read are told by file and line, and nothing is adopted", async (t) => {
  const world = base.copy(t);
  const live = writeLive(world, { "a.yaml": configMap("colours"), "b.yaml": "apiVersion: v1\nkind: [\n" });
  const { code, stderr, stdout } = await run(world, adopt, ...ADOPT, "--compare-with", live);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^yaml-malformed {2}\.\.\/live\/b\.yaml:\d+:\d+ /);
  mkdirSync(world.path("empty"));
  const none = await run(world, adopt, ...ADOPT, "--compare-with", "../empty");
  assert.deepEqual([none.code, none.stderr.split("  ")[0]], [2, "usage"]);
  const missing = await run(world, adopt, ...ADOPT, "--compare-with", "../nowhere");
  assert.deepEqual([missing.code > 0, missing.stdout], [true, ""]);
  const plain = await run(world, adopt, ...ADOPT, "--format", "json");
  assert.deepEqual([plain.code, adoptionSchema.parse(JSON.parse(plain.stdout)).comparison], [0, null]);
});

test("suggest names the rule in the fewest files first, with its fix and places, and only what is left of the baseline", async (t) => {
  const world = base.copy(t);
  const before = await run(world, suggest, "--format", "json");
  assert.equal(suggestSchema.parse(JSON.parse(before.stdout)).of, "state");
  assert.equal((await run(world, adopt, ...ADOPT)).code, 0);
  const asked = await run(world, suggest, "--config", "../gate.yaml", "--format", "json");
  const report = suggestSchema.parse(JSON.parse(asked.stdout));
  assert.deepEqual([asked.code, report.of, report.findings, report.files, report.rules], [0, "baseline", 3, 2, 2]);
  assert.deepEqual(
    report.suggestions.map(({ rule, findings, files, fix }) => [rule, findings, files, fix]),
    [
      ["bad-label", 1, 1, "Do something else."],
      ["no-privileged", 2, 2, "Do something else."],
    ],
  );
  assert.deepEqual(
    report.suggestions[1]?.places.map(({ file, resource }) => [file, resource]),
    [
      ["clusters/prod/api.yaml", "Deployment/apps/api"],
      ["clusters/prod/web.yaml", "Deployment/apps/web"],
    ],
  );
  world.push({
    files: {
      "clusters/prod/web.yaml": deployment("web", { privileged: true }),
      "clusters/prod/new.yaml": deployment("new", { privileged: true }),
    },
  });
  const words = await run(world, suggest, "--config", "../gate.yaml");
  assert.ok(
    words.stdout.split("\n").every((line) => line.length <= 80),
    words.stdout,
  );
  assert.match(
    words.stdout,
    /^prod {2}[0-9a-f]{7}: 2 findings of 1 rule in 2 files of the baseline are left\n {3}1 {3}no-privileged: 2 findings in 2 files\n {7}clusters\/prod\/api\.yaml:\d+ {2}Deployment\/apps\/api\n/,
  );
  assert.equal(words.stdout.includes("apps/new"), false);
  const wrong = await run(world, suggest, "--target", "staging");
  assert.deepEqual([wrong.code, wrong.stderr.split("  ")[0]], [2, "target-unknown"]);
});

test("adopt prints a copy of what it found, with which previews let just that pass", async (t) => {
  const world = base.copy(t);
  const preview = async (head: string) => {
    const { stdout } = await run(world, check, "--head", head, "--format", "json");
    const [target] = (JSON.parse(stdout) as CheckReport).targets;
    const old = target?.findings.map(({ baseline }) => baseline);
    return { old, denied: target?.reasons.some(({ code }) => code === "policy-denied") };
  };
  const { stdout } = await run(world, adopt, ...ADOPT);
  const copy = /^version: 1\n[\s\S]*?(?=^next)/m.exec(stdout)?.[0] ?? "";
  assert.match(copy, /^ {4}- [0-9a-f]{64} # no-privileged Deployment\/apps\/api$/m);
  const more = { "clusters/prod/more.yaml": configMap("more") };
  const unknown = await preview(world.propose({ files: more }));
  assert.deepEqual([unknown.old, unknown.denied], [[false, false, false], true]);
  world.push({ files: { "baseline.yaml": copy } });
  world.fetch();
  const known = await preview(world.propose({ files: more }));
  assert.deepEqual([known.old, known.denied], [[true, true, true], false]);
  const newOne = deployment("new", { privileged: true });
  const worse = await preview(world.propose({ files: { "clusters/prod/new.yaml": newOne } }));
  assert.deepEqual([worse.old?.toSorted(), worse.denied], [[false, true, true, true], true]);
  const own = await preview(world.propose({ files: { ...more, "baseline.yaml": null } }));
  assert.deepEqual([own.old, own.denied], [[true, true, true], false], "it is read at the judge");
  world.push({ files: { "baseline.yaml": "version: 1\ntargets: {prod: [abc]}\n" } });
  world.fetch();
  const wrong = await run(world, check, "--head", world.propose({ files: more }));
  assert.deepEqual(
    [wrong.code, /configuration-invalid {2}baseline\.yaml:2:18 /.test(wrong.stderr)],
    [3, true],
    wrong.stderr,
  );
});
