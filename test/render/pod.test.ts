import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject, JsonValue } from "../../src/lib/canonical.ts";
import { podOf, readPod } from "../../src/render/pod.ts";
import { workload } from "./sources.ts";

const POD: JsonObject = {
  containers: [{ name: "web", image: "web:1" }, { name: "log" }],
  initContainers: [{ name: "init" }],
  ephemeralContainers: [{ name: "debug" }],
};
const TEMPLATE = { template: { spec: POD } };

const KINDS: readonly (readonly [apiVersion: string, kind: string, at: string, rest: JsonObject])[] = [
  ["v1", "Pod", "/spec", { spec: POD }],
  ["v1", "PodTemplate", "/template/spec", TEMPLATE],
  ["v1", "ReplicationController", "/spec/template/spec", { spec: TEMPLATE }],
  ["apps/v1", "Deployment", "/spec/template/spec", { spec: TEMPLATE }],
  ["apps/v1", "StatefulSet", "/spec/template/spec", { spec: TEMPLATE }],
  ["apps/v1", "DaemonSet", "/spec/template/spec", { spec: TEMPLATE }],
  ["apps/v1beta2", "ReplicaSet", "/spec/template/spec", { spec: TEMPLATE }],
  ["extensions/v1beta1", "Deployment", "/spec/template/spec", { spec: TEMPLATE }],
  ["batch/v1", "Job", "/spec/template/spec", { spec: TEMPLATE }],
  ["batch/v1", "CronJob", "/spec/jobTemplate/spec/template/spec", { spec: { jobTemplate: { spec: TEMPLATE } } }],
];

describe("the pod of a workload", () => {
  for (const [apiVersion, kind, at, rest] of KINDS) {
    test(`is found in a ${kind} of ${apiVersion}, with every kind of container`, () => {
      const pod = podOf(workload(apiVersion, kind, rest));
      assert.equal(pod?.at, at);
      assert.deepEqual(pod?.spec, POD);
      assert.deepEqual(
        pod?.containers.map((container) => [container.at, container.type, container.spec["name"]]),
        [
          [`${at}/containers/0`, "container", "web"],
          [`${at}/containers/1`, "container", "log"],
          [`${at}/initContainers/0`, "init", "init"],
          [`${at}/ephemeralContainers/0`, "ephemeral", "debug"],
        ],
      );
    });
  }

  test("is none for other kinds, other groups, and a workload that says nothing about its pod", () => {
    assert.equal(podOf(workload("v1", "Service", { spec: POD })), null);
    assert.equal(podOf(workload("example.io/v1", "Deployment", { spec: TEMPLATE })), null);
    assert.equal(podOf(workload("v1", "constructor", {})), null);
    assert.equal(podOf(workload("apps/v1", "Deployment", { spec: { replicas: 3 } })), null);
    assert.equal(podOf(workload("apps/v1", "Deployment", { spec: null })), null);
    assert.deepEqual(podOf(workload("v1", "Pod", { spec: {} }))?.containers, []);
  });

  const malformed: readonly (readonly [string, JsonValue, at: string])[] = [
    ["a spec that is a list", [], "/spec"],
    ["a template that is a text", { template: "x" }, "/spec/template"],
    ["a pod spec that is a number", { template: { spec: 1 } }, "/spec/template/spec"],
    ["containers as a map", { template: { spec: { containers: { a: {} } } } }, "/spec/template/spec/containers"],
    ["a container that is a text", { template: { spec: { containers: ["x"] } } }, "/spec/template/spec/containers/0"],
    [
      "a container that is null",
      { template: { spec: { initContainers: [{}, null] } } },
      "/spec/template/spec/initContainers/1",
    ],
    [
      "debug containers as a text",
      { template: { spec: { ephemeralContainers: "x" } } },
      "/spec/template/spec/ephemeralContainers",
    ],
  ];
  for (const [what, spec, at] of malformed) {
    test(`is malformed with ${what}, never skipped`, () => {
      const object = workload("apps/v1", "Deployment", { spec });
      const reading = readPod(object);
      assert.deepEqual([reading.kind, reading.kind === "malformed" && reading.at], ["malformed", at]);
      assert.throws(() => podOf(object), { code: "workload-malformed" });
    });
  }
});
