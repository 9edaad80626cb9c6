/** Where the references of a JSON Schema lead: to a part of the same document, by pointer or by identifier. */
import { isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import { BuiltinError, isObjectValue, LimitError, member } from "./call.ts";

/** OPA's call fails with these words, or says them. */
export class SchemaError extends BuiltinError {}

/** What a document without an identifier is resolved against; it is never shown. */
const NOWHERE = "sluice://nowhere";
const NO_SCHEMA_INSIDE: ReadonlySet<string> = new Set(["const", "enum"]);
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(["properties", "dependencies", "patternProperties"]);

export class SchemaPool {
  readonly #documents = new Map<string, RegoValue>();
  readonly #bases = new Map<RegoObject, string>();

  constructor(document: RegoValue) {
    this.#walk(document, "");
    this.#documents.set("", document);
  }

  /** @param node the object that says the reference */
  absolute(node: RegoObject, reference: string): string {
    return resolve(this.#bases.get(node) ?? "", reference);
  }

  /** @throws SchemaError LimitError for another document: nothing is fetched */
  find(absolute: string): RegoValue {
    const named = this.#documents.get(absolute);
    if (named !== undefined) return named;
    const [url = "", fragment = ""] = absolute.split("#", 2);
    const document = this.#documents.get(url);
    if (document !== undefined) return pointed(document, fragment);
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) throw new SchemaError(`Reference ${absolute} must be canonical`);
    throw new LimitError(`the schema refers to ${url}, and no policy reaches the network`);
  }

  #walk(node: RegoValue, base: string): void {
    if (isArray(node)) for (const one of node) this.#walk(one, base);
    if (!isObjectValue(node)) return;
    const named = member(node, member(node, "id") === undefined ? "$id" : "id");
    const own = typeof named === "string" ? resolve(base, named) : base;
    if (typeof named === "string") {
      if (this.#documents.has(own)) throw new SchemaError(`Reference already exists: "${own}"`);
      this.#documents.set(own, node);
    }
    this.#bases.set(node, own);
    for (const [key, one] of node.entries) {
      if (NO_SCHEMA_INSIDE.has(key as string)) continue;
      if (!SCHEMAS_BY_NAME.has(key as string)) this.#walk(one, own);
      else if (isObjectValue(one)) for (const [, schema] of one.entries) this.#walk(schema, own);
    }
  }
}

function resolve(base: string, reference: string): string {
  const document = base.replace(/#.*$/s, "");
  if (reference === "" || reference.startsWith("#")) return `${document}${reference === "#" ? "" : reference}`;
  try {
    const from = /^[a-z][a-z0-9+.-]*:/i.test(document) ? document : new URL(document, `${NOWHERE}/`).href;
    const { href } = new URL(reference, from);
    return (href.startsWith(NOWHERE) ? href.slice(NOWHERE.length) : href).replace(/#$/, "");
  } catch {
    throw new SchemaError(`the reference ${reference} is no URL`);
  }
}

/** RFC 6901, and only a fragment that begins with a slash is a pointer. */
function pointed(document: RegoValue, fragment: string): RegoValue {
  if (!fragment.startsWith("/")) return document;
  let node = document;
  for (const token of decodeURIComponent(fragment.replace(/%(?![0-9a-f]{2})/gi, "%25"))
    .slice(1)
    .split("/")) {
    const next = isArray(node) ? itemAt(node, token) : isObjectValue(node) ? keyAt(node, token) : undefined;
    if (next === undefined) throw new SchemaError(`Invalid token reference '${token}'`);
    node = next;
  }
  return node;
}

function itemAt(node: readonly RegoValue[], token: string): RegoValue {
  if (!/^[+-]?\d+$/.test(token)) throw new SchemaError(`Invalid array index '${token}'`);
  const found = node[Number(token)];
  if (found === undefined) throw new SchemaError(`Out of bound array[0,${node.length}] index '${Number(token)}'`);
  return found;
}

function keyAt(node: RegoObject, token: string): RegoValue {
  const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
  const found = member(node, key);
  if (found === undefined) throw new SchemaError(`Object has no key '${key}'`);
  return found;
}
