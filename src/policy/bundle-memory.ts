/**
 * The newest version of each bundle that was taken here. A bundle that everybody signed stays signed when it is old, so
 * whoever delivers it could bring back a set that lacks a rule; only memory tells.
 *
 *   <folder>/<SHA-256 of what it is believed by and its name>/<version>   holds the digest of its policies
 *
 * A version is one file, made whole, never changed and never removed, and the highest counts: two commands at once cannot take each
 * other's memory away.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import type { ReadBundle } from "./bundle-read.ts";

const FOLDER_MODE = 0o700;
const VERSION = /^(?:0|[1-9]\d{0,15})$/;

/**
 * Takes a bundle that is signed, and remembers its version. One that says none is taken where none was taken before.
 * @param anchor what the bundle is believed by: the versions of another are others
 * @throws SluiceError `bundle-rolled-back`, `bundle-memory`
 */
export function takeVersion(
  folder: string,
  anchor: string,
  bundle: Pick<ReadBundle, "name" | "version" | "digest">,
): void {
  const place = join(folder, sha256Hex(JSON.stringify([anchor, bundle.name])));
  const { version, digest } = bundle;
  refuseOlder(place, bundle);
  if (version === null) return;
  remembering(place, () => keep(place, version, digest));
  refuseOlder(place, bundle); // another command may have taken one in between
}

interface Taken {
  readonly version: number;
  readonly digest: string;
}

function newestIn(place: string): Taken | null {
  const [version] = versionsIn(place).sort((a, b) => b - a);
  return version === undefined ? null : { version, digest: readFileSync(join(place, String(version)), "utf8") };
}

function versionsIn(place: string): number[] {
  try {
    return readdirSync(place)
      .filter((name) => VERSION.test(name))
      .map(Number);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}

function refuseOlder(place: string, { version, digest }: Pick<ReadBundle, "version" | "digest">): void {
  const taken = remembering(place, () => newestIn(place));
  if (taken === null || (version !== null && version > taken.version)) return;
  if (version === taken.version && digest === taken.digest) return;
  const is = version === null ? "has no version" : `is version ${version}`;
  const other = version === taken.version ? " of other policies" : "";
  throw new SluiceError("bundle-rolled-back", `The bundle ${is}${other}, and version ${taken.version} was taken here.`);
}

/** Whole under its name, or not there: half a file would read as another set. */
function keep(place: string, version: number, digest: string): void {
  mkdirSync(place, { recursive: true, mode: FOLDER_MODE });
  const whole = join(place, String(version));
  if (existsSync(whole)) return;
  const half = join(place, `half-${process.pid}`);
  writeFileSync(half, digest, { mode: 0o600 });
  try {
    linkSync(half, whole);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  } finally {
    rmSync(half, { force: true });
  }
}

function remembering<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new SluiceError("bundle-memory", `Which version was taken last cannot be remembered in ${place}.`, { cause });
  }
}
