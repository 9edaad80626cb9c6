import assert from "node:assert/strict";
import { test } from "node:test";
import { baselineYaml, readBaselineYaml } from "../../src/config/baseline-yaml.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { refusal } from "./refusal.ts";

const KEYS = ["a", "b"].map(sha256Hex);

test("a copy of a baseline is read as it was written, and says in words what each finding is", () => {
  const text = baselineYaml(
    "prod",
    KEYS.map((key) => ({ key, what: "k8s-privileged Deployment/apps/web: #1" })),
  );
  assert.deepEqual([...readBaselineYaml(text)], [["prod", new Set(KEYS)]]);
  assert.match(text, /^ {4}- [0-9a-f]{64} # k8s-privileged Deployment\/apps\/web: #1$/m);
  assert.deepEqual([...readBaselineYaml(baselineYaml("prod", []))], [["prod", new Set()]]);
});

test("what is no digest, no target and no known key is refused with its place", () => {
  for (const [text, place] of [
    [`version: 1\ntargets: {prod: [${KEYS[0]}, abc]}\n`, "baseline.yaml:2:84 "],
    [`version: 1\ntargets: {Prod: []}\n`, "baseline.yaml:2:11 "],
    [`version: 1\ntargets: {}\nfindings: []\n`, "baseline.yaml:3:1 "],
    [`version: 2\ntargets: {}\n`, "baseline.yaml:1:1 "],
    ["[]\n", "baseline.yaml:1:1 "],
  ] as const) {
    const { code, message } = refusal(() => readBaselineYaml(text));
    assert.equal(code, "configuration-invalid", text);
    assert.ok(message.startsWith(place), message);
  }
});
