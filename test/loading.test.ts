import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { pathToFileURL } from "node:url";
import { deployment } from "./support/shop.ts";
import { type Scope, tempFolder } from "./support/temp.ts";
import { makeWorld, type World } from "./support/world.ts";

/** What DESIGN keeps away from `check`, and packages that only our tests may use. */
const NOT_FOR_CHECK = ["express", "@kubernetes/client-node", "pg", "pino", "prom-client", "openpgp", "fast-check"];

// A bundle says nothing about which files a command needs, so this test always runs the sources.
delete process.env["SLUICE_BIN"];

/** Runs a command in the world's clone; answers what its process loaded: `node:fs`, `zod`, `src/cli/check.ts`. */
async function loadedBy(scope: Scope, world: World, args: readonly string[]): Promise<ReadonlySet<string>> {
  const folder = tempFolder(scope);
  const list = join(folder, "loaded");
  const hook = join(folder, "hook.mjs");
  writeFileSync(
    hook,
    `import { registerHooks } from "node:module";
    import { appendFileSync } from "node:fs";
    registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + "\\n"); return next(url, context); } });`,
  );
  const { code, stdout, stderr } = await world.sluice(args, {
    env: { NODE_OPTIONS: `--import=${pathToFileURL(hook).href}` },
  });
  assert.ok([0, 1, 4].includes(code ?? -1), `exit ${code}\n${stdout}${stderr}`);
  const urls = readFileSync(list, "utf8").trimEnd().split("\n");
  return new Set(
    urls.map((url) => url.replace(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/.*$|^file:.*\/(?=src\/)/, "$1")),
  );
}

it("loads for `check` only what a check needs", async (t) => {
  const world = await makeWorld(t, { adopt: false });
  world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } });
  const loaded = await loadedBy(t, world, ["check"]);
  for (const name of ["js-yaml", "src/cli/check.ts", "node:crypto"])
    assert.ok(loaded.has(name), `the hook sees ${name}`);
  assert.deepEqual(
    NOT_FOR_CHECK.filter((name) => loaded.has(name)),
    [],
  );
  const others = [...loaded].filter((url) =>
    /^src\/(?:agent|server|release\/appliers\/)|^node:(?:https?|http2|tls|zlib|readline)$/.test(url),
  );
  assert.deepEqual(others, []);
});
