import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Anything that can run a function when it is over: a test context, or a benchmark's own list. */
export interface Scope {
  after(cleanup: () => void): void;
}

/** A fresh folder that is gone when the scope ends. */
export function tempFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
