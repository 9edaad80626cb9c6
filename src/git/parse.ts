/**
 * Raw object bodies to values. The grammar is the one git writes (gitformat: `tree`, `parent`*, `author`, `committer`, further
 * headers, an empty line, the message); anything another reader could see differently is `object-malformed`.
 */
import { createHash } from "node:crypto";
import { SluiceError } from "../lib/errors.ts";
import { MAX_COMMIT_PARENTS } from "./limits.ts";
import { type Commit, type CommitId, type FileMode, type Ident, isObjectId, type ObjectFormat } from "./object.ts";
import { requirePlainName } from "./path.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** One entry of one tree object; `id` names a tree for mode 040000, a commit elsewhere for 160000, else a blob. */
export interface TreeEntry {
  readonly name: string;
  readonly mode: FileMode;
  readonly id: string;
}

export interface TagTarget {
  readonly id: string;
  readonly type: ObjectType;
}

const LF = 0x0a;

/** The id that these bytes have as an object of this type. */
export function hashObject(format: ObjectFormat, type: ObjectType, body: Uint8Array): string {
  return createHash(format).update(`${type} ${body.byteLength}\0`).update(body).digest("hex");
}

const IDENT = /^(?:([^<>]*) )?<([^<>]*)> (\d{1,15}) [+-]\d{4,6}$/;
/** Nobody: of a line that git does not write. No owner of a key has this address. */
const NO_IDENT: Ident = { name: "", email: "", seconds: 0 };

/**
 * Reads by position, as git does: the tree, the parents directly after it, author and committer. Whatever else could be
 * seen differently by another reader (a header twice, a NUL, people whose line is no line of git's) does not end a whole
 * range here: the verification of that one commit says `malformed-commit` (signature/commit-payload.ts).
 * @throws SluiceError `object-malformed` where tree or parents cannot be read: what hangs together is not known then
 */
export function parseCommit(id: CommitId, raw: Uint8Array, format: ObjectFormat): Commit {
  const { next, message } = openHeader(raw);
  const tree = requireId(id, field(id, next(), "tree"), format);
  let line = next();
  const parents: string[] = [];
  for (; line?.startsWith("parent "); line = next()) parents.push(requireId(id, field(id, line, "parent"), format));
  if (parents.length > MAX_COMMIT_PARENTS) throw malformed(id, "has too many parents");
  const author = identIn(line, "author");
  const committer = identIn(next(), "committer");
  return { id, raw, tree: tree as Commit["tree"], parents: parents as CommitId[], author, committer, message };
}

/** What an annotated tag points to. @throws SluiceError `object-malformed` */
export function parseTag(id: string, raw: Uint8Array, format: ObjectFormat): TagTarget {
  const { next } = openHeader(raw);
  const target = requireId(id, field(id, next(), "object"), format);
  const type = field(id, next(), "type");
  if (type !== "commit" && type !== "tree" && type !== "blob" && type !== "tag")
    throw malformed(id, "has no known type");
  return { id: target, type };
}

/** Line by line, as far as somebody asks: behind the people stands the signature, which is most of a commit's header. */
function openHeader(raw: Uint8Array): { next: () => string | undefined; message: string } {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const empty = bytes.indexOf("\n\n");
  const end = empty === -1 ? bytes.byteLength : empty;
  let at = 0;
  const next = (): string | undefined => {
    if (at > end) return undefined;
    const lf = bytes.indexOf(LF, at);
    const stop = lf === -1 ? end : Math.min(lf, end);
    const line = bytes.toString("utf8", at, stop);
    at = stop + 1;
    return line;
  };
  return { next, message: empty === -1 ? "" : bytes.toString("utf8", empty + 2) };
}

function field(id: string, line: string | undefined, name: string): string {
  if (line === undefined || !line.startsWith(`${name} `)) throw malformed(id, `lacks its ${name} line in its place`);
  return line.slice(name.length + 1);
}

function requireId(id: string, text: string, format: ObjectFormat): string {
  if (!isObjectId(text) || text.length !== idLength(format)) throw malformed(id, "names an object by something else");
  return text;
}

/** What `name <email> seconds zone` says; null for what git does not write. */
export function parseIdent(text: string): Ident | null {
  const match = IDENT.exec(text);
  return match === null ? null : { name: match[1] ?? "", email: match[2] ?? "", seconds: Number(match[3]) };
}

function identIn(line: string | undefined, name: "author" | "committer"): Ident {
  return (line?.startsWith(`${name} `) ? parseIdent(line.slice(name.length + 1)) : null) ?? NO_IDENT;
}

export function idLength(format: ObjectFormat): 40 | 64 {
  return format === "sha1" ? 40 : 64;
}

/** `100664` is what very old git wrote for a file; git itself reads it as 100644. */
const MODES: ReadonlyMap<string, FileMode> = new Map([
  ["100644", "100644"],
  ["100664", "100644"],
  ["100755", "100755"],
  ["120000", "120000"],
  ["160000", "160000"],
  ["40000", "040000"],
]);

/**
 * Tree object: `<mode> SP <name> NUL <id bytes>` repeated, sorted by name with `/` behind a folder's.
 * @throws SluiceError `object-malformed` (also unsorted and duplicate names), `path-hostile`
 */
export function parseTree(id: string, raw: Uint8Array, format: ObjectFormat): readonly TreeEntry[] {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  const idBytes = idLength(format) / 2;
  let before: string | null = null;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, at);
    if (space === -1 || nul < space || nul + 1 + idBytes > bytes.length)
      throw malformed(id, "ends in the middle of an entry");
    const mode = MODES.get(bytes.toString("latin1", at, space));
    if (mode === undefined) throw malformed(id, "has an entry with a mode that git does not write");
    const nameBytes = bytes.subarray(space + 1, nul);
    const name = requirePlainName(nameBytes);
    if (names.has(name)) throw malformed(id, "has two entries of one name");
    names.add(name);
    const key = bytes.toString("latin1", space + 1, nul) + (mode === "040000" ? "/" : "");
    if (before !== null && before >= key) throw malformed(id, "is not sorted"); // latin1 compares as bytes do
    before = key;
    at = nul + 1 + idBytes;
    entries.push({ name, mode, id: bytes.toString("hex", nul + 1, at) });
  }
  return entries;
}

function malformed(id: string, how: string): SluiceError {
  return new SluiceError("object-malformed", `Object ${id} ${how}.`);
}
