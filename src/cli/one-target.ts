/** `--target T`, where a command is about one: needed only where there are several. */
import { SluiceError } from "../lib/errors.ts";

/** `file` says where the names stand. @throws SluiceError `usage`, `target-unknown` */
export function oneTarget(names: readonly string[], given: string | undefined, file: string): string {
  const [only, ...others] = names;
  if (given === undefined && only !== undefined && others.length === 0) return only;
  if (given !== undefined && names.includes(given)) return given;
  const known = [...names].sort().join(", ");
  if (given === undefined)
    throw new SluiceError("usage", `Several targets are there: ${known}.`, { fix: "--target T" });
  throw new SluiceError("target-unknown", `${file} has no target ${JSON.stringify(given)}; it has ${known}.`, {
    fix: "name one of them",
  });
}
