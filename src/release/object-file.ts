/**
 * The file name of an object in a release: made by us from the identity, never taken from the source (DESIGN section 7).
 *
 *   <group>_<kind>_<namespace>_<name>     every byte outside [a-z0-9.-] as %xx with lower-case digits
 *   sha256-<64 hex digits>                of the name above, where that is longer than 200 bytes
 *
 * One identity has one name and the other way round, on every file system: there are no upper-case letters, no `/`, and
 * the three underscores (or `sha256-`) keep it from being `.`, `..` or a temporary file of ours.
 */
import { decodeUtf8, utf8 } from "../lib/bytes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import type { ResourceId } from "../render/resource.ts";

type Identity = Pick<ResourceId, "group" | "kind" | "namespace" | "name">;

const MAXIMUM_NAME_BYTES = 200;
const PLAIN_PART = /^[a-z0-9.-]*$/;
const ASCII_PART = /^[\x00-\x7f]*$/;
const ENCODED_PART = /^(?:[a-z0-9.-]|%[0-9a-f]{2})*$/;
const HASHED_NAME = /^sha256-[0-9a-f]{64}$/;

/** @throws SluiceError `internal` for a part with a lone surrogate, and for an empty kind or name: the renderer refuses both. */
export function objectFile(id: Identity): string {
  const parts = [id.group, id.kind, id.namespace, id.name];
  if (id.kind === "" || id.name === "" || !parts.every((part) => part.isWellFormed())) {
    throw new SluiceError("internal", "an object without kind or name, or with a lone surrogate, has no file name");
  }
  const name = parts.map(encodePart).join("_");
  return name.length > MAXIMUM_NAME_BYTES ? `sha256-${sha256Hex(name)}` : name;
}

/** True for exactly the names that objectFile() can make. */
export function isObjectFile(name: string): boolean {
  if (HASHED_NAME.test(name)) return true;
  if (name.length > MAXIMUM_NAME_BYTES) return false;
  const parts = name.split("_");
  if (parts.length !== 4 || parts[1] === "" || parts[3] === "") return false;
  return parts.every((part) => {
    const decoded = decodePart(part);
    return decoded !== null && encodePart(decoded) === part;
  });
}

/** What people call the object of a file, `Deployment/apps/web`; the file name itself where it says no more than a hash. */
export function objectName(file: string): string {
  const [, kind, namespace, name] = isObjectFile(file) ? file.split("_").map(decodePart) : [];
  if (!kind || !name) return file;
  return namespace ? `${kind}/${namespace}/${name}` : `${kind}/${name}`;
}

function encodePart(part: string): string {
  if (PLAIN_PART.test(part)) return part;
  if (ASCII_PART.test(part)) return part.replace(/[^a-z0-9.-]/g, encodeByte);
  let encoded = "";
  for (const byte of utf8(part)) {
    const character = String.fromCharCode(byte);
    encoded += PLAIN_PART.test(character) ? character : encodeByte(character);
  }
  return encoded;
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function decodePart(part: string): string | null {
  if (!ENCODED_PART.test(part)) return null;
  const bytes: number[] = [];
  for (let at = 0; at < part.length; at++) {
    if (part[at] !== "%") bytes.push(part.charCodeAt(at));
    else {
      bytes.push(Number.parseInt(part.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  return decodeUtf8(Uint8Array.from(bytes));
}
