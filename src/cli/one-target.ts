/** `--target T`, where a command is about one: needed only where there are several. */
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";

/** `file` says where the names stand. @throws SluiceError `usage`, `target-unknown` */
export function oneTarget(names: readonly string[], given: string | undefined, file: string): string {
  const [only, ...others] = names;
  if (given === undefined && only !== undefined && others.length === 0) return only;
  if (given !== undefined) return knownTarget(names, given, file);
  throw new SluiceError("usage", `Several targets are there: ${sorted(names)}.`, { fix: "--target T" });
}

/** @throws SluiceError `target-unknown` with the nearest name */
export function knownTarget(names: readonly string[], given: string, file: string): string {
  if (names.includes(given)) return given;
  const close = nearest(given, names);
  const known = sorted(names);
  throw new SluiceError("target-unknown", `${file} has no target ${JSON.stringify(given)}; it has ${known}.`, {
    fix: close === null ? "name one of them" : `--target ${close}`,
  });
}

function sorted(names: readonly string[]): string {
  return [...names].sort().join(", ");
}
