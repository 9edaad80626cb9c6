/** deploy/sluice.service says what the service does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("the systemd unit starts a command that exists, reloads and stops it as it wants to be", async () => {
  const unit = readFileSync(join(ROOT, "deploy/sluice.service"), "utf8");
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1] ?? assert.fail(key);
  const [program, name, option, file] = value("ExecStart").split(" ");
  assert.deepEqual([program, name, option], ["/usr/bin/sluice", "serve", "--config"]);
  const command = await COMMANDS.find((one) => one.name === name)?.load();
  assert.ok(command !== undefined && "config" in command.options);
  assert.ok(file?.startsWith("/etc/sluice/"));
  assert.match(value("ExecReload"), /-HUP/);
  assert.equal(value("KillMode"), "mixed", "its children are not killed under it");
  assert.ok(Number(value("TimeoutStopSec")) > 300, "longer than one change may take");
  assert.equal(value("RestartPreventExitStatus"), "2");
});

test("every sentence that the service says stands in its page", () => {
  const page = readFileSync(join(ROOT, "docs/service.md"), "utf8");
  const files = ["src/cli/serve.ts", ...["door", "judging", "service", "watch"].map((name) => `src/server/${name}.ts`)];
  const said = files.flatMap((file) => {
    const code = readFileSync(join(ROOT, file), "utf8");
    return [...code.matchAll(/(?:say\([^"]*"(?:info|warn|error)"[^"]*, |sayOnce\([^,]+, )"([^"]+)"/g)].map(
      ([, msg = ""]) => msg,
    );
  });
  assert.ok(said.length >= 15, `${said}`);
  assert.deepEqual(
    said.filter((msg) => !page.includes(msg)),
    [],
  );
});
