/** What applying a rendering would do to an earlier state, by identity. */
import { identityKey, type Resource, type ResourceChange } from "./resource.ts";

/** An object of the last release, or of the base tree. */
type PriorObject = Pick<Resource, "id" | "object" | "canonical">;

/** One change per identity of either side, sorted by identity. Each side MUST hold an identity once, as renderings do. */
export function compareResources(
  before: readonly PriorObject[],
  after: readonly Resource[],
): readonly ResourceChange[] {
  const prior = new Map(before.map((object) => [identityKey(object.id), object]));
  const changes = new Map<string, ResourceChange>();
  for (const resource of after) {
    const key = identityKey(resource.id);
    changes.set(key, changeTo(resource, prior.get(key) ?? null));
    prior.delete(key);
  }
  for (const [key, { id, object }] of prior) {
    changes.set(key, { id, action: "delete", resource: null, previous: object });
  }
  return [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

function changeTo(resource: Resource, prior: PriorObject | null): ResourceChange {
  if (prior === null) return { id: resource.id, action: "create", resource, previous: null };
  const action = prior.canonical === resource.canonical ? "unchanged" : "update";
  return { id: resource.id, action, resource, previous: prior.object };
}
