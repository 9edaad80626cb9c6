/** Many commits at once: one pack, written by hand and indexed by git. Much faster than as many loose objects. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { runGit } from "./repository.ts";

const COMMIT = 1;

/** Puts commit objects, given as their raw bodies, into the repository at `folder`. */
export function writeCommits(folder: string, raws: readonly Uint8Array[]): void {
  const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
  header.writeUInt32BE(raws.length, 8);
  const body = Buffer.concat([header, ...raws.flatMap((raw) => [entryHeader(raw.byteLength), deflate(raw)])]);
  const pack = Buffer.concat([body, createHash("sha1").update(body).digest()]);
  runGit(folder, ["index-pack", "--stdin"], { input: pack });
}

function deflate(raw: Uint8Array): Buffer {
  return deflateSync(raw, { level: 1 });
}

/** Type and size: four bits of the size in the first byte, seven in each further one, lowest first. */
function entryHeader(size: number): Buffer {
  const bytes = [(COMMIT << 4) | (size & 15)];
  for (let left = size >>> 4; left > 0; left >>>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128;
    bytes.push(left & 127);
  }
  return Buffer.from(bytes);
}
