/** What was set or asked for last, so many of them at most: what nobody has asked for longest gives way. */
export interface Latest<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

export function openLatest<K, V>(most: number): Latest<K, V> {
  const kept = new Map<K, V>();
  const set = (key: K, value: V): void => {
    kept.delete(key); // a Map's first key is then the one of longest ago
    kept.set(key, value);
    if (kept.size > most) kept.delete(kept.keys().next().value as K);
  };
  return {
    get(key) {
      const value = kept.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
  };
}
