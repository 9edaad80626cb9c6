/** A rendered object: what would be applied, and where in the source it comes from. */
import type { JsonObject } from "../lib/canonical.ts";

/** Core group is "", cluster-scoped objects have namespace "". Version is carried, not part of the identity. */
export interface ResourceId {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Origin {
  readonly file: string;
  /** Line of the document's first line, from 1. */
  readonly line: number;
  /** Index of the YAML document in the file, from 0. */
  readonly document: number;
  /** JSON pointer of the object inside the document ("" unless it is an item of a List). */
  readonly at: string;
  readonly tool: RendererName;
}

/** Renderers that exist; others are refused `not-supported`. */
export type RendererName = "plain";

export interface Resource {
  readonly id: ResourceId;
  readonly object: JsonObject;
  /** Canonical JSON (RFC 8785) of `object`: exactly what a release carries. */
  readonly canonical: string;
  /** SHA-256 of the canonical bytes, hex. */
  readonly sha256: string;
  readonly origin: Origin;
}

/** exact is false when the pointer names something absent and the nearest existing parent is shown. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly exact: boolean;
}

export type ResourceAction = "create" | "update" | "delete" | "unchanged";

export interface ResourceChange {
  readonly id: ResourceId;
  readonly action: ResourceAction;
  /** null on delete. */
  readonly resource: Resource | null;
  /** The object of the last release (preview: of the base tree), null on create. */
  readonly previous: JsonObject | null;
}

/** One thing in the source that could not become a resource: always a refusal, never dropped. */
export interface RenderFailure {
  /** A code of lib/codes/render.ts: "yaml-malformed", "yaml-ambiguous", "duplicate-identity", ... */
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface Rendered {
  /** Sorted by identity. */
  readonly resources: readonly Resource[];
  readonly failures: readonly RenderFailure[];
}

/** `Deployment/apps/web`, cluster-scoped `ClusterRole/admin`: how people name a resource everywhere. */
export function resourceName(id: ResourceId): string {
  return id.namespace === "" ? `${id.kind}/${id.name}` : `${id.kind}/${id.namespace}/${id.name}`;
}

/** Identity as one comparable string: group, kind, namespace, name; no part may contain a NUL. */
export function identityKey(id: ResourceId): string {
  return [id.group, id.kind, id.namespace, id.name].join("\u0000");
}
