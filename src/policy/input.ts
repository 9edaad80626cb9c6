/**
 * The document a policy sees as `input`, version 1: one per resource and one per change.
 * The published schemas are docs/reference/schemas/policy-input.{resource,change}.schema.json.
 */
import type { JsonObject } from "../lib/canonical.ts";
import type { ResourceAction, ResourceId } from "../render/resource.ts";
import type { ChangeKind } from "../signature/trust.ts";
import type { SignerClass } from "../signature/verification.ts";

export type SubjectKind = "proposed" | "landed" | "admission" | "scan" | "drift" | "file";
export type TargetMode = "observe" | "warn" | "enforce";

export interface InputSubject {
  readonly kind: SubjectKind;
  readonly target: {
    readonly name: string;
    readonly repository: string;
    readonly branch: string;
    readonly path: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly mode: TargetMode;
  };
  /** RFC 3339, recorded: the only clock a policy sees. */
  readonly time: string;
}

export interface InputCommit {
  readonly id: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly committer: { readonly name: string; readonly email: string };
  readonly message: string;
  readonly verification: {
    readonly kind: "verified" | "rejected";
    readonly reason: string | null;
    readonly format: string | null;
    readonly signer: {
      readonly person: string;
      readonly roles: readonly string[];
      readonly class: SignerClass;
      readonly key: string;
      readonly hardware: { readonly touch: boolean; readonly pin: boolean } | null;
    } | null;
    readonly timeBasis: string;
  };
}

export interface InputApproval {
  readonly person: string;
  readonly roles: readonly string[];
  readonly at: string;
  readonly via: "signature" | "forge";
}

export interface InputChange {
  readonly base: string;
  readonly head: string;
  readonly tree: string;
  readonly author: string;
  readonly kinds: readonly ChangeKind[];
  readonly paths: readonly string[];
  readonly resources: readonly { readonly id: ResourceId; readonly action: ResourceAction }[];
  readonly pullRequest: null;
}

/** The pod of any workload kind, found for the policies so that none has to know seven shapes. */
export interface InputPod {
  /** JSON pointer of the pod spec, for example `/spec/template/spec`. */
  readonly at: string;
  readonly spec: JsonObject;
  readonly containers: readonly {
    /** JSON pointer of the container. */
    readonly at: string;
    readonly type: "container" | "init" | "ephemeral";
    readonly spec: JsonObject;
  }[];
}

export interface InputResource {
  readonly id: ResourceId;
  readonly action: ResourceAction;
  /** null on delete; Secret data masked. */
  readonly object: JsonObject | null;
  readonly previous: JsonObject | null;
  readonly origin: { readonly file: string; readonly line: number; readonly tool: string } | null;
}

export interface PolicyInput {
  readonly version: 1;
  readonly subject: InputSubject;
  readonly resource: InputResource | null;
  readonly pod: InputPod | null;
  readonly change: InputChange | null;
  readonly commits: readonly InputCommit[];
  readonly approvals: readonly InputApproval[];
  readonly checks: readonly JsonObject[];
  readonly request: JsonObject | null;
}
