/** What an AdmissionReview asks, and the answer that it gets: Kubernetes `admission.k8s.io/v1`, types.go. */
import type { JsonObject } from "../lib/canonical.ts";

export const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;
export type Operation = (typeof OPERATIONS)[number];

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface AdmissionRequest {
  /** Echoed exactly in the answer. */
  readonly uid: string;
  /** The version that the webhook's rule names: what is judged. */
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  /** Empty for the object itself. */
  readonly subResource: string;
  /** Empty with `generateName`, and for the deletion of a collection. */
  readonly name: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly operation: Operation;
  readonly userInfo: JsonObject;
  /** null on DELETE. */
  readonly object: JsonObject | null;
  /** null on CREATE and CONNECT. */
  readonly oldObject: JsonObject | null;
  /** True: nothing may change because of it; whatever is recorded is marked. */
  readonly dryRun: boolean;
  /** The whole request as it came, for policies that read `input.request`. */
  readonly whole: JsonObject;
}

/** What the judge says of one request; `code` and `message` are for a refusal. */
export interface AdmissionVerdict {
  readonly allowed: boolean;
  /** null only where it is allowed. */
  readonly code: string | null;
  readonly message: string | null;
  /** Shown by kubectl; strangers' text is made printable and short before it leaves. */
  readonly warnings: readonly string[];
  /** Where it is logged; null where nothing was recorded. */
  readonly decision: { readonly id: string; readonly index: number } | null;
}
