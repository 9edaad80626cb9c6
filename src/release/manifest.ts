/** `release.json`: signed and read. Its digest, over the exact bytes of the signed note, is its name everywhere else. */
import * as z from "zod";
import type { JsonObject } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { once } from "../lib/once.ts";
import { formatTime, parseTime } from "../lib/time.ts";
import type { NoteSigner, NoteVerifier } from "../log/note.ts";
import { isObjectFile } from "./object-file.ts";
import type { Release } from "./release.ts";
import { openStatement, type StatementCodes, signStatement } from "./statement.ts";

const RELEASE_CODES: StatementCodes = {
  malformed: "release-malformed",
  untrusted: "release-untrusted",
  tooLarge: "release-too-large",
};

const releaseSchema = once(() => {
  const text = z.string().min(1).max(1000);
  const gitId = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);

  return z.strictObject({
    v: z.literal(1),
    target: text,
    origin: text,
    sequence: z.int().min(1),
    commit: gitId,
    tree: gitId,
    decision: z.strictObject({
      id: text,
      index: z.int().min(0),
      leafHash: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
    }),
    rollbackOf: z.int().min(1).nullable(),
    objects: z.array(z.strictObject({ file: z.string().max(300), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
    time: z.string().refine((at) => formatTime(parseTime(at) ?? 0) === at),
  });
});

/** @throws SluiceError `release-too-large`: a release holds some 5,000 objects */
export function signRelease(release: Release, signer: NoteSigner): Uint8Array {
  return signStatement(release as unknown as JsonObject, signer, RELEASE_CODES);
}

/** @throws SluiceError `release-malformed`, `release-untrusted`, `object-file-name` */
export function openRelease(note: Uint8Array, releaseKeys: readonly NoteVerifier[]): Release {
  const release = openStatement(note, releaseKeys, releaseSchema(), "release.json", RELEASE_CODES).statement;
  checkFiles(release);
  return release;
}

/** SHA-256 (hex) of the exact bytes of a signed release.json: what a head, an entry and a report call it by. */
export function manifestDigest(note: Uint8Array): string {
  return sha256Hex(note);
}

/** Every name is one of ours, and they ascend strictly: no name twice, nor twice on a file system that folds case. */
function checkFiles(release: Release): void {
  let previous = "";
  for (const { file } of release.objects) {
    if (!isObjectFile(file) || file <= previous) {
      throw new SluiceError(
        "object-file-name",
        `${JSON.stringify(file)} is no object's file name, or not in its place.`,
      );
    }
    previous = file;
  }
  if (release.rollbackOf !== null && release.rollbackOf >= release.sequence) {
    throw new SluiceError("release-malformed", "release.json brings back a release that is not earlier than itself.");
  }
}
