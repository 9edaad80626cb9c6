/**
 * Under which names imported policies read the data files. Their packages are compiled below a root of their own, so what
 * they call `data.shop` has to be found where the compiler puts that name, and be the document that OPA would show:
 * - where none of their packages stands, the data stays where it is;
 * - below one of their packages, and around some of them, it moves along (the same text at a second place);
 * - where packages of others stand below the same name, only the parts that are data alone are given.
 */
import { type ExactJson, type ExactObject, isExactObject } from "../lib/exact-json.ts";
import type { MovedData } from "./dialect.ts";

type Path = readonly string[];

export interface Packages {
  /** Below which the taken ones are compiled. */
  readonly root: Path;
  readonly taken: readonly Path[];
  /** Packages that keep their names and may be read. */
  readonly libraries: readonly Path[];
  /** Packages that may not be read. */
  readonly others: readonly Path[];
}

export interface DataNames {
  /** For `rename` of the compiler. */
  readonly renames: readonly (readonly [string, string])[];
  readonly moved: readonly MovedData[];
}

export function movedData(document: ExactObject, { root, taken, libraries, others }: Packages): DataNames {
  const renames: (readonly [string, string])[] = [];
  const moved: MovedData[] = [];
  const stands = (packages: readonly Path[], path: Path) => packages.some((one) => begins(one, path));

  function look(path: Path, value: ExactJson): void {
    const to = [...root, ...path];
    const isAround = stands(taken, path);
    if (taken.some((one) => begins(path, one))) moved.push({ from: path, to });
    else if (!stands(others, path) && !isAround) renames.push([renameKey(path), renameKey(path)]);
    else if (!stands(others, path) && !stands(libraries, path)) {
      renames.push([renameKey(path), renameKey(to)]);
      moved.push({ from: path, to });
    } else if (isExactObject(value)) lookBelow(path, value);
  }

  function lookBelow(path: Path, value: ExactObject): void {
    for (const [name, inner] of Object.entries(value)) look([...path, name], inner);
  }

  lookBelow([], document);
  return { renames, moved };
}

function begins(path: Path, beginning: Path): boolean {
  return beginning.every((part, index) => part === path[index]);
}

/** `a.b` as the compiler's `rename` has it; a list where a part is no plain name. */
function renameKey(path: Path): string {
  return path.every((part) => /^\w+$/.test(part)) ? path.join(".") : JSON.stringify(path);
}

/** Of a package as the compiler writes it: `a.b["c-d"]`. */
export function nameParts(name: string): Path {
  return [...name.matchAll(/\["((?:[^"\\]|\\.)*)"\]|[^.["\]]+/g)].map(([whole, quoted]) =>
    quoted === undefined ? whole : (JSON.parse(`"${quoted}"`) as string),
  );
}
