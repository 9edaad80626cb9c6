/** Names that a tree may carry. Refused is what means something else on some file system, or hides what it says. */
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { MAX_PATH_BYTES } from "./limits.ts";

/** C0, DEL and C1 controls, and the marks that make a terminal show text in another order than it is stored in. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
/** Code points that HFS+ ignores in file names, as git's own check of `.git` lists them. */
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** NTFS: trailing dots and spaces are dropped, `git~1` is the short name of `.git`, `:` starts a stream. */
const DOT_GIT = /^(?:\.git|git~1)[ .]*(?:$|:)/i;

/** Nothing refused below can be written with these alone; spares most names the slow way. */
const CERTAINLY_PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.+=@-]*$/;

/** One part of a path. @throws SluiceError `path-hostile` */
export function requirePlainName(bytes: Buffer): string {
  const latin1 = bytes.toString("latin1");
  if (CERTAINLY_PLAIN.test(latin1)) return latin1;
  const name = decodeUtf8(bytes);
  if (name === null) throw hostile("is not UTF-8", bytes.toString("utf8"));
  if (name === "" || name === "." || name === "..") throw hostile("could leave its folder", name);
  if (name.includes("/") || name.includes("\\")) throw hostile("contains a separator", name);
  if (HIDDEN.test(name)) throw hostile("contains control characters", name);
  if (DOT_GIT.test(name.replace(IGNORED_BY_HFS, ""))) throw hostile("means git's own folder", name);
  return name;
}

/** A whole path made of checked names. @throws SluiceError `path-hostile` */
export function requireShortPath(path: string): string {
  if (path.length > MAX_PATH_BYTES / 4 && Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw hostile(`is longer than ${MAX_PATH_BYTES} bytes`, path);
  }
  return path;
}

function hostile(why: string, name: string): SluiceError {
  const shown = JSON.stringify(name.slice(0, 80)).replace(/[^\u0020-\u007e]/g, "?");
  return new SluiceError("path-hostile", `The file name ${shown} ${why}.`);
}
