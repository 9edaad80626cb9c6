import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { SluiceError } from "../../src/lib/errors.ts";
import { MINIMAL_INPUT, readExample } from "../../src/policy/example.ts";
import { INPUT_SCHEMAS } from "../../src/policy/input-schema.ts";

function refusal(text: string): string {
  try {
    readExample("a.yaml", text);
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.equal(thrown.code, "example-malformed");
    return thrown.message;
  }
  return assert.fail(`read: ${text}`);
}

test("the minimal input is one that the published schema allows", () => {
  z.fromJSONSchema(INPUT_SCHEMAS.change).parse(MINIMAL_INPUT);
});

test("an object becomes the document that a rule about it sees, with its pod and without its secrets", () => {
  const text = `apiVersion: v1
kind: Secret
metadata: {name: s, namespace: apps}
stringData: {password: hunter22}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web}]}
`;
  const [secret, pod] = readExample("a.yaml", text);
  z.fromJSONSchema(INPUT_SCHEMAS.resource).parse(secret);
  z.fromJSONSchema(INPUT_SCHEMAS.resource).parse(pod);
  assert.deepEqual(secret?.resource?.object?.["stringData"], { password: "***" });
  assert.deepEqual([secret?.pod, secret?.change, pod?.resource?.origin?.line], [null, null, 6]);
  assert.deepEqual(pod?.pod?.containers, [{ at: "/spec/containers/0", type: "container", spec: { name: "web" } }]);
});

test("an object whose pod nobody can read is still shown to the rule, without a pod", () => {
  const [document] = readExample(
    "a.yaml",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: web}\n",
  );
  assert.deepEqual([document?.pod, document?.resource?.object?.["spec"]], [null, { containers: "web" }]);
});

test("fields of the input are laid over the minimal one, those of a commit and of an approval too", () => {
  const text = `subject: {kind: landed, target: {name: prod}}
change: {paths: [prod/a.yaml]}
commits: [{author: {name: Ada}, verification: {kind: verified, reason: null}}]
approvals: [{person: lin}]
`;
  const [document] = readExample("a.yaml", text);
  z.fromJSONSchema(INPUT_SCHEMAS.change).parse(document);
  assert.deepEqual(document?.subject.target, { ...MINIMAL_INPUT.subject.target, name: "prod" });
  assert.deepEqual([document?.subject.kind, document?.change?.paths], ["landed", ["prod/a.yaml"]]);
  assert.equal(document?.change?.head, MINIMAL_INPUT.change?.head);
  assert.deepEqual(document?.commits[0]?.author, { name: "Ada", email: "" });
  assert.deepEqual(
    [document?.commits[0]?.verification.kind, document?.commits[0]?.verification.reason],
    ["verified", null],
  );
  assert.deepEqual([document?.approvals[0]?.person, document?.approvals[0]?.via], ["lin", "signature"]);
  assert.equal(document?.resource, null);
});

test("what shows nothing is refused with its place", () => {
  assert.equal(refusal(""), "a.yaml:1:1 The example is empty.");
  assert.equal(refusal("change:\n  pahts: []\n"), "a.yaml:2:3 change.pahts is no field of the policy input.");
  assert.match(
    refusal("commits: [{verification: {kind: maybe}}]"),
    /^a\.yaml:1:27 commits\.0\.verification\.kind is not/,
  );
  assert.match(refusal("change: {paths: prod}"), /^a\.yaml:1:10 change\.paths is not as it must be/);
  assert.match(refusal("- a\n"), /^a\.yaml:1:1 the example is not as it must be/);
  assert.match(refusal("change: null\n"), /^a\.yaml:1:1 change is not as it must be/);
  assert.match(refusal("a: 1\na: 2\n"), /^a\.yaml:2:1 /);
  assert.match(refusal("a: 010\n"), /^a\.yaml:1:4 /);
  assert.match(refusal("apiVersion: v1\nkind: Pod\nmetadata: {name: ../a}\n"), /^a\.yaml:3:12 metadata\.name/);
});
