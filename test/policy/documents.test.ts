import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson, type JsonObject } from "../../src/lib/canonical.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { changeKinds } from "../../src/policy/change-kinds.ts";
import { buildDocuments } from "../../src/policy/documents.ts";
import { inputDigest } from "../../src/policy/input-digest.ts";
import type { Resource, ResourceAction, ResourceChange, ResourceId } from "../../src/render/resource.ts";
import { CHANGE_DOCUMENT } from "./support.ts";

function resource(object: JsonObject, id: ResourceId): Resource {
  const canonical = canonicalJson(object);
  const origin = { file: "apps/web.yaml", line: 3, document: 1, at: "", tool: "plain" } as const;
  return { id, object, canonical, sha256: sha256Hex(canonical), origin };
}

function change(action: ResourceAction, previous: JsonObject | null, object: JsonObject | null): ResourceChange {
  const given = (object ?? previous ?? {}) as { kind: string; metadata: { name: string; namespace?: string } };
  const id = {
    group: "",
    version: "v1",
    kind: given.kind,
    namespace: given.metadata.namespace ?? "",
    name: given.metadata.name,
  };
  return { id, action, resource: object === null ? null : resource(object, id), previous };
}

function deployment(container: JsonObject = {}, spec: JsonObject = {}): JsonObject {
  const containers = [{ name: "web", image: "web:1", ...container }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "apps" },
    spec: { ...spec, template: { spec: { containers } } },
  };
}

const plain = (kind: string, namespace: string | undefined, more: JsonObject = {}): JsonObject =>
  ({
    apiVersion: "v1",
    kind,
    metadata: namespace === undefined ? { name: "x" } : { name: "x", namespace },
    ...more,
  }) as JsonObject;

const SOURCE = {
  subject: CHANGE_DOCUMENT.subject,
  change: CHANGE_DOCUMENT.change,
  commits: CHANGE_DOCUMENT.commits,
  approvals: CHANGE_DOCUMENT.approvals,
  checks: CHANGE_DOCUMENT.checks,
};

test("makes one document per resource, deleted ones too, and one for the change", () => {
  const secret = plain("Secret", "apps", { stringData: { password: "hunter22" } });
  const changes = [
    change("update", deployment(), deployment({ image: "web:2" })),
    change("delete", secret, null),
    change("create", null, secret),
  ];
  const documents = buildDocuments({ ...SOURCE, changes });
  assert.equal(documents.length, 4);
  const [web, gone, made, whole] = documents;
  assert.deepEqual(web?.resource?.origin, { file: "apps/web.yaml", line: 3, tool: "plain" });
  assert.deepEqual(
    web?.pod?.containers.map(({ at, type, spec }) => [at, type, spec["image"]]),
    [["/spec/template/spec/containers/0", "container", "web:2"]],
  );
  assert.deepEqual(
    [gone?.resource?.action, gone?.resource?.object, gone?.resource?.origin, gone?.pod],
    ["delete", null, null, null],
  );
  assert.deepEqual([made?.resource?.previous, made?.pod, made?.change], [null, null, SOURCE.change]);
  assert.deepEqual([whole?.resource, whole?.pod, whole?.change], [null, null, SOURCE.change]);
  assert.ok(!JSON.stringify(documents).includes("hunter22"));
});

test("makes no change document where there is no change", () => {
  assert.deepEqual(buildDocuments({ ...SOURCE, change: null, changes: [] }), []);
});

test("digests the documents by their content and order", () => {
  const [a, b] = buildDocuments({ ...SOURCE, changes: [change("create", null, deployment())] });
  assert.ok(a !== undefined && b !== undefined);
  assert.equal(inputDigest([a, b]), inputDigest(structuredClone([a, b])));
  assert.notEqual(inputDigest([b, a]), inputDigest([a, b]));
  const others: readonly (typeof a)[] = [
    { ...a, approvals: [{ person: "lin", roles: [], at: "2026-01-01T00:00:00.000Z", via: "signature" }] },
    { ...a, change: null },
    { ...a, resource: null },
    { ...a, resource: a.resource && { ...a.resource, action: "update" } },
    { ...a, resource: a.resource && { ...a.resource, object: deployment({ image: "web:2" }) } },
    { ...a, resource: a.resource && { ...a.resource, object: null, previous: a.resource.object } },
    { ...a, subject: { ...a.subject, time: "2027-01-01T00:00:00.000Z" } },
  ];
  assert.equal(new Set([a, ...others].map((one) => inputDigest([one, b]))).size, 8);
});

