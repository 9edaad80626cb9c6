/**
 * The patterns of `ignore`: `*` and `?` stay inside one path part, `**` crosses parts. A pattern without a slash names
 * a file anywhere; one with a slash starts at the root; one that ends in a slash means everything below. Matched
 * exactly, with case, against the whole path.
 */

const MAXIMUM_CHARACTERS = 512;

/** Character classes, negation and escapes do not exist here; a pattern that has them is refused, not guessed. */
export function isPattern(text: string): boolean {
  if (text === "" || text.length > MAXIMUM_CHARACTERS || /[\u0000-\u001f[\]{}!\\]/.test(text)) return false;
  return partsOf(text).every((part) => part !== "" && part !== "." && part !== ".." && isPart(part));
}

/** For one pattern and many paths. What is no pattern matches nothing. */
export function openPattern(pattern: string): (path: string) => boolean {
  if (!isPattern(pattern)) return () => false;
  const parts = partsOf(pattern);
  const literal = longestLiteral(parts);
  return (path) => path.includes(literal) && matchParts(parts, path.split("/"));
}

/** Stands in every path that matches: most others are told apart by it at once. */
function longestLiteral(parts: readonly string[]): string {
  const literals = parts.flatMap((part) => part.split(/[*?]+/));
  return literals.reduce((longest, one) => (one.length > longest.length ? one : longest), "");
}

/** For many patterns and many paths: a pattern that begins with a plain part is asked about paths that begin with it. */
export function openPatterns(patterns: readonly string[]): (path: string) => boolean {
  const byStart = Map.groupBy(patterns, (pattern) => plainPart(partsOf(pattern)[0]));
  const opened = new Map([...byStart].map(([start, some]) => [start, some.map(openPattern)]));
  const anywhere = opened.get("") ?? [];
  return (path) => {
    const here = opened.get(path.split("/", 1)[0] ?? "") ?? [];
    return here.some((matches) => matches(path)) || anywhere.some((matches) => matches(path));
  };
}

/** "" for a part with a wildcard. */
function plainPart(part = ""): string {
  return /[*?]/.test(part) ? "" : part;
}

function isPart(part: string): boolean {
  return part === "**" || !part.includes("**");
}

/** `docs/**` is written `docs/**` + `*`, so that it means what lies below and not the folder's name itself. */
function partsOf(pattern: string): string[] {
  const below = pattern.endsWith("/") ? `${pattern}**` : pattern;
  if (!below.includes("/")) return below === "**" ? ["**", "*"] : ["**", below];
  const parts = (below.startsWith("/") ? below.slice(1) : below).split("/");
  return parts.at(-1) === "**" ? [...parts, "*"] : parts;
}

function matchParts(pattern: readonly string[], path: readonly string[]): boolean {
  return walk(
    pattern.length,
    path.length,
    (p) => pattern[p] === "**",
    (p, i) => matchPart(pattern[p] ?? "", path[i] ?? ""),
  );
}

function matchPart(pattern: string, part: string): boolean {
  return walk(
    pattern.length,
    part.length,
    (p) => pattern[p] === "*",
    (p, i) => pattern[p] === "?" || pattern[p] === part[i],
  );
}

/** Two pointers: on a mismatch only the last star gives way, which is enough and never explodes. */
function walk(
  patternLength: number,
  length: number,
  isStar: (p: number) => boolean,
  matches: (p: number, i: number) => boolean,
): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < length; ) {
    if (p < patternLength && isStar(p)) {
      star = p++;
      resume = i;
    } else if (p < patternLength && matches(p, i)) {
      p++;
      i++;
    } else if (star !== -1) {
      p = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (p < patternLength && isStar(p)) p++;
  return p === patternLength;
}
