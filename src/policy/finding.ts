/** One thing a rule said. */
import { type Position, type ResourceId, resourceName } from "../render/resource.ts";

export type FindingKind = "deny" | "warn" | "ask";
export type Level = "low" | "medium" | "high" | "critical";

export interface Finding {
  readonly rule: string;
  /** Package of the policy, for example `sluice.kubernetes.privileged`. */
  readonly policy: string;
  readonly kind: FindingKind;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
  /** null for a rule of scope change. */
  readonly resource: ResourceId | null;
  /** JSON pointer into the object, "" for the whole. */
  readonly at: string;
  readonly position: Position | null;
  /** Id of the waiver that marks it (see decision/waivers.ts); a waiver never removes a finding. */
  readonly waivedBy: string | null;
  /** True when it existed at adoption. */
  readonly baseline: boolean;
  /** From METADATA: false where no waiver may help. */
  readonly waivable: boolean;
  /** From METADATA: the role whose approval answers an ask; null = any. */
  readonly role: string | null;
}

/** A (rule, document) pair that could not be evaluated; always an error, never an allow. */
export interface NotEvaluated {
  /** `rule` or `rule on Kind/ns/name`. */
  readonly what: string;
  readonly code: string;
  readonly message: string;
}

/** By rule, resource, place, message and kind: the one order of findings. */
export function compareFindings(a: Finding, b: Finding): number {
  const [left, right] = [sortKey(a), sortKey(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function sortKey({ rule, resource, at, message, kind }: Finding): string {
  return [rule, resource === null ? "" : resourceName(resource), at, message, kind].join("\u0000");
}
