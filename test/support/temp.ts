import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Anything that can run a function when it is over: a test context, or a benchmark's own list. */
export interface Scope {
  after(cleanup: () => void): void;
}

/** A scope whose end is called by hand: for what has to be closed before its folder goes. */
export function ownScope(): Scope & { end(): void } {
  const cleanups: (() => void)[] = [];
  return {
    after: (cleanup) => void cleanups.push(cleanup),
    end: () => {
      for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
    },
  };
}

/** A fresh folder that is gone when the scope ends. */
export function tempFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
