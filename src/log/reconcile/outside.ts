/** Which writes of an audit log changed an object of a release without being the agent's. */
import type { Instant } from "../../lib/time.ts";
import type { WrittenObject } from "./audit-events.ts";

/** Core group is "", namespace "" where the object names none. */
export interface ReleasedObject {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What was released, from its release on until the next. */
export interface ReleaseInForce {
  readonly sequence: number;
  readonly since: Instant;
  readonly objects: readonly ReleasedObject[];
}

/** The agent's user, whom nobody else acts for: an impersonation is not the agent's own doing. */
export function isByAgent(users: readonly string[], agentUsers: ReadonlySet<string>): boolean {
  return users.every((user) => agentUsers.has(user));
}

/**
 * `releases` are oldest first. What was written before a release is what that release found, so that only the objects of
 * the one in force count.
 */
export function releasedObject(
  written: WrittenObject,
  at: Instant,
  releases: readonly ReleaseInForce[],
): { readonly sequence: number; readonly object: ReleasedObject } | null {
  const inForce = releases.findLast((release) => release.since <= at);
  const object = inForce?.objects.find((one) => touches(written, one));
  return inForce === undefined || object === undefined ? null : { sequence: inForce.sequence, object };
}

function touches(written: WrittenObject, { group, kind, namespace, name }: ReleasedObject): boolean {
  if (written.group !== group || !isPluralOf(written, kind)) return false;
  if (written.name === null) return isCollectionOf(written, namespace);
  return written.name === name && isNamespace(written.namespace, namespace);
}

/** Of all namespaces where none is named. */
function isCollectionOf(written: WrittenObject, namespace: string): boolean {
  return written.namespace === "" || isNamespace(written.namespace, namespace);
}

/** An object that names no namespace has none, or is put where the applier's account puts such ones. */
function isNamespace(written: string, released: string): boolean {
  return written === released || (released === "" && written === "default");
}

/** Groups of the API server itself; a group without a dot is too, because that of a CustomResourceDefinition has one. */
const OWN_GROUPS: readonly string[] = [
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "networking.k8s.io",
  "node.k8s.io",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
];

/** Its kinds have regular plurals. Those of a CustomResourceDefinition are whatever it says: every resource of the group counts. */
function isPluralOf({ group, resource }: WrittenObject, kind: string): boolean {
  return (group.includes(".") && !OWN_GROUPS.includes(group)) || resource === pluralOf(kind.toLowerCase());
}

function pluralOf(singular: string): string {
  if (singular.endsWith("endpoints")) return singular;
  if (singular.endsWith("s")) return `${singular}es`;
  return singular.endsWith("y") ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}
