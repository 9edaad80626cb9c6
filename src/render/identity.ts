/** What an object is called: group, version, kind, namespace and name, bounded and well-formed, or why it has no name. */
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import { isClusterWide } from "./cluster-wide.ts";
import type { ResourceId } from "./resource.ts";

export type Identification =
  | { readonly kind: "identified"; readonly id: ResourceId }
  | {
      readonly kind: "refused";
      readonly code: "not-an-object" | "identity-hostile" | "namespace-claimed";
      readonly message: string;
      /** JSON pointer of the field that is missing or wrong. */
      readonly at: string;
    };

const GROUP = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;
const VERSION = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const KIND = /^[A-Za-z](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
/** Wider than a DNS name: roles are called `system:node-proxier`. */
const NAME = /^[A-Za-z0-9](?:[-._:A-Za-z0-9]{0,251}[A-Za-z0-9])?$/;

/**
 * An absent namespace stays "": what a cluster would make of it depends on the applier, so nothing is invented here.
 * An object written once with and once without its namespace is therefore two identities.
 */
export function identify(value: JsonValue): Identification {
  if (!isObject(value)) return notAnObject("", "This document is not a Kubernetes object");
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string") return notAnObject("/apiVersion", "apiVersion is missing or not a text");
  if (typeof kind !== "string") return notAnObject("/kind", "kind is missing or not a text");
  if (!isObject(metadata)) return notAnObject("/metadata", "metadata is missing or not a map");
  const { name, namespace = null } = metadata;
  if (typeof name !== "string") return notAnObject("/metadata/name", "metadata.name is missing or not a text");
  if (namespace !== null && typeof namespace !== "string") {
    return notAnObject("/metadata/namespace", "metadata.namespace is not a text");
  }
  const [group, version] = splitApiVersion(apiVersion);
  return wellFormed({ group, version, kind, namespace: namespace ?? "", name });
}

/** `apps/v1` is group apps, `v1` the core group, which is "". */
export function splitApiVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf("/");
  return slash === -1 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wellFormed(id: ResourceId): Identification {
  if (id.group !== "" && !GROUP.test(id.group)) return hostile("/apiVersion", "The group in apiVersion");
  if (!VERSION.test(id.version)) return hostile("/apiVersion", "The version in apiVersion");
  if (!KIND.test(id.kind)) return hostile("/kind", "kind");
  if (id.namespace !== "" && !NAMESPACE.test(id.namespace)) return hostile("/metadata/namespace", "metadata.namespace");
  if (!NAME.test(id.name)) return hostile("/metadata/name", "metadata.name");
  if (id.namespace !== "" && isClusterWide(id.group, id.kind)) return claimed(id);
  return { kind: "identified", id };
}

function notAnObject(at: string, what: string): Identification {
  return { kind: "refused", code: "not-an-object", message: `${what}; a target holds complete objects only.`, at };
}

function hostile(at: string, what: string): Identification {
  const message = `${what} is empty, too long, or holds characters that no such name may have.`;
  return { kind: "refused", code: "identity-hostile", message, at };
}

function claimed({ kind }: ResourceId): Identification {
  const message = `${kind} has no namespace; a cluster drops the one that stands here.`;
  return { kind: "refused", code: "namespace-claimed", message, at: "/metadata/namespace" };
}