/** [what, changes, kinds] */
const KINDS: readonly (readonly [string, readonly ResourceChange[], readonly string[]])[] = [
  ["nothing", [change("unchanged", deployment(), deployment())], []],
  ["another image", [change("update", deployment(), deployment({ image: "web:2" }))], ["image"]],
  [
    "another image of an object that nobody read as a workload",
    [change("update", plain("Widget", "a", { image: "a" }), plain("Widget", "a", { image: "b" }))],
    ["application-configuration"],
  ],
  [
    "an image and a command",
    [change("update", deployment(), deployment({ image: "web:2", command: ["sh"] }))],
    ["application-configuration", "image"],
  ],
  [
    "an image and privilege",
    [change("update", deployment(), deployment({ image: "web:2", securityContext: { privileged: true } }))],
    ["application-configuration", "image"],
  ],
  ["an image that is no text any more", [change("update", deployment(), deployment({ image: { x: 1 } }))], ["image"]],
  [
    "one container more",
    [
      change(
        "update",
        deployment(),
        plain("Deployment", "apps", {
          spec: {
            template: {
              spec: {
                containers: [
                  { name: "web", image: "web:1" },
                  { name: "b", image: "b:1" },
                ],
              },
            },
          },
        }),
      ),
    ],
    ["application-configuration"],
  ],
  [
    "replicas and resources",
    [
      change(
        "update",
        deployment({}, { replicas: 1 }),
        deployment({ resources: { limits: { cpu: "1" } } }, { replicas: 2 }),
      ),
    ],
    ["environment-fix"],
  ],
  [
    "environment of a container",
    [
      change(
        "update",
        deployment({ env: [{ name: "A", value: "1" }] }),
        deployment({ env: [{ name: "A", value: "2" }] }),
      ),
    ],
    ["environment-update"],
  ],
  [
    "a ConfigMap",
    [change("update", plain("ConfigMap", "a", { data: { a: "1" } }), plain("ConfigMap", "a", { data: { a: "2" } }))],
    ["environment-update"],
  ],
  ["a new workload", [change("create", null, deployment())], ["new-infrastructure"]],
  ["a removed workload", [change("delete", deployment(), null)], ["application-configuration"]],
  ["a new cluster-wide object", [change("create", null, plain("Namespace", undefined))], ["new-infrastructure"]],
  [
    "a changed cluster-wide object",
    [change("update", plain("ClusterRole", undefined), plain("ClusterRole", undefined, { rules: [] }))],
    ["cluster-configuration"],
  ],
  [
    "a new cluster-wide object that claims a namespace",
    [change("create", null, plain("ClusterRoleBinding", "a"))],
    ["new-infrastructure"],
  ],
  [
    "a changed cluster-wide object that claims a namespace",
    [change("update", plain("StorageClass", "a"), plain("StorageClass", "a", { rules: [] }))],
    ["cluster-configuration"],
  ],
  ["a new role binding", [change("create", null, plain("RoleBinding", "a"))], ["cluster-configuration"]],
  ["a quota", [change("create", null, plain("ResourceQuota", "a"))], ["environment-fix"]],
  [
    "several",
    [change("update", deployment(), deployment({ image: "web:2" })), change("delete", plain("ConfigMap", "a"), null)],
    ["environment-update", "image"],
  ],
];

for (const [what, changes, kinds] of KINDS) {
  test(`${what}: ${kinds.length === 0 ? "no kind of change" : kinds.join(" and ")}`, () => {
    assert.deepEqual(changeKinds(changes), kinds);
  });
}
