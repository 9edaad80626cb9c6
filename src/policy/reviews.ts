/**
 * Requests as an API server would send them, for the policies that were written for one. Rego builds them from the input,
 * so that an object is in the module's memory once:
 *
 *   0  what the change does: CREATE, UPDATE or DELETE, or the request itself where the door is one for requests
 *   1  the object as it will be, as Gatekeeper's audit and gator ask: no operation, no old object
 *   2  the same as if it were created now, for policies that know no audit
 *
 * An update is asked twice, 0 and then 1 or 2: a policy that lets updates through would otherwise never see what they
 * lead to (docs/decisions/040). As in Gatekeeper, `object` is the old one on DELETE, and an unknown user is `{}`.
 */
import type { JsonObject } from "../lib/canonical.ts";
import type { PolicyInput } from "./input.ts";

const STATE = 1;
const CREATED = 2;

export const REVIEWS_TEXT = `names := {part: name |
	some part in ["name", "namespace"]
	name := input.resource.id[part]
	name != ""
}

about := object.union(names, {
	"uid": "",
	"kind": {part: input.resource.id[part] | some part in ["group", "version", "kind"]},
	"resource": {"group": "", "version": "", "resource": ""},
	"userInfo": {},
	"options": null,
})

now(operation, old) := object.union(about, {
	"operation": operation,
	"object": input.resource.object,
	"oldObject": old,
})

reviews[0] := now("CREATE", null) if {
	input.request == null
	input.resource.action == "create"
}

reviews[0] := now("UPDATE", input.resource.previous) if {
	input.request == null
	input.resource.action == "update"
}

reviews[0] := object.union(about, {
	"operation": "DELETE",
	"object": input.resource.previous,
	"oldObject": input.resource.previous,
}) if {
	input.request == null
	input.resource.action == "delete"
}

reviews[0] := input.request if {
	is_object(input.request)
	not is_deletion
}

reviews[0] := object.union(input.request, {"object": input.request.oldObject}) if is_deletion

is_deletion if input.request.operation == "DELETE"

reviews[1] := now("", null) if is_object(input.resource.object)

reviews[2] := now("CREATE", null) if is_object(input.resource.object)
`;

export interface Review {
  readonly number: number;
  readonly object: JsonObject | null;
  readonly oldObject: JsonObject | null;
  readonly isDeletion: boolean;
}

/** What there is to ask about a document, of what the text above makes; `state` is what stands for the object at rest. */
export function reviewsOf({ resource, request }: PolicyInput, state: "state" | "created"): readonly Review[] {
  if (resource === null) return [];
  if (request !== null) {
    const [object, oldObject] = [objectOf(request["object"]), objectOf(request["oldObject"])];
    const isDeletion = request["operation"] === "DELETE";
    return [{ number: 0, object: isDeletion ? oldObject : object, oldObject, isDeletion }];
  }
  const { action, object, previous } = resource;
  const atRest: Review = { number: state === "state" ? STATE : CREATED, object, oldObject: null, isDeletion: false };
  switch (action) {
    case "create":
      return [{ number: 0, object, oldObject: null, isDeletion: false }];
    case "update":
      return [{ number: 0, object, oldObject: previous, isDeletion: false }, atRest];
    case "delete":
      return [{ number: 0, object: previous, oldObject: previous, isDeletion: true }];
    case "unchanged":
      return [atRest];
  }
}

function objectOf(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
