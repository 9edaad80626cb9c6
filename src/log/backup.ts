/** A backup of a log, and the way back: a copy that was verified, whole or not there at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { syncFolderSync } from "./durable.ts";
import { prepareFolder, storageFailure } from "./stores/sqlite/database.ts";
import { copyStore, type LogPlace, sqlitePath, storeLoader } from "./stores.ts";
import type { LogVerification, VerifyOptions } from "./verification.ts";
import { verifyLog, verifyStore } from "./verify.ts";

const PRIVATE_MODE = 0o600;

type Intact = LogVerification & { readonly kind: "intact" };

export interface Backup {
  readonly verification: Intact;
  readonly bytes: number;
}

/**
 * Copies the log to `file`, a log in SQLite which nobody but its owner may read. In order: (1) take the name, (2) copy beside it,
 * (3) verify the copy from its bytes, (4) sync, (5) rename over the taken name, (6) sync the folder. A crash before 5
 * leaves an empty file, which nobody takes for a log.
 * @throws `backup-exists`, `log-missing`, `log-full`, `log-failed`, and `log-tampered`, `log-rolled-back`, `log-forked` for
 * a log that is not worth a backup
 */
export async function backupLog(place: LogPlace, file: string, options: VerifyOptions): Promise<Backup> {
  takeName(file);
  const beside = `${file}.tmp~`;
  try {
    rmSync(beside, { force: true });
    closeSync(openSync(beside, "wx", PRIVATE_MODE));
    await copyStore(place, beside);
    const verification = requireIntact(await verifyLog(beside, options), "The log is not worth a backup");
    syncFile(beside);
    renameSync(beside, file);
    syncFolderSync(dirname(file));
    return { verification, bytes: statSync(file).size };
  } catch (cause) {
    for (const left of [beside, `${beside}-journal`, file]) rmSync(left, { force: true });
    throw storageFailure(cause);
  }
}

/**
 * Puts the backup `file` where the gate keeps its log, which must not hold one: the way back, and the way from one store to
 * the other. It is verified before, against what the caller knows of the log, and where it then lies.
 * @throws `backup-exists`, `log-missing`, `log-full`, `log-failed`, and `log-tampered`, `log-rolled-back`, `log-forked` for a
 * backup that must not be put back
 */
export async function restoreLog(file: string, place: LogPlace, options: VerifyOptions): Promise<Intact> {
  const load = storeLoader(place);
  if (load === null) {
    const path = sqlitePath(place.store);
    prepareFolder(path);
    return (await backupLog({ store: `sqlite:${file}` }, path, options)).verification;
  }
  requireIntact(await verifyLog(file, options), "The backup must not be put back");
  await load(file);
  return requireIntact(await verifyStore(place, options), "What was put back is not the backup");
}

/** @throws the code of what is broken */
function requireIntact(verification: LogVerification, otherwise: string): Intact {
  if (verification.kind === "intact") return verification;
  throw new SluiceError(verification.code, `${otherwise}: ${verification.detail}`);
}

/** Never through a link, never over anything. */
function takeName(file: string): void {
  try {
    closeSync(openSync(file, "wx", PRIVATE_MODE));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST")
      throw new SluiceError("backup-exists", `${file} exists; a backup is never written over anything.`, { cause });
    throw new SluiceError("usage", `${file} cannot be written.`, { fix: "name a file in a folder of yours", cause });
  }
}

function syncFile(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
