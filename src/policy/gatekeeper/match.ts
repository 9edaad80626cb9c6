/** Whether a constraint's `spec.match` selects an object; the same answers as Gatekeeper's own matcher gives. */
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import type { Selection, Surroundings } from "../dialect.ts";
import type { PolicyInput } from "../input.ts";
import type { Constraint, ConstraintMatch, LabelSelector } from "../policy-set.ts";
import { type Review, reviewsOf } from "../reviews.ts";
import { isObject } from "../toolchain.ts";
import { groupOf } from "./documents.ts";

/** null: the object's Namespace would have to be known and is not. */
type Answer = boolean | null;

export function selectConstraint(
  { match, asksDeletions }: Constraint,
  document: PolicyInput,
  around: Surroundings,
): Selection {
  const reviews: number[] = [];
  for (const review of reviewsOf(document, "state")) {
    // At a door for requests whoever sends them has decided that deletions are asked about.
    if (review.isDeletion && !asksDeletions && document.request === null) continue;
    const answer = matchesAny(match, review, document, around);
    if (answer === null) return unclear(document);
    if (answer) reviews.push(review.number);
  }
  return reviews.length === 0 ? { kind: "no" } : { kind: "yes", reviews };
}

function unclear({ resource }: PolicyInput): Selection {
  const name = resource?.id.namespace ?? "";
  const message = `the constraint selects by the labels of the Namespace ${JSON.stringify(name)}, which is not among the objects that are judged`;
  return { kind: "unclear", code: "namespace-absent", message };
}

/** As in Gatekeeper, the new or the old object is enough. */
function matchesAny(match: ConstraintMatch, review: Review, document: PolicyInput, around: Surroundings): Answer {
  const { request, resource } = document;
  const namespace = request === null ? (resource?.id.namespace ?? "") : textOf(request["namespace"]);
  const labels = namespace === "" ? null : (around.namespaces.get(namespace) ?? null);
  const owner = labels === null ? null : { name: namespace, labels };
  for (const object of [review.object, review.oldObject]) {
    const answer = object === null ? false : matches(match, object, owner);
    if (answer !== false) return answer;
  }
  return false;
}

interface Owner {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

function matches(match: ConstraintMatch, object: JsonObject, owner: Owner | null): Answer {
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  const isNamespace = textOf(object["kind"]) === "Namespace" && groupOf(textOf(object["apiVersion"])) === "";
  const own = textOf(metadata["namespace"]);
  const namespace = isNamespace ? textOf(metadata["name"]) : (owner?.name ?? own);
  if (!matchesKind(match, object) || !matchesScope(match, isNamespace, own !== "" || owner !== null)) return false;
  if (namespace !== "" && match.namespaces.length > 0 && !match.namespaces.some((one) => isLike(one, namespace)))
    return false;
  if (namespace !== "" && match.excludedNamespaces.some((one) => isLike(one, namespace))) return false;
  const labels = isObject(metadata["labels"]) ? metadata["labels"] : {};
  if (match.labelSelector !== null && !isSelected(match.labelSelector, labels)) return false;
  const named = matchesName(match.name, metadata);
  const placed = matchesNamespaceLabels(match, labels, isNamespace, own, owner);
  return named ? placed : false;
}

function matchesKind({ kinds }: ConstraintMatch, object: JsonObject): boolean {
  const has = (list: readonly string[], one: string) => list.length === 0 || list.includes("*") || list.includes(one);
  const [group, kind] = [groupOf(textOf(object["apiVersion"])), textOf(object["kind"])];
  return kinds.length === 0 || kinds.some((one) => has(one.kinds, kind) && has(one.apiGroups, group));
}

function matchesScope({ scope }: ConstraintMatch, isNamespace: boolean, hasNamespace: boolean): boolean {
  if (scope === "Cluster") return isNamespace || !hasNamespace;
  return scope === "*" || (!isNamespace && hasNamespace);
}

function matchesNamespaceLabels(
  { namespaceSelector }: ConstraintMatch,
  labels: JsonObject,
  isNamespace: boolean,
  own: string,
  owner: Owner | null,
): Answer {
  if (namespaceSelector === null) return true;
  if (isNamespace) return isSelected(namespaceSelector, labels);
  if (owner !== null) return isSelected(namespaceSelector, owner.labels);
  return own === "" ? true : null;
}

function matchesName(pattern: string, metadata: JsonObject): boolean {
  if (pattern === "" || isLike(pattern, textOf(metadata["name"]))) return true;
  const isOpen = pattern.endsWith("*");
  return isOpen && isLike(pattern, textOf(metadata["generateName"]));
}

function isSelected({ matchLabels, matchExpressions }: LabelSelector, labels: JsonObject): boolean {
  const labelOf = (key: string) => (Object.hasOwn(labels, key) ? (labels[key] ?? "") : null);
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(key) === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labelOf(key);
      const isIn = typeof value === "string" && values.includes(value);
      return { In: isIn, NotIn: !isIn, Exists: value !== null, DoesNotExist: value === null }[operator];
    })
  );
}

/** `*` at the beginning, at the end or at both stands for anything; nowhere else. */
function isLike(pattern: string, text: string): boolean {
  const [open, end] = [pattern.startsWith("*"), pattern.endsWith("*")];
  const middle = pattern.replace(/^\*/, "").replace(/\*$/, "");
  if (open && end) return text.includes(middle);
  if (open) return text.endsWith(middle);
  return end ? text.startsWith(middle) : text === pattern;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
