/** The sources as text: which file imports which, for tests that hold the layout. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface SourceFile {
  /** From the repository's root, `src/lib/errors.ts`. */
  readonly path: string;
  /** Without comments; a text that looks like a comment is gone as well. */
  readonly code: string;
  /** Everything imported, in the order of the text: `node:fs`, `zod`, or the path of a file from the root. */
  readonly imports: readonly SourceImport[];
}

export interface SourceImport {
  readonly to: string;
  /** True for `await import()`, which runs only when it is reached. */
  readonly isLazy: boolean;
}

const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(,])\/\/.*$/gm;
/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. */
const IMPORT = /\b(?:from\s+|import\s+|(import)\s*\(\s*)["']([^"']+)["']/g;

export function readSources(folder = "src"): readonly SourceFile[] {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT }).sort().map(readSource);
}

function readSource(path: string): SourceFile {
  const code = readFileSync(join(ROOT, path), "utf8").replace(COMMENT, "");
  const imports = [...code.matchAll(IMPORT)].map(([, lazy, specifier = ""]) => ({
    to: specifier.startsWith(".") ? join(path, "..", specifier) : specifier,
    isLazy: lazy !== undefined,
  }));
  return { path, code, imports };
}

/** `src/log/stores/sqlite.ts` -> `log`. */
export function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** The first cycle of imports found, as its files in order; null when there is none. */
export function findCycle(sources: readonly SourceFile[]): readonly string[] | null {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports.map(({ to }) => to)]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of edges.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== null) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const { path } of sources) {
    const cycle = visit(path, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
