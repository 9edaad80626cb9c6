import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareWithLive } from "../../src/render/live.ts";
import { readManifest } from "../../src/render/manifest.ts";
import type { Resource } from "../../src/render/resource.ts";
import { configMap, deployment } from "../support/shop.ts";

type Loose = Record<string, unknown>;

function resources(...texts: readonly string[]): readonly Resource[] {
  const read = texts.map((text, index) => readManifest(`${index}.yaml`, new Uint8Array(Buffer.from(text)), false));
  assert.deepEqual(
    read.flatMap((one) => one.failures),
    [],
  );
  return read.flatMap((one) => one.resources);
}

/** As a cluster shows it: more than the manifest said. */
function live(text: string, change: (object: Loose) => void = () => undefined): string {
  const object = JSON.parse(text);
  object.metadata.uid = "7c1f";
  object.status = { observedGeneration: 3 };
  if (object.spec !== undefined) object.spec.revisionHistoryLimit = 10;
  change(object);
  return JSON.stringify(object);
}

function pod(name: string, image: string, imageID: string, owned = true): string {
  const owners = owned ? { ownerReferences: [{ kind: "ReplicaSet", name: "web-1" }] } : {};
  const containers = [{ name: "web", image }];
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "apps", ...owners },
    spec: { containers },
    status: { containerStatuses: [{ name: "web", image, imageID }] },
  });
}

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("a comparison with live objects", () => {
  it("calls equal what has everything that its manifest says, whatever the cluster added", () => {
    const declared = resources(deployment("web"), configMap("colours"));
    const found = compareWithLive(declared, resources(live(deployment("web")), live(configMap("colours"))));
    assert.deepEqual(found, { equal: 2, different: [], unmanaged: [], missing: [], pins: [] });
  });

  it("names the places of what differs and never a value", () => {
    const other = live(deployment("web", { replicas: 7 }), (object) => {
      (object["metadata"] as Loose)["namespace"] = "apps";
      delete (object["spec"] as Loose)["selector"];
    });
    const secret = configMap("colours", { colour: "hunter2-hunter2" });
    const found = compareWithLive(resources(deployment("web"), secret), resources(other, live(configMap("colours"))));
    assert.deepEqual(found.different, [
      { resource: "ConfigMap/apps/colours", at: ["/data/colour"] },
      { resource: "Deployment/apps/web", at: ["/spec/replicas", "/spec/selector"] },
    ]);
    assert.equal(JSON.stringify(found).includes("hunter2"), false);
  });

  it("a list of another length differs as a whole, and empty and absent are one", () => {
    const two = live(deployment("web", { env: { A: "1", B: "2" } }));
    const found = compareWithLive(resources(deployment("web", { env: { A: "1" } })), resources(two));
    assert.deepEqual(found.different[0]?.at, ["/spec/template/spec/containers/0/env"]);
    const bare = live(deployment("web"), (object) => delete (object["metadata"] as Loose)["labels"]);
    assert.equal(compareWithLive(resources(deployment("web")), resources(bare)).equal, 1);
  });

  it("tells missing from unmanaged, and leaves out what a controller made", () => {
    const declared = resources(deployment("web"), deployment("api"));
    const found = compareWithLive(
      declared,
      resources(live(deployment("web")), configMap("stray"), pod("web-1-x", "web:1", "")),
    );
    assert.deepEqual([found.missing, found.unmanaged], [["Deployment/apps/api"], ["ConfigMap/apps/stray"]]);
  });

  it("pins an image to the digest that all live pods run, and to none where they do not agree", () => {
    const image = "registry.example/web:1.4";
    const declared = resources(deployment("web"));
    const one = pod("web-1", image, `registry.example/web@${DIGEST}`);
    const pins = compareWithLive(declared, resources(one)).pins;
    assert.deepEqual(pins, [{ image, pinned: `${image}@${DIGEST}`, resources: ["Deployment/apps/web"] }]);
    const other = pod("web-2", image, `registry.example/web@sha256:${"b".repeat(64)}`);
    assert.deepEqual(compareWithLive(declared, resources(one, other)).pins, []);
    assert.deepEqual(compareWithLive(declared, resources(pod("web-1", image, "sha256:local"))).pins, []);
  });
});
