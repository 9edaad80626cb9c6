/** Bodies as kube-apiserver 1.34 sends them: every field that it fills in, in its order. */
import type { JsonObject } from "../../src/lib/canonical.ts";

interface Asked {
  readonly kind?: string;
  readonly name?: string;
  readonly privileged?: boolean;
  readonly labels?: JsonObject;
  readonly replicas?: number;
}

function workload({ name = "web", privileged = false, labels = {}, replicas = 2 }: Asked): JsonObject {
  return {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name,
      namespace: "apps",
      uid: "5f5c4c3e-5d55-4ff5-9c3d-8f0f6a3a2f10",
      creationTimestamp: "2026-11-21T10:00:00Z",
      labels,
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"token":"hunter2-hunter2"}}\n' },
      managedFields: [
        {
          manager: "kubectl-client-side-apply",
          operation: "Update",
          apiVersion: "apps/v1",
          time: "2026-11-21T10:00:00Z",
          fieldsType: "FieldsV1",
          fieldsV1: { "f:spec": { "f:replicas": {} } },
        },
      ],
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { creationTimestamp: null, labels: { app: name } },
        spec: {
          containers: [
            {
              name,
              image: `registry.example/${name}:1.4`,
              env: [{ name: "TOKEN", value: "hunter2-hunter2" }],
              resources: {},
              terminationMessagePath: "/dev/termination-log",
              imagePullPolicy: "IfNotPresent",
              securityContext: { privileged },
            },
          ],
          restartPolicy: "Always",
        },
      },
    },
    status: {},
  };
}

function review(request: JsonObject): JsonObject {
  return { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request };
}

function request(about: JsonObject): JsonObject {
  const kind = { group: "apps", version: "v1", kind: "Deployment" };
  const resource = { group: "apps", version: "v1", resource: "deployments" };
  return {
    uid: "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    name: "web",
    namespace: "apps",
    userInfo: {
      username: "system:serviceaccount:flux-system:kustomize-controller",
      uid: "a1b2",
      groups: ["system:serviceaccounts", "system:authenticated"],
      extra: { "authentication.kubernetes.io/pod-name": ["kustomize-controller-7c"] },
    },
    oldObject: null,
    dryRun: false,
    ...about,
  };
}

export function creation(asked: Asked = {}, change: JsonObject = {}): JsonObject {
  const options = { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "kubectl-client-side-apply" };
  return review(
    request({ operation: "CREATE", object: workload(asked), options, name: asked.name ?? "web", ...change }),
  );
}

export function update(before: Asked, after: Asked): JsonObject {
  const options = { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1" };
  return review(request({ operation: "UPDATE", object: workload(after), oldObject: workload(before), options }));
}

export function deletion(asked: Asked = {}): JsonObject {
  const options = { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", propagationPolicy: "Background" };
  return review(request({ operation: "DELETE", object: null, oldObject: workload(asked), options }));
}

/** `kubectl exec`. */
export function connection(): JsonObject {
  const kind = { group: "", version: "v1", kind: "PodExecOptions" };
  const resource = { group: "", version: "v1", resource: "pods" };
  const object = { kind: "PodExecOptions", apiVersion: "v1", stdin: true, stdout: true, tty: true, command: ["sh"] };
  const about = { kind, resource, requestKind: kind, requestResource: resource, subResource: "exec" };
  return review(
    request({ ...about, requestSubResource: "exec", name: "web-0", operation: "CONNECT", object, options: null }),
  );
}

/** A Namespace: the API server says its own name where its namespace would stand. */
export function namespaceCreation(): JsonObject {
  const kind = { group: "", version: "v1", kind: "Namespace" };
  const resource = { group: "", version: "v1", resource: "namespaces" };
  const object = { kind: "Namespace", apiVersion: "v1", metadata: { name: "apps", labels: {} }, spec: {}, status: {} };
  const about = { kind, resource, requestKind: kind, requestResource: resource, name: "apps", namespace: "apps" };
  return review(request({ ...about, operation: "CREATE", object, options: null }));
}

export function secretCreation(value: string): JsonObject {
  const kind = { group: "", version: "v1", kind: "Secret" };
  const resource = { group: "", version: "v1", resource: "secrets" };
  const data = { password: Buffer.from(value).toString("base64") };
  const metadata = { name: "db", namespace: "apps", labels: { bad: true } };
  const object = { kind: "Secret", apiVersion: "v1", metadata, data, type: "Opaque" };
  const about = { kind, resource, requestKind: kind, requestResource: resource, name: "db" };
  return review(request({ ...about, operation: "CREATE", object, options: null }));
}
