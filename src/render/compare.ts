/** What applying a rendering would do to an earlier state, by identity. */
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { identityKey, type Resource, type ResourceChange, type ResourceId } from "./resource.ts";

/** An object of the last release, or a resource of the base tree. */
export interface PriorObject {
  readonly id: ResourceId;
  readonly object: JsonObject;
}

/** One change per identity of either side, sorted by identity. Each side MUST hold an identity once, as renderings do. */
export function compareResources(
  before: readonly PriorObject[],
  after: readonly Resource[],
): readonly ResourceChange[] {
  const prior = new Map(before.map((object) => [identityKey(object.id), object]));
  const changes = new Map<string, ResourceChange>();
  for (const resource of after) {
    const key = identityKey(resource.id);
    changes.set(key, changeTo(resource, prior.get(key)?.object ?? null));
    prior.delete(key);
  }
  for (const [key, { id, object }] of prior) {
    changes.set(key, { id, action: "delete", resource: null, previous: object });
  }
  return [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

function changeTo(resource: Resource, previous: JsonObject | null): ResourceChange {
  if (previous === null) return { id: resource.id, action: "create", resource, previous };
  const action = canonicalJson(previous) === resource.canonical ? "unchanged" : "update";
  return { id: resource.id, action, resource, previous };
}
