/** A backup of a log: a copy that was verified, whole or not there at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { syncFolderSync } from "./durable.ts";
import { storageFailure } from "./stores/sqlite/database.ts";
import { copyStore } from "./stores.ts";
import type { LogVerification, VerifyOptions } from "./verification.ts";
import { verifyLog } from "./verify.ts";

const PRIVATE_MODE = 0o600;

export interface Backup {
  readonly verification: LogVerification & { readonly kind: "intact" };
  readonly bytes: number;
}

/**
 * Copies the log of `store` to `file`, which nobody but its owner may read. In order: (1) take the name, (2) copy beside it,
 * (3) verify the copy from its bytes, (4) sync, (5) rename over the taken name, (6) sync the folder. A crash before 5
 * leaves an empty file, which nobody takes for a log.
 * @throws `backup-exists`, `log-missing`, `log-full`, `log-failed`, and `log-tampered`, `log-rolled-back`, `log-forked` for
 * a log that is not worth a backup
 */
export async function backupLog(store: string, file: string, options: VerifyOptions): Promise<Backup> {
  takeName(file);
  const beside = `${file}.tmp~`;
  try {
    rmSync(beside, { force: true });
    closeSync(openSync(beside, "wx", PRIVATE_MODE));
    await copyStore(store, beside);
    const verification = await verifyLog(beside, options);
    if (verification.kind === "broken")
      throw new SluiceError(verification.code, `The log is not worth a backup: ${verification.detail}`);
    syncFile(beside);
    renameSync(beside, file);
    syncFolderSync(dirname(file));
    return { verification, bytes: statSync(file).size };
  } catch (cause) {
    for (const left of [beside, `${beside}-journal`, file]) rmSync(left, { force: true });
    throw storageFailure(cause);
  }
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
