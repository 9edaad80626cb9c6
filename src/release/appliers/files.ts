/**
 * Writes objects as files into a folder that a web server, a configuration reader or another tool looks at. The layout is
 * that of the kubelet's volumes, because it gives one atomic switch for any number of files and leaves the folder itself,
 * and everything in it that is not ours, where it is:
 *
 *   /srv/www/index.html                         somebody else's: never touched
 *   /srv/www/_%43onfig%4dap_shop_web          -> .sluice/current/objects/_%43onfig%4dap_shop_web
 *   /srv/www/.sluice/current                  -> v7-5d2c0aa0e1b2c3d4          renaming this link is the switch
 *   /srv/www/.sluice/v7-5d2c0aa0e1b2c3d4/record.json
 *   /srv/www/.sluice/v7-5d2c0aa0e1b2c3d4/objects/_%43onfig%4dap_shop_web
 *
 * A link of exactly that form is ours; nothing else is. Drift is reported, never repaired over somebody's work: whoever
 * edits one of our files in place sees the edit stay until the next release, and it is said at every run.
 */
import { mkdir, readdir, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { decodeUtf8, utf8 } from "../../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../../lib/canonical.ts";
import { sha256Hex } from "../../lib/digest.ts";
import { SluiceError } from "../../lib/errors.ts";
import { createFile, createFolder, openNoFollow, standingAt, syncFolder } from "../../log/durable.ts";
import type { AppliedRecord, Applier, Drift, Inspection, VerifiedObject } from "../applier.ts";
import { isObjectFile } from "../object-file.ts";
import type { ReleaseObject } from "../release.ts";

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const OURS = ".sluice";
const VERSION_FOLDER = /^v[0-9]{1,16}-[0-9a-f]{16}(?:-again)?$/;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const recordSchema = z.strictObject({
  v: z.literal(1),
  target: z.string(),
  sequence: z.int().min(1),
  manifestDigest: sha256,
  minimumSequence: z.int().min(0),
  objects: z.array(z.strictObject({ file: z.string().refine(isObjectFile), sha256 })),
});

/** The folder is made where it is missing. @throws SluiceError `apply-failed` where there cannot be one */
export async function openFilesApplier(folder: string): Promise<Applier> {
  const root = await ownFolder(folder);
  return {
    name: "files",
    inspect: () => inspect(root),
    apply: (record, objects) => apply(root, record, objects),
  };
}

async function ownFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    return await realpath(folder);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new SluiceError("apply-failed", `The folder ${folder}, to apply to, cannot be used (${why}).`, { cause });
  }
}

function linkTarget(file: string): string {
  return `${OURS}/current/objects/${file}`;
}

async function inspect(root: string): Promise<Inspection> {
  const version = await currentVersion(root);
  if (version === null) return { record: null, drift: [] };
  const record = await readRecord(join(root, OURS, version));
  const drift: Drift[] = [];
  for (const object of record.objects) {
    const how = await driftOf(root, version, object);
    if (how !== null) drift.push({ file: object.file, how });
  }
  const known = new Set(record.objects.map((object) => object.file));
  for (const file of (await readdir(join(root, OURS, version, "objects"))).sort()) {
    if (!known.has(file)) drift.push({ file, how: "added" });
  }
  return { record, drift };
}

async function driftOf(root: string, version: string, object: ReleaseObject): Promise<Drift["how"] | null> {
  const standing = await standingAt(join(root, object.file));
  if (standing === "nothing") return "missing";
  if (standing !== "link" || (await readlink(join(root, object.file))) !== linkTarget(object.file)) return "replaced";
  const bytes = await readRegular(join(root, OURS, version, "objects", object.file));
  return bytes === null ? "missing" : sha256Hex(bytes) === object.sha256 ? null : "changed";
}

/** Name of the folder that `current` points at; null before the first switch. @throws SluiceError `apply-blocked` */
async function currentVersion(root: string): Promise<string | null> {
  const ours = await standingAt(join(root, OURS));
  if (ours === "nothing") return null;
  if (ours !== "folder") throw blocked(OURS);
  const current = await standingAt(join(root, OURS, "current"));
  if (current === "nothing") return null;
  const version = current === "link" ? await readlink(join(root, OURS, "current")) : "";
  if (!VERSION_FOLDER.test(version)) throw blocked(`${OURS}/current`);
  if ((await standingAt(join(root, OURS, version, "objects"))) !== "folder") throw lost(version);
  return version;
}

