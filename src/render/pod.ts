/** The pod inside a workload, wherever its kind keeps it, so that no rule has to know nine shapes. */
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { isObject, splitApiVersion } from "./identity.ts";

export interface PodContainer {
  /** JSON pointer of the container. */
  readonly at: string;
  readonly type: "container" | "init" | "ephemeral";
  readonly spec: JsonObject;
}

export interface Pod {
  /** JSON pointer of the pod spec. */
  readonly at: string;
  readonly spec: JsonObject;
  readonly containers: readonly PodContainer[];
}

export type PodReading =
  | { readonly kind: "pod"; readonly pod: Pod }
  /** Not a workload, or one that says nothing about its pod. */
  | { readonly kind: "none" }
  | { readonly kind: "malformed"; readonly at: string; readonly message: string };

const TEMPLATE = ["spec", "template", "spec"];
/** Group and kind to the place of the pod spec. `extensions` served the older kinds until Kubernetes 1.16. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  "/Pod": ["spec"],
  "/PodTemplate": ["template", "spec"],
  "/ReplicationController": TEMPLATE,
  "apps/Deployment": TEMPLATE,
  "apps/StatefulSet": TEMPLATE,
  "apps/DaemonSet": TEMPLATE,
  "apps/ReplicaSet": TEMPLATE,
  "extensions/Deployment": TEMPLATE,
  "extensions/DaemonSet": TEMPLATE,
  "extensions/ReplicaSet": TEMPLATE,
  "batch/Job": TEMPLATE,
  "batch/CronJob": ["spec", "jobTemplate", ...TEMPLATE],
};
const LISTS = [
  ["containers", "container"],
  ["initContainers", "init"],
  ["ephemeralContainers", "ephemeral"],
] as const;

/** Absent and null fields hold no pod; a field of the wrong type is malformed, never skipped. */
export function readPod(object: JsonObject): PodReading {
  const place = placeOf(object);
  if (place === null) return { kind: "none" };
  let at = "";
  let spec: JsonObject = object;
  for (const key of place) {
    const next = member(spec, key);
    at = `${at}/${key}`;
    if (next === null) return { kind: "none" };
    if (!isObject(next)) return { kind: "malformed", at, message: `${dotted(at)} is not a map.` };
    spec = next;
  }
  return readContainers(at, spec);
}

/** @throws SluiceError `workload-malformed`; rendering has refused such objects before. */
export function podOf(object: JsonObject): Pod | null {
  const reading = readPod(object);
  if (reading.kind === "malformed") throw new SluiceError("workload-malformed", reading.message);
  return reading.kind === "pod" ? reading.pod : null;
}

function placeOf(object: JsonObject): readonly string[] | null {
  const apiVersion = member(object, "apiVersion");
  if (typeof apiVersion !== "string") return null;
  const key = `${splitApiVersion(apiVersion)[0]}/${member(object, "kind")}`;
  return Object.hasOwn(PLACES, key) ? (PLACES[key] ?? null) : null;
}

function readContainers(at: string, spec: JsonObject): PodReading {
  const containers: PodContainer[] = [];
  for (const [field, type] of LISTS) {
    const list = member(spec, field) ?? [];
    const place = `${at}/${field}`;
    if (!Array.isArray(list)) return { kind: "malformed", at: place, message: `${dotted(place)} is not a list.` };
    for (const [index, container] of list.entries()) {
      const entry = `${place}/${index}`;
      if (!isObject(container)) return { kind: "malformed", at: entry, message: `${dotted(entry)} is not a map.` };
      containers.push({ at: entry, type, spec: container });
    }
  }
  return { kind: "pod", pod: { at, spec, containers } };
}

function member(object: JsonObject, key: string): JsonValue {
  return Object.hasOwn(object, key) ? (object[key] ?? null) : null;
}

function dotted(pointer: string): string {
  return pointer.slice(1).replaceAll("/", ".");
}
