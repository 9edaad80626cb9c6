/** A target's path in one tree, rendered to the objects that would be applied. */
import type { BlobId, TreeFile } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Memo, processMemo } from "../lib/memo.ts";
import { cleanFolder, openFolder } from "./coverage.ts";
import type { SharedFiles } from "./renderer.ts";
import { otherTool, RENDERERS } from "./renderers.ts";
import { identityKey, type Rendered, type RenderFailure, type Resource, resourceName } from "./resource.ts";

export interface RenderRequest {
  /** The whole tree's listing. */
  readonly files: readonly TreeFile[];
  /** Blobs in the order asked. */
  read(ids: readonly BlobId[]): Promise<readonly Uint8Array[]>;
  /** The target's folder or file; "." is the whole repository. */
  readonly path: string;
  /** `ignore` of sluice.yaml. It lets other kinds of files pass; it never hides an object. */
  isIgnored(path: string): boolean;
  /** Governance files are no part of any rendering; without this nothing is left out. */
  isGovernance?(path: string): boolean;
  /** Remembers what files gave; without it each is read anew. */
  readonly memo?: Memo;
  /** Given to the renderings of both trees of one change, so that what they have in common is read once. */
  readonly shared?: SharedFiles;
}

/** Faithful, also when nothing is there: an empty rendering is for the caller to refuse. Rejects only for git's own errors. */
export async function renderTarget(request: RenderRequest): Promise<Rendered> {
  const link = linkAbove(request.files, request.path);
  if (link !== null) return failed(link);
  const isBelow = openFolder(request.path);
  const files = request.files
    .filter((file) => isBelow(file.path) && request.isGovernance?.(file.path) !== true)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const other = otherTool(files);
  if (other !== null) return failed(notSupported(other.file, other.tool));
  const renderer = RENDERERS.find((candidate) => candidate.recognises(files));
  if (renderer === undefined) throw new SluiceError("internal", "no renderer recognises a plain folder");
  const parts = await renderer.render({
    files,
    read: (ids) => request.read(ids),
    isIgnored: (path) => request.isIgnored(path),
    memo: request.memo ?? processMemo(),
    shared: request.shared ?? new Map(),
  });
  const { resources, failures } = unique(parts.resources);
  return { resources, failures: sorted([...parts.failures, ...failures]) };
}

/** Sorted by identity; of several with one identity the first in the source stays, the others are failures. */
function unique(resources: readonly Resource[]): Rendered {
  const first = new Map<string, Resource>();
  const failures: RenderFailure[] = [];
  for (const resource of resources) {
    const key = identityKey(resource.id);
    const other = first.get(key);
    if (other === undefined) first.set(key, resource);
    else failures.push(duplicate(other, resource));
  }
  const kept = [...first.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
  return { resources: kept, failures };
}

function duplicate(first: Resource, second: Resource): RenderFailure {
  const { file, line } = second.origin;
  const places = `${first.origin.file}:${first.origin.line} and ${file}:${line}`;
  const message = `${resourceName(second.id)} stands twice: ${places}.`;
  return { code: "duplicate-identity", message, file, line, column: 1 };
}

/** The path itself, or a folder on the way to it, as a link or a submodule: following it would leave the tree. */
function linkAbove(files: readonly TreeFile[], path: string): RenderFailure | null {
  const clean = cleanFolder(path);
  const link = files.find((file) => isLink(file) && `${clean}/`.startsWith(`${file.path}/`));
  if (link === undefined) return null;
  const message = `${link.path}, on the way to the target's path, is a symbolic link or a submodule.`;
  return { code: "render-symlink", message, file: link.path, line: 1, column: 1 };
}

function isLink(file: TreeFile): boolean {
  return file.mode === "120000" || file.mode === "160000";
}

function notSupported(file: string, tool: string): RenderFailure {
  const message = `${file} belongs to ${tool}, which Sluice does not render yet; only plain folders are rendered.`;
  return { code: "not-supported", message, file, line: 1, column: 1 };
}

function failed(failure: RenderFailure): Rendered {
  return { resources: [], failures: [failure] };
}

function sorted(failures: readonly RenderFailure[]): readonly RenderFailure[] {
  const key = (failure: RenderFailure) => failure.file;
  return failures.toSorted((a, b) => {
    if (key(a) !== key(b)) return key(a) < key(b) ? -1 : 1;
    return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  });
}