async function readRecord(folder: string): Promise<AppliedRecord> {
  const bytes = await readRegular(join(folder, "record.json"));
  const parsed = recordSchema.safeParse(parseJson(bytes === null ? null : decodeUtf8(bytes)));
  if (!parsed.success) throw lost("record.json");
  return parsed.data;
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** null for nothing, a link, or anything that is not a regular file. */
async function readRegular(path: string): Promise<Uint8Array | null> {
  if ((await standingAt(path)) !== "file") return null;
  const handle = await openNoFollow(path);
  if (handle === null) return null;
  try {
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}

async function apply(root: string, record: AppliedRecord, objects: readonly VerifiedObject[]): Promise<void> {
  const ours = join(root, OURS);
  const current = await currentVersion(root);
  await refuseForeign(root, objects); //                                 1 nothing is written where others' files stand
  await createFolder(ours, FOLDER_MODE);
  if (current === null || !(await isComplete(join(ours, current), record))) {
    const version = versionName(record, current);
    await stage(join(ours, version), record, objects); //                2 all files, synced, where nobody looks
    await switchTo(ours, version); //                                    3 the point of no return
  }
  await link(root, objects); //                                          4 links for new files; own links of pruned files go
  await removeOldVersions(ours); //                                      5 the space of earlier releases
}

async function refuseForeign(root: string, objects: readonly VerifiedObject[]): Promise<void> {
  for (const { file } of objects) {
    const standing = await standingAt(join(root, file));
    if (standing === "nothing" || (standing === "link" && (await isOurLink(root, file)))) continue;
    throw blocked(file);
  }
}

async function isOurLink(root: string, file: string): Promise<boolean> {
  return (await readlink(join(root, file))) === linkTarget(file);
}

/** A folder that is current is never written to again: what is staged anew beside it gets another name. */
function versionName({ sequence, manifestDigest }: AppliedRecord, current: string | null): string {
  const name = `v${sequence}-${manifestDigest.slice(0, 16)}`;
  return name === current ? `${name}-again` : name;
}

async function isComplete(folder: string, record: AppliedRecord): Promise<boolean> {
  const bytes = await readRegular(join(folder, "record.json"));
  if (bytes === null || decodeUtf8(bytes) !== canonicalJson(record as unknown as JsonObject)) return false;
  if ((await readdir(join(folder, "objects"))).length !== record.objects.length) return false;
  for (const object of record.objects) {
    const present = await readRegular(join(folder, "objects", object.file));
    if (present === null || sha256Hex(present) !== object.sha256) return false;
  }
  return true;
}

async function stage(folder: string, record: AppliedRecord, objects: readonly VerifiedObject[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: FOLDER_MODE });
  await mkdir(join(folder, "objects"), { mode: FOLDER_MODE });
  for (const { file, bytes } of objects) await createFile(join(folder, "objects", file), bytes, FILE_MODE);
  await createFile(join(folder, "record.json"), utf8(canonicalJson(record as unknown as JsonObject)), FILE_MODE);
  await syncFolder(join(folder, "objects"));
  await syncFolder(folder);
}

async function switchTo(ours: string, version: string): Promise<void> {
  const beside = join(ours, ".current.tmp");
  await rm(beside, { force: true });
  await symlink(version, beside);
  await syncFolder(ours);
  await rename(beside, join(ours, "current"));
  await syncFolder(ours);
}

async function link(root: string, objects: readonly VerifiedObject[]): Promise<void> {
  const wanted = new Set(objects.map((object) => object.file));
  const present = new Set<string>();
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isSymbolicLink() || !isObjectFile(entry.name) || !(await isOurLink(root, entry.name))) continue;
    if (wanted.has(entry.name)) present.add(entry.name);
    else await rm(join(root, entry.name));
  }
  for (const file of wanted) if (!present.has(file)) await symlink(linkTarget(file), join(root, file));
  await syncFolder(root);
}

async function removeOldVersions(ours: string): Promise<void> {
  const current = await readlink(join(ours, "current"));
  for (const name of await readdir(ours)) {
    if (VERSION_FOLDER.test(name) && name !== current) await rm(join(ours, name), { recursive: true, force: true });
  }
}

function blocked(path: string): SluiceError {
  return new SluiceError(
    "apply-blocked",
    `${path} stands where an object of the release belongs, and it is not ours.`,
    {
      fix: `look at ${path}, then move it away`,
    },
  );
}

function lost(what: string): SluiceError {
  return new SluiceError(
    "apply-record-lost",
    `What was applied before cannot be told: ${what} is missing or changed.`,
    {
      fix: "move the .sluice folder away and set minimumSequence in agent.yaml to the release that should run",
    },
  );
}
