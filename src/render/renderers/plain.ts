/** Plain folders: every `.yaml`, `.yml` and `.json` file below the target's path, exactly as it stands there. */
import type { TreeFile } from "../../git/object.ts";
import { asSluiceError, SluiceError } from "../../lib/errors.ts";
import { isManifest, readManifest, tooLarge } from "../manifest.ts";
import { recallManifest, rememberManifest } from "../manifest-memo.ts";
import type { RenderedParts, Renderer, RenderSource } from "../renderer.ts";
import type { RenderFailure, Resource } from "../resource.ts";

const FILES_PER_READ = 256;
const MAXIMUM_SOURCE_BYTES = 64 * 1024 * 1024;

export const plain: Renderer = { name: "plain", recognises: () => true, render: renderPlain };

async function renderPlain(source: RenderSource): Promise<RenderedParts> {
  const resources: Resource[] = [];
  const failures = source.files.flatMap((file) => unreadable(file, source.isIgnored(file.path)) ?? []);
  const manifests = source.files.filter((file) => isRegular(file) && isManifest(file.path));
  let bytes = 0;
  for (let start = 0; start < manifests.length; start += FILES_PER_READ) {
    const files = manifests.slice(start, start + FILES_PER_READ);
    await readUnshared(source, files);
    for (const file of files) {
      const { bytes: size, parts } = present(source.shared.get(sharedName(source, file)));
      bytes += size;
      if (bytes > MAXIMUM_SOURCE_BYTES) return { resources, failures: [...failures, allTooLarge(file.path)] };
      for (const resource of parts.resources) resources.push(resource);
      for (const failure of parts.failures) failures.push(failure);
    }
  }
  return { resources, failures };
}

/** What the other tree has given already, or an earlier run, is not read again. */
async function readUnshared(source: RenderSource, files: readonly TreeFile[]): Promise<void> {
  const unread: TreeFile[] = [];
  for (const file of files) {
    const name = sharedName(source, file);
    if (source.shared.has(name)) continue;
    const known = recallManifest(file, source.isIgnored(file.path), source.memo);
    if (known === null) unread.push(file);
    else source.shared.set(name, known);
  }
  for (const { file, content } of await readFiles(source, unread)) {
    const isIgnored = source.isIgnored(file.path);
    const given = { bytes: content?.byteLength ?? 0, parts: partsOf(file, content, isIgnored) };
    rememberManifest(file, isIgnored, given, source.memo);
    source.shared.set(sharedName(source, file), given);
  }
}

function sharedName(source: RenderSource, file: TreeFile): string {
  return `${file.id} ${source.isIgnored(file.path)} ${file.path}`;
}

function partsOf({ path }: TreeFile, content: Uint8Array | null, isIgnored: boolean): RenderedParts {
  if (content === null) return { resources: [], failures: [tooLarge(path)] };
  return readManifest(path, content, isIgnored);
}

interface FileContent {
  readonly file: TreeFile;
  /** null when git refused it as too large. */
  readonly content: Uint8Array | null;
}

/** One read for all; only when git refuses one as too large, each by itself, so that the file can be named. */
async function readFiles(source: RenderSource, files: readonly TreeFile[]): Promise<readonly FileContent[]> {
  if (files.length === 0) return [];
  try {
    const contents = await source.read(files.map((file) => file.id));
    return files.map((file, index) => ({ file, content: present(contents[index]) }));
  } catch (thrown) {
    if (!isTooLarge(thrown)) throw thrown;
    if (files.length === 1 && files[0] !== undefined) return [{ file: files[0], content: null }];
  }
  const each: FileContent[] = [];
  for (const file of files) each.push(...(await readFiles(source, [file])));
  return each;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new SluiceError("internal", "git answered fewer blobs than were asked for");
  return value;
}

function isTooLarge(thrown: unknown): boolean {
  return asSluiceError(thrown).code === "object-too-large";
}

function isRegular(file: TreeFile): boolean {
  return file.mode === "100644" || file.mode === "100755";
}

/** What cannot be rendered is a failure, unless it is ignored and could not hold an object either. */
function unreadable(file: TreeFile, isIgnored: boolean): RenderFailure | null {
  if (isRegular(file) && isManifest(file.path)) return null;
  if (isIgnored && !isManifest(file.path)) return null;
  const place = { file: file.path, line: 1, column: 1 };
  if (!isRegular(file)) {
    const what = file.mode === "160000" ? "a submodule" : "a symbolic link";
    return { code: "render-symlink", message: `${file.path} is ${what}; a target holds files only.`, ...place };
  }
  const message = `${file.path} is not YAML or JSON, so nothing would judge it; move it, or add it to ignore.`;
  return { code: "path-not-rendered", message, ...place };
}

function allTooLarge(path: string): RenderFailure {
  const message = `With ${path} the target's files are larger than ${MAXIMUM_SOURCE_BYTES / 1024 / 1024} MiB together.`;
  return { code: "render-too-large", message, file: path, line: 1, column: 1 };
}
