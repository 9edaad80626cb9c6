/** What is to be erased, and where it stands in what was disclosed. */
import type { JsonValue } from "../../lib/canonical.ts";

/** A person's or a resource's name as a word of its own, or any text. */
export type RedactionSubject =
  | { readonly of: "person"; readonly name: string }
  | { readonly of: "resource"; readonly name: string }
  | { readonly of: "text"; readonly text: string };

/** Whether a text speaks of the subject, in either case. Tells too much rather than too little: a name is a word anywhere. */
export function speaksOf(text: string, subject: RedactionSubject): boolean {
  return patternOf(subject).test(text);
}

/** Whether a value does: in a text, in a key, or as an object with the resource's kind, namespace and name. */
export function holdsSubject(value: JsonValue, subject: RedactionSubject): boolean {
  const pattern = patternOf(subject);
  const isResource = subject.of === "resource" ? resourceTest(subject.name) : () => false;
  const holds = (one: JsonValue): boolean => {
    if (typeof one === "string") return pattern.test(one);
    if (typeof one === "number") return subject.of === "text" && String(one) === subject.text;
    if (one === null || typeof one !== "object") return false;
    if (Array.isArray(one)) return one.some(holds);
    const object = one as Readonly<Record<string, JsonValue>>;
    return isResource(object) || Object.entries(object).some(([key, each]) => pattern.test(key) || holds(each));
  };
  return holds(value);
}

function patternOf(subject: RedactionSubject): RegExp {
  const text = subject.of === "text" ? subject.text : subject.name;
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(subject.of === "text" ? literal : `(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])`, "iu");
}

/** `Kind/namespace/name`, or `Kind/name` where it has no namespace. */
function resourceTest(text: string): (object: Readonly<Record<string, JsonValue>>) => boolean {
  const [kind = "", ...rest] = text.split("/");
  const [namespace, name] = rest.length > 1 ? [rest[0], rest.slice(1).join("/")] : ["", rest[0]];
  return (object) => object["kind"] === kind && object["name"] === name && (object["namespace"] ?? "") === namespace;
}
