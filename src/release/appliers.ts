/** The list of appliers; a test compares it with the folder beside it. */
import { SluiceError } from "../lib/errors.ts";
import type { Applier } from "./applier.ts";
import { openFilesApplier } from "./appliers/files.ts";

interface ApplierKind {
  /** Its key under `apply:` in agent.yaml, and its file name. */
  readonly name: string;
  open(setting: string): Promise<Applier>;
}

export const APPLIERS: readonly ApplierKind[] = [{ name: "files", open: openFilesApplier }];

/** Opens `{files: PATH}`; paths are absolute by now. @throws SluiceError `not-supported` for every other kind */
export async function openApplier(configured: Readonly<Record<string, unknown>>): Promise<Applier> {
  const [key, ...more] = Object.keys(configured);
  const kind = APPLIERS.find((known) => known.name === key);
  const setting = kind === undefined ? undefined : configured[kind.name];
  if (kind !== undefined && more.length === 0 && typeof setting === "string") return kind.open(setting);
  throw new SluiceError("not-supported", `An applier of kind ${JSON.stringify(key ?? "")} is not there yet.`, {
    fix: "use apply: {files: PATH}",
  });
}
