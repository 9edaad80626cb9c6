/**
 * What a target's objects look like beside live ones. A cluster adds defaults and status to what it was given, so that an
 * object is equal when everything that its manifest says holds: what only the live one says is not looked at.
 */

import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { escapeToken } from "../lib/json-pointer.ts";
import { isObject } from "./identity.ts";
import { podOf } from "./pod.ts";
import { identityKey, type Resource, resourceName } from "./resource.ts";

export interface Difference {
  /** `Deployment/apps/web` */
  readonly resource: string;
  /** JSON pointers of what the manifest says and the live object does not, sorted. Never values: they may be secret. */
  readonly at: readonly string[];
}

export interface Pin {
  readonly image: string;
  /** The same with the digest that runs. */
  readonly pinned: string;
  readonly resources: readonly string[];
}

export interface Comparison {
  /** All lists are sorted. */
  readonly equal: number;
  readonly different: readonly Difference[];
  /** Live, and in no manifest; what a controller made from other objects is left out. */
  readonly unmanaged: readonly string[];
  /** In a manifest, and not live. */
  readonly missing: readonly string[];
  readonly pins: readonly Pin[];
}

export function compareWithLive(declared: readonly Resource[], live: readonly Resource[]): Comparison {
  const liveByKey = new Map(live.map((one) => [identityKey(one.id), one]));
  const known = new Set(declared.map((one) => identityKey(one.id)));
  const missing: string[] = [];
  const different: Difference[] = [];
  let equal = 0;
  for (const one of declared) {
    const other = liveByKey.get(identityKey(one.id));
    const at = other === undefined ? [] : unmet(one.object, other.object, "");
    if (other === undefined) missing.push(resourceName(one.id));
    else if (at.length === 0) equal += 1;
    else different.push({ resource: resourceName(one.id), at: [...at].sort() });
  }
  const unmanaged = live.filter((one) => !known.has(identityKey(one.id)) && !isOwned(one.object));
  const pins = pinsOf(declared, live);
  return {
    equal,
    different: different.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
    unmanaged: unmanaged.map(({ id }) => resourceName(id)).sort(),
    missing: missing.sort(),
    pins,
  };
}

/** Pointers of everything in `wanted` that `found` lacks or has otherwise. null and absence are one. */
function unmet(wanted: JsonValue, found: JsonValue | undefined, at: string): readonly string[] {
  if (isObject(wanted) && isObject(found)) {
    return Object.entries(wanted).flatMap(([key, value]) => unmet(value, found[key], `${at}/${escapeToken(key)}`));
  }
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length) {
    return wanted.flatMap((value, index) => unmet(value, found[index], `${at}/${index}`));
  }
  const isEqual = wanted === (found ?? null) || (isEmpty(wanted) && (found === undefined || isEmpty(found)));
  return isEqual ? [] : [at];
}

function isEmpty(value: JsonValue): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function isOwned({ metadata }: JsonObject): boolean {
  const owners = isObject(metadata) ? metadata["ownerReferences"] : undefined;
  return Array.isArray(owners) && owners.length > 0;
}

/** An image without a digest whose digest live pods agree on; where they do not, a person has to decide. */
function pinsOf(declared: readonly Resource[], live: readonly Resource[]): readonly Pin[] {
  const running = digestsOf(live);
  const users = new Map<string, string[]>();
  for (const { id, object } of declared) {
    for (const image of imagesOf(object)) {
      if (!image.includes("@")) users.set(image, [...(users.get(image) ?? []), resourceName(id)]);
    }
  }
  return [...users].sort().flatMap(([image, resources]): Pin[] => {
    const digests = running.get(image) ?? new Set();
    const [digest] = digests;
    if (digests.size !== 1 || digest === undefined) return [];
    return [{ image, pinned: `${image}@${digest}`, resources: [...new Set(resources)].sort() }];
  });
}

function imagesOf(object: JsonObject): readonly string[] {
  const containers = podOf(object)?.containers ?? [];
  return containers.flatMap(({ spec }) => (typeof spec["image"] === "string" ? [spec["image"]] : []));
}

/** Image as the pod's own container has it -> digests that the kubelet reports for it. */
function digestsOf(live: readonly Resource[]): ReadonlyMap<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { object } of live.filter((one) => one.id.kind === "Pod" && one.id.group === "")) {
    const status = isObject(object["status"]) ? object["status"] : {};
    for (const list of ["containerStatuses", "initContainerStatuses"]) {
      for (const one of Array.isArray(status[list]) ? status[list] : []) {
        if (!isObject(one)) continue;
        const image = imageOf(object, one["name"]);
        const digest = /@(sha256:[0-9a-f]{64})$/.exec(String(one["imageID"] ?? ""))?.[1];
        if (image !== null && digest !== undefined) {
          found.set(image, (found.get(image) ?? new Set()).add(digest));
        }
      }
    }
  }
  return found;
}

function imageOf(pod: JsonObject, container: JsonValue | undefined): string | null {
  const found = podOf(pod)?.containers.find(({ spec }) => spec["name"] === container);
  const image = found?.spec["image"];
  return typeof image === "string" ? image : null;
}
