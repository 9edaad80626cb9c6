/**
 * What kinds of change a set of resource changes contains; robots are bounded by them (`may: [image]`).
 *
 * Each created, updated or deleted object is looked at by itself, first rule that fits:
 *   1. created, cluster-wide or of an infrastructure kind         new-infrastructure
 *   2. cluster-wide, or of a kind that governs the cluster        cluster-configuration
 *   3. of a kind that keeps an environment running                environment-fix
 *   4. ConfigMap or Secret                                        environment-update
 *   5. created or deleted                                         application-configuration
 *   6. updated: every differing place counts:
 *        a container's image                                      image
 *        a container's resources or probes, replicas, rollout     environment-fix
 *        a container's env or envFrom                             environment-update
 *        anything else                                            application-configuration
 * So a change is exactly [image] only when nothing but images of existing workloads differs.
 */

import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { escapeToken } from "../lib/json-pointer.ts";
import { podOf } from "../render/pod.ts";
import type { ResourceChange } from "../render/resource.ts";
import type { ChangeKind } from "../signature/trust.ts";
import { isObject } from "./toolchain.ts";

const INFRASTRUCTURE_KINDS = new Set([
  "PersistentVolumeClaim",
  "Ingress",
  "Gateway",
  "StatefulSet",
  "DaemonSet",
  "Deployment",
  "CronJob",
]);
const GOVERNING_KINDS = new Set(["Role", "RoleBinding", "NetworkPolicy", "ServiceAccount"]);
const OPERATING_KINDS = new Set(["HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "LimitRange"]);
const ENVIRONMENT_KINDS = new Set(["ConfigMap", "Secret"]);

/**
 * Kinds without a namespace: a cluster drops the one that such an object claims, so it must not make it look smaller.
 * Others are known by their name, which begins with Cluster by custom.
 */
const CLUSTER_KINDS = new Set([
  "APIService",
  "CertificateSigningRequest",
  "CSIDriver",
  "CSINode",
  "CustomResourceDefinition",
  "FlowSchema",
  "IngressClass",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PodSecurityPolicy",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "RuntimeClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
]);

const OPERATING_CONTAINER_KEYS = new Set(["resources", "livenessProbe", "readinessProbe", "startupProbe"]);
const OPERATING_SPEC_KEYS = new Set([
  "replicas",
  "strategy",
  "updateStrategy",
  "minReadySeconds",
  "progressDeadlineSeconds",
]);
const ENVIRONMENT_CONTAINER_KEYS = new Set(["env", "envFrom"]);

/** Sorted, without duplicates; empty when nothing changes. */
export function changeKinds(changes: readonly ResourceChange[]): readonly ChangeKind[] {
  return [...new Set(changes.flatMap(kindsOf))].sort();
}

function kindsOf(change: ResourceChange): readonly ChangeKind[] {
  const { action, id, resource, previous } = change;
  if (action === "unchanged") return [];
  const clusterWide = id.namespace === "" || CLUSTER_KINDS.has(id.kind) || /^Cluster[A-Z]/.test(id.kind);
  if (action === "create" && (clusterWide || INFRASTRUCTURE_KINDS.has(id.kind))) return ["new-infrastructure"];
  if (clusterWide || GOVERNING_KINDS.has(id.kind)) return ["cluster-configuration"];
  if (OPERATING_KINDS.has(id.kind)) return ["environment-fix"];
  if (ENVIRONMENT_KINDS.has(id.kind)) return ["environment-update"];
  if (resource === null || previous === null) return ["application-configuration"];
  return kindsOfUpdate(previous, resource.object);
}

function kindsOfUpdate(previous: JsonObject, next: JsonObject): readonly ChangeKind[] {
  const containers = new Set((podOf(next)?.containers ?? []).map((container) => container.at));
  const kinds = differences(previous, next, "").map((pointer) => kindOfPlace(pointer, containers));
  return kinds.length === 0 ? ["application-configuration"] : kinds;
}

function kindOfPlace(pointer: string, containers: ReadonlySet<string>): ChangeKind {
  for (const container of containers) {
    if (!pointer.startsWith(`${container}/`)) continue;
    const key = pointer.slice(container.length + 1).split("/")[0] ?? "";
    if (pointer === `${container}/image`) return "image";
    if (OPERATING_CONTAINER_KEYS.has(key)) return "environment-fix";
    return ENVIRONMENT_CONTAINER_KEYS.has(key) ? "environment-update" : "application-configuration";
  }
  const [, top, key] = pointer.split("/");
  return top === "spec" && OPERATING_SPEC_KEYS.has(key ?? "") ? "environment-fix" : "application-configuration";
}

/** JSON pointers of the places that differ; lists of different length differ as a whole. */
function differences(a: JsonValue | undefined, b: JsonValue | undefined, at: string): string[] {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    return a.flatMap((item, index) => differences(item, b[index], `${at}/${index}`));
  }
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => {
      const [left, right] = [own(a, key), own(b, key)];
      return left === right ? [] : differences(left, right, `${at}/${escapeToken(key)}`); // most are: they need no name
    });
  }
  return a === b ? [] : [at];
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
