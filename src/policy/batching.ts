/** Puts documents into the bytes of one message; what several documents share is written once. */
import { utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import type { BatchDocument, Span } from "./batch.ts";
import type { PolicyInput } from "./input.ts";

const SHARED_KEYS = ["approvals", "change", "checks", "commits", "request", "subject", "version"] as const;
const OWN_KEYS = ["pod", "resource"] as const;

export interface EncodedDocuments {
  readonly bytes: Uint8Array;
  readonly contexts: readonly Readonly<Record<string, Span>>[];
  /** null for a document that has no canonical JSON (a lone surrogate, say) and can therefore not be evaluated. */
  readonly documents: readonly (BatchDocument | null)[];
}

export function encodeDocuments(documents: readonly PolicyInput[]): EncodedDocuments {
  const texts = new TextBuffer();
  const contexts: Record<string, Span>[] = [];
  const contextOf = new Map<string, number>();
  const identities = new Map<unknown, number>();

  function contextIndex(document: PolicyInput): number {
    const key = SHARED_KEYS.map((name) => identityOf(document[name])).join();
    const known = contextOf.get(key);
    if (known !== undefined) return known;
    contexts.push(spansOf(document, SHARED_KEYS));
    contextOf.set(key, contexts.length - 1);
    return contexts.length - 1;
  }

  function identityOf(value: unknown): number {
    const known = identities.get(value) ?? identities.size;
    identities.set(value, known);
    return known;
  }

  function spansOf(document: PolicyInput, keys: readonly (keyof PolicyInput)[]): Record<string, Span> {
    return Object.fromEntries(
      keys.map((key) => [key, texts.add(canonicalJson(document[key] as unknown as JsonValue))]),
    );
  }

  const encoded = documents.map((document): BatchDocument | null => {
    try {
      return { context: contextIndex(document), own: spansOf(document, OWN_KEYS) };
    } catch {
      return null;
    }
  });
  return { bytes: texts.bytes(), contexts, documents: encoded };
}

class TextBuffer {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  add(text: string): Span {
    const chunk = utf8(text);
    this.#chunks.push(chunk);
    this.#length += chunk.byteLength;
    return [this.#length - chunk.byteLength, this.#length];
  }

  /** Shared memory, so that a worker that is replaced needs no second copy. */
  bytes(): Uint8Array {
    const all = new Uint8Array(new SharedArrayBuffer(this.#length));
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.byteLength;
    }
    return all;
  }
}
