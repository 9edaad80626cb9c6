/** What a renderer is given and what it promises. */
import type { BlobId, TreeFile } from "../git/object.ts";
import type { Memo } from "../lib/memo.ts";
import type { RendererName, RenderFailure, Resource } from "./resource.ts";

export interface RenderSource {
  /** Files in the target's path that are not governance files, sorted by path. */
  readonly files: readonly TreeFile[];
  /** Blobs in the order asked; @throws SluiceError `object-too-large` and others of git. */
  read(ids: readonly BlobId[]): Promise<readonly Uint8Array[]>;
  isIgnored(path: string): boolean;
  /** What files gave before, by path and blob id. */
  readonly memo: Memo;
  /** What files of another tree gave a moment ago. */
  readonly shared: SharedFiles;
}

/**
 * Two trees of one change have most files in common: the same path, content and `ignore` give the same. Keyed by
 * `<blob id> <isIgnored> <path>`; kept for one judgement, under one set of rules.
 */
export type SharedFiles = Map<string, FileParts>;

/** What one file of so many bytes gave. */
export interface FileParts {
  readonly bytes: number;
  readonly parts: RenderedParts;
}

export interface RenderedParts {
  readonly resources: readonly Resource[];
  readonly failures: readonly RenderFailure[];
}

/**
 * MUST turn every file of the source into resources or failures, leave out only what is ignored and holds no object,
 * start no process of the repository's choosing and follow no link. MUST NOT throw for anything that the files hold.
 */
export interface Renderer {
  readonly name: RendererName;
  /** Told by looking at paths alone. */
  recognises(files: readonly TreeFile[]): boolean;
  render(source: RenderSource): Promise<RenderedParts>;
}
