/**
 * What a source has of what a gate wants, asked before anything is fetched: mostly nothing has moved, and a question is
 * cheaper than a fetch. What it says decides only whether there is something to fetch.
 */
import { sha256Hex } from "../lib/digest.ts";
import { isObjectId } from "./object.ts";
import type { GitAnswer } from "./process.ts";
import type { RefEntry } from "./repository.ts";

/** As git matches a refspec: the star stands for anything, slashes too, but not for nothing. */
export function matchesRef(pattern: string, name: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return name === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}

/** Those that one of the patterns names. */
export function wantedRefs(refs: readonly RefEntry[], patterns: readonly string[]): readonly RefEntry[] {
  return refs.filter(({ name }) => patterns.some((pattern) => matchesRef(pattern, name)));
}

/** null where the source does not answer, or answers more than is read. */
export async function listRemote(
  run: (args: readonly string[]) => Promise<GitAnswer>,
  url: string,
  patterns: readonly string[],
): Promise<readonly RefEntry[] | null> {
  const answer = await run(["ls-remote", "--refs", "--end-of-options", url, ...patterns]).catch(() => null);
  return answer?.exitCode === 0 ? readRefLines(answer.stdout.toString("utf8"), "\t") : null;
}

/** `<id> <separator> <name>` a line; what is no such line is passed over. */
export function readRefLines(text: string, separator: string): readonly RefEntry[] {
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf(separator);
    return at === -1 ? [] : [{ id: line.slice(0, at), name: line.slice(at + 1) }];
  });
}

/** Equal for the same references at the same objects, in whatever order they are listed. */
export function digestOfRefs(refs: readonly RefEntry[]): string {
  const lines = refs.map(({ name, id }) => `${name} ${isObjectId(id) ? id : "?"}\n`);
  return sha256Hex(lines.sort().join(""));
}
