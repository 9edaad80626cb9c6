/** What a review is about: its name as the judge knows names, and its objects as policies may see them. */
import type { JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { isClusterWide } from "../render/cluster-wide.ts";
import { identify, isObject } from "../render/identity.ts";
import type { ResourceAction, ResourceId } from "../render/resource.ts";
import { maskForPolicy } from "../render/secrets.ts";
import type { AdmissionRequest, Operation } from "./review.ts";

const ACTIONS: Readonly<Record<Operation, ResourceAction>> = {
  CREATE: "create",
  UPDATE: "update",
  DELETE: "delete",
  CONNECT: "create",
};
/** Stands in for a name that the API server makes up later; it never leaves here. */
const NAMELESS = "nameless";

export interface AskedObject {
  /** `name` is empty where nobody has given one yet: no waiver fits it. */
  readonly id: ResourceId;
  readonly action: ResourceAction;
  /** null on DELETE. Values of Secrets are masked. */
  readonly object: JsonObject | null;
  readonly previous: JsonObject | null;
  /** The whole request with the same masks. */
  readonly request: JsonObject;
  /** As they came, so that nothing that is said repeats a value of theirs. */
  readonly unmasked: readonly JsonObject[];
}

/**
 * An object of another kind or place than the request says would be selected by the one and judged by the other.
 * @throws SluiceError `request-invalid`, `identity-hostile`
 */
export function askedObject(request: AdmissionRequest): AskedObject {
  const { operation } = request;
  const object = operation === "DELETE" ? null : request.object;
  const previous = operation === "CREATE" || operation === "CONNECT" ? null : request.oldObject;
  const unmasked = [object, previous].filter((one) => one !== null);
  const names = unmasked.map((one) => nameIn(request, one)).filter((name) => name !== "");
  const masked = { object: maskedOrNull(object), oldObject: maskedOrNull(request.oldObject) };
  return {
    id: identityOf(request, names[0] ?? request.name),
    action: ACTIONS[operation],
    object: masked.object,
    previous: maskedOrNull(previous),
    request: { ...request.whole, ...masked },
    unmasked: request.oldObject === null ? unmasked : [...unmasked, request.oldObject],
  };
}

function identityOf({ kind, namespace }: AdmissionRequest, name: string): ResourceId {
  // Of a Namespace the API server says its own name where its namespace would stand.
  const place = isClusterWide(kind.group, kind.kind) ? "" : namespace;
  const metadata = { name: name === "" ? NAMELESS : name, namespace: place };
  const found = identify({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata });
  if (found.kind === "refused") throw new SluiceError("identity-hostile", found.message);
  return { ...found.id, name };
}

/** metadata.name, empty where there is none. @throws SluiceError `request-invalid` */
function nameIn({ kind, namespace, name: asked }: AdmissionRequest, object: JsonObject): string {
  if (object["apiVersion"] !== apiVersionOf(kind) || object["kind"] !== kind.kind) {
    throw new SluiceError("request-invalid", `The review is about ${kind.kind} and brings an object of another kind.`);
  }
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  const { name = "", namespace: place = "" } = metadata;
  if (typeof name !== "string" || (name !== "" && asked !== "" && name !== asked)) {
    throw new SluiceError("request-invalid", `The review is about one ${kind.kind} and brings another.`);
  }
  if (place !== "" && place !== namespace) {
    throw new SluiceError("request-invalid", `The review is about another namespace than its ${kind.kind}.`);
  }
  return name;
}

function apiVersionOf({ group, version }: AdmissionRequest["kind"]): string {
  return group === "" ? version : `${group}/${version}`;
}

function maskedOrNull(object: JsonObject | null): JsonObject | null {
  return object === null ? null : maskForPolicy(object);
}
