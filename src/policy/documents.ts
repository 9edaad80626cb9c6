/** Makes the documents that policies see: one per resource, deleted ones included, and one for the change as a whole. */
import type { JsonObject } from "../lib/canonical.ts";
import { podOf } from "../render/pod.ts";
import type { ResourceChange } from "../render/resource.ts";
import { maskForPolicy } from "../render/secrets.ts";
import type { InputApproval, InputChange, InputCommit, InputResource, InputSubject, PolicyInput } from "./input.ts";

export interface DocumentSource {
  readonly subject: InputSubject;
  /** Every object of the target, unchanged ones too, and deletions. */
  readonly changes: readonly ResourceChange[];
  /** null where the subject is not a change; then there is no document of scope change. */
  readonly change: InputChange | null;
  readonly commits: readonly InputCommit[];
  readonly approvals: readonly InputApproval[];
  readonly checks: readonly JsonObject[];
}

/** Resources in the given order, then the change. What documents share is one value, which the engine sends once. */
export function buildDocuments(source: DocumentSource): readonly PolicyInput[] {
  const { subject, change, commits, approvals, checks } = source;
  const shared = { version: 1, subject, change, commits, approvals, checks, request: null } as const;
  const documents: PolicyInput[] = source.changes.map((one) => {
    const object = one.resource?.object ?? null;
    return { ...shared, resource: inputResource(one), pod: object === null ? null : podOf(object) };
  });
  if (change !== null) documents.push({ ...shared, resource: null, pod: null });
  return documents;
}

function inputResource({ id, action, resource, previous }: ResourceChange): InputResource {
  const origin = resource?.origin ?? null;
  return {
    id,
    action,
    object: resource === null ? null : maskForPolicy(resource.object),
    previous: previous === null ? null : maskForPolicy(previous),
    origin: origin === null ? null : { file: origin.file, line: origin.line, tool: origin.tool },
  };
}
