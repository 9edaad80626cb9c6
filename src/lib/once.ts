/** Computes at the first call and answers the same ever after; a computation that throws is tried again. */
export function once<T>(compute: () => T): () => T {
  let found: { readonly value: T } | null = null;
  return () => {
    found ??= { value: compute() };
    return found.value;
  };
}
