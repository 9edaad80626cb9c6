/** npm run check: format and lint, types, dead code. All three run whatever the others found; exit 1 when one is red. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PACKAGE_ROOT } from "./root.ts";

/** Name -> script below node_modules/, and its arguments. */
const STEPS: readonly (readonly [string, string, ...(readonly string[])])[] = [
  ["biome", "@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "."],
  ["types", "typescript/bin/tsc", "--noEmit", "-p", "."],
  ["knip", "knip/bin/knip.js"],
];

const results = STEPS.map(([name, script, ...args]) => {
  const { status } = spawnSync(process.execPath, [join(PACKAGE_ROOT, "node_modules", script), ...args], {
    cwd: PACKAGE_ROOT,
    stdio: "inherit",
  });
  return { name, isGreen: status === 0 };
});
process.stdout.write(
  `check: ${results.map(({ name, isGreen }) => `${name} ${isGreen ? "ok" : "FAILED"}`).join(", ")}\n`,
);
process.exitCode = results.every(({ isGreen }) => isGreen) ? 0 : 1;
