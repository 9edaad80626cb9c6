/** Files that a command writes into somebody's work tree: never through a link, never over what is there. */
import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SluiceError } from "../lib/errors.ts";

/** @param path below `top`, with slashes. @throws SluiceError `usage` for a path that is there, or that a link leads away */
export function writeNewFiles(top: string, files: ReadonlyMap<string, string>): void {
  for (const path of files.keys()) {
    refuseLinks(top, path);
    if (lstatSync(join(top, path), { throwIfNoEntry: false }) === undefined) continue;
    throw new SluiceError("usage", `${path} is already there and is not written over.`, { fix: "take another name" });
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text, { flag: "wx" });
  }
}

/** What a repository links to may lie anywhere on the machine. */
export function refuseLinks(top: string, path: string): void {
  const parts = path.split("/").filter((part) => part !== "");
  for (const [index] of parts.entries()) {
    const whole = parts.slice(0, index + 1).join("/");
    if (lstatSync(join(top, whole), { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    throw new SluiceError("usage", `${whole} is a link; nothing is written through it.`, {
      fix: "name a real file or folder in sluice.yaml",
    });
  }
}
