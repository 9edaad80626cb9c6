/** Git objects as values. Ids are checked once here; every object was re-hashed against its id before it becomes one of these. */
import type { Brand } from "../lib/brand.ts";

export type CommitId = Brand<string, "CommitId">;
export type TreeId = Brand<string, "TreeId">;
export type BlobId = Brand<string, "BlobId">;
export type ObjectFormat = "sha1" | "sha256";

/** 40 or 64 lower-case hex digits. By code, since each commit that is read asks six times: a RegExp takes ten times as long. */
export function isObjectId(text: string): boolean {
  if (text.length !== 40 && text.length !== 64) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const isHexDigit = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
    if (!isHexDigit) return false;
  }
  return true;
}

export function commitId(text: string): CommitId {
  return checked(text) as CommitId;
}

export function treeId(text: string): TreeId {
  return checked(text) as TreeId;
}

export function blobId(text: string): BlobId {
  return checked(text) as BlobId;
}

function checked(text: string): string {
  if (!isObjectId(text)) throw new TypeError(`not an object id: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

/** `name <email> seconds zone` of an author or committer line; bytes that are not UTF-8 are shown as U+FFFD. */
export interface Ident {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch as written; attacker-chosen, never a basis for a verdict. */
  readonly seconds: number;
}

/** A commit as read: `raw` is the exact object body (what `git cat-file commit` prints). Header fields are the first of their name. */
export interface Commit {
  readonly id: CommitId;
  readonly raw: Uint8Array;
  readonly tree: TreeId;
  readonly parents: readonly CommitId[];
  readonly author: Ident;
  readonly committer: Ident;
  /** Text after the first empty line, for people; never verified from here. */
  readonly message: string;
}

export type FileMode = "100644" | "100755" | "120000" | "160000" | "040000";

/** One entry of a whole tree listing; `path` is well-formed UTF-8, relative, without `..`, NUL or empty parts. */
export interface TreeFile {
  readonly path: string;
  readonly mode: FileMode;
  readonly id: BlobId;
}

/** One path that differs between two trees; null where it does not exist. */
export interface PathChange {
  readonly path: string;
  readonly oldMode: FileMode | null;
  readonly oldBlob: BlobId | null;
  readonly newMode: FileMode | null;
  readonly newBlob: BlobId | null;
}
