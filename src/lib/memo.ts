/** Remembers texts by the digest of everything they follow from. Forgetting never changes an answer, only its speed. */
export interface Memo {
  /** null for whatever is not remembered. */
  get(name: string): string | null;
  set(name: string, text: string): void;
}

/** Remembers for as long as the process lives. */
export function processMemo(): Memo {
  const texts = new Map<string, string>();
  return { get: (name) => texts.get(name) ?? null, set: (name, text) => void texts.set(name, text) };
}
