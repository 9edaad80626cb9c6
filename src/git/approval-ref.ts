/**
 * Puts an approval into the approver's own clone: a loose blob and a reference, written as files, so that no git runs in
 * a repository whose configuration somebody else may have written.
 *
 *   objects/<2 hex>/<38 or 62 hex>   zlib("blob " length NUL bytes)
 *   refs/sluice/approvals/<sha256>   the blob's id and a line feed
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { concatBytes, utf8 } from "../lib/bytes.ts";
import { hashObject } from "./parse.ts";
import { openSource } from "./source.ts";
import { APPROVAL_REFS } from "./source-refs.ts";

/** Answers the reference's name. @throws SluiceError what openSource throws */
export function writeApproval(repository: string, envelope: Uint8Array, digest: string): string {
  const { objectFormat, objectsFolder, commonFolder } = openSource(repository, "bounded");
  const id = hashObject(objectFormat, "blob", envelope);
  const object = join(objectsFolder, id.slice(0, 2), id.slice(2));
  if (!existsSync(object))
    replace(object, deflateSync(concatBytes(utf8(`blob ${envelope.length}\0`), envelope)), 0o444);
  const ref = `${APPROVAL_REFS}${digest}`;
  replace(join(commonFolder, ref), utf8(`${id}\n`), 0o644);
  return ref;
}

function replace(path: string, bytes: Uint8Array, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, bytes, { mode, flag: "wx" });
  renameSync(temporary, path);
}
