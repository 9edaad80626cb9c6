/** npm run demo [-- arguments]: builds when needed, then `sluice demo` with the same arguments and the same exit code. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { isBuilt } from "./build.ts";
import { PACKAGE_ROOT } from "./root.ts";

if (await isBuilt()) {
  const command = [join(PACKAGE_ROOT, "bin", "sluice.cjs"), "demo", ...process.argv.slice(2)];
  const child = spawn(process.execPath, command, { stdio: "inherit" });
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
