/** OpenSSH pattern lists (ssh_config(5) PATTERNS): commas between patterns, `*` and `?` wild, `!` in front excludes. */

/** True when some pattern matches and no excluding one does; matching is of the whole text, never of a part. */
export function matchesPatternList(text: string, list: string): boolean {
  const patterns = list.split(",").filter((pattern) => pattern !== "");
  const excluding = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
  if (excluding.some((pattern) => matchesPattern(text, pattern))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && matchesPattern(text, pattern));
}

/** Greedy with one point to fall back to, so that hostile patterns cost at most text times pattern. */
function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let p = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = at;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[at])) {
      p++;
      at++;
    } else if (star !== -1) {
      p = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
