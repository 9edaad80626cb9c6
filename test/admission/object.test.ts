import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askedObject } from "../../src/admission/object.ts";
import { readReview } from "../../src/admission/read.ts";
import type { AdmissionRequest } from "../../src/admission/review.ts";
import { utf8 } from "../../src/lib/bytes.ts";
import type { JsonObject } from "../../src/lib/canonical.ts";
import { resourceName } from "../../src/render/resource.ts";
import { connection, creation, deletion, namespaceCreation, secretCreation, update } from "./reviews.ts";

function requestOf(review: JsonObject): AdmissionRequest {
  const reading = readReview(utf8(JSON.stringify(review)));
  if (reading.kind === "refused") assert.fail(reading.message);
  return reading.request;
}

const ask = (review: JsonObject) => askedObject(requestOf(review));
const named = (review: JsonObject): string => resourceName(ask(review).id);

describe("what a review is about", () => {
  it("is named by the object that it brings, whatever the operation", () => {
    assert.equal(named(creation()), "Deployment/apps/web");
    assert.equal(named(update({}, {})), "Deployment/apps/web");
    assert.equal(named(deletion()), "Deployment/apps/web");
    assert.equal(named(connection()), "PodExecOptions/apps/web-0");
    assert.equal(named(namespaceCreation()), "Namespace/apps", "its own name is not its namespace");
  });

  it("is one of a collection that is deleted, whose request has no name", () => {
    const { request } = deletion() as { request: JsonObject };
    assert.equal(named({ ...deletion(), request: { ...request, name: "" } }), "Deployment/apps/web");
  });

  it("has no name before the API server makes one up", () => {
    const { request } = creation({}, { name: "" }) as { request: { object: { metadata: JsonObject } } & JsonObject };
    const { name: _, ...metadata } = request.object.metadata;
    const object = { ...request.object, metadata: { ...metadata, generateName: "web-" } };
    const asked = ask({ ...creation(), request: { ...request, object } });
    assert.equal(asked.id.name, "");
  });

  it("is created, updated or deleted, with the objects that go with it", () => {
    const sides = (review: JsonObject) => {
      const { action, object, previous } = ask(review);
      return [action, object !== null, previous !== null];
    };
    assert.deepEqual(sides(creation()), ["create", true, false]);
    assert.deepEqual(sides(update({}, {})), ["update", true, true]);
    assert.deepEqual(sides(deletion()), ["delete", false, true]);
    assert.deepEqual(sides(connection()), ["create", true, false]);
  });

  it("shows policies no value of a Secret, neither in the object nor in the request", () => {
    const shown = JSON.stringify(ask(secretCreation("correct horse")));
    const { object, request } = ask(secretCreation("correct horse"));
    assert.deepEqual(object?.["data"], { password: "***" });
    assert.deepEqual(request["object"], object);
    assert.ok(!JSON.stringify([object, request]).includes(Buffer.from("correct horse").toString("base64")));
    assert.ok(shown.includes("unmasked"), "kept to mask what is said");
    assert.ok(!JSON.stringify(ask(creation()).request).includes("hunter2-hunter2\\"), "last-applied is masked");
  });

  for (const [what, change] of [
    ["an object of another kind", { object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web" } } }],
    ["an object of another version", { object: { apiVersion: "apps/v2", kind: "Deployment", metadata: {} } }],
    ["another name", { name: "api" }],
    ["another namespace", { namespace: "kube-system" }],
    ["a name that is no text", { object: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: 7 } } }],
  ] as const) {
    it(`is refused with ${what}: selected by the one, it would be judged by the other`, () => {
      assert.throws(() => ask(creation({}, change as JsonObject)), { code: "request-invalid" });
    });
  }

  it("is refused under a name that no such thing may have", () => {
    const metadata = { name: "a\u202eb", namespace: "apps" };
    const object = { apiVersion: "apps/v1", kind: "Deployment", metadata };
    assert.throws(() => ask(creation({}, { name: "", object })), { code: "identity-hostile" });
  });
});
