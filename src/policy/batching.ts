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
  readonly data: Span | null;
}

/** What imported rules need beside the documents. */
export interface ImportedInput {
  /** By document: reviews to ask (reviews.ts) by id of each imported rule. null: the set has no imported rule. */
  readonly asked: readonly Readonly<Record<string, readonly number[]>>[] | null;
  /** JSON text; null = nothing. */
  readonly data: string | null;
}

export function encodeDocuments(documents: readonly PolicyInput[], { asked, data }: ImportedInput): EncodedDocuments {
  const texts = new TextBuffer();
  const shared = new Map<unknown, Span>();
  const contexts: Readonly<Record<string, Span>>[] = [];
  const contextIndex = new Map<string, number>();

  /** One value, one text: documents share values, not copies of them. */
  function sharedSpan(value: unknown): Span {
    const span = shared.get(value) ?? texts.add(canonicalJson(value as JsonValue));
    shared.set(value, span);
    return span;
  }

  function contextOf(document: PolicyInput): number {
    const spans = Object.fromEntries(SHARED_KEYS.map((key) => [key, sharedSpan(document[key])]));
    const name = Object.values(spans).join();
    const index = contextIndex.get(name) ?? contexts.length;
    if (index === contexts.length) contexts.push(spans);
    contextIndex.set(name, index);
    return index;
  }

  function ownSpans(document: PolicyInput, index: number): Readonly<Record<string, Span>> {
    const spans = OWN_KEYS.map(
      (key) => [key, texts.add(canonicalJson(document[key] as unknown as JsonValue))] as const,
    );
    if (asked === null) return Object.fromEntries(spans);
    return { ...Object.fromEntries(spans), asked: texts.add(canonicalJson(asked[index] ?? {})) };
  }

  const encoded = documents.map((document, index): BatchDocument | null => {
    try {
      return { context: contextOf(document), own: ownSpans(document, index) };
    } catch {
      return null;
    }
  });
  const dataSpan = data === null ? null : texts.add(data);
  return { bytes: texts.bytes(), contexts, documents: encoded, data: dataSpan };
}

/** In memory that threads share. */
export function sharedBytes(text: string): Uint8Array {
  const texts = new TextBuffer();
  texts.add(text);
  return texts.bytes();
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
