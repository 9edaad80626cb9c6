/** A world whose target holds 200 objects under the whole policy library, and the built command line to run in it. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { NO_POLICIES } from "../test/support/shop.ts";
import type { Scope } from "../test/support/temp.ts";
import { makeWorld, type World } from "../test/support/world.ts";
import { type Beside, type Measurement, timed } from "./measure.ts";
import { goodDeployment, library } from "./objects.ts";

export const OBJECTS = 200;
const ROOT = join(import.meta.dirname, "..");
/** Not one of those for which the library asks a role's approval. */
const FOLDER = "deploy";
const NODE_STARTS = 10;
/** Nobody who types a command has this set. */
export const PLAIN = { NODE_COMPILE_CACHE: undefined };

export function isBuilt(): boolean {
  return existsSync(join(ROOT, "dist/cli/start.js"));
}

export function objectFile(at: number, replicas = 3): Readonly<Record<string, string>> {
  const object = goodDeployment(`web-${at}`, `ns-${at % 20}`, { replicas });
  return { [`${FOLDER}/web-${at}.yaml`]: `${JSON.stringify(object, null, 2)}\n` };
}

/** From now on commands run the built files, as they are installed. */
export function useBuilt(scope: Scope): void {
  const before = process.env["SLUICE_BIN"];
  process.env["SLUICE_BIN"] = join(ROOT, "bin/sluice.cjs");
  scope.after(() => {
    if (before === undefined) delete process.env["SLUICE_BIN"];
    else process.env["SLUICE_BIN"] = before;
  });
}

/** Commands in it run the built files, and no approval is asked for. */
export async function benchWorld(scope: Scope): Promise<World> {
  useBuilt(scope);
  const objects = Array.from({ length: OBJECTS }, (_, at) => objectFile(at));
  const policies = library().map(({ path, text }) => [path, text] as const);
  const none = { "clusters/prod/web.yaml": null, "clusters/prod/api.yaml": null, "clusters/prod/colours.yaml": null };
  return makeWorld(scope, {
    target: { approvals: null, path: FOLDER },
    files: { ...none, ...NO_POLICIES, ...Object.assign({}, ...objects), ...Object.fromEntries(policies) },
  });
}

/** What no program in Node can be faster than. */
export async function nodeStart(): Promise<Beside> {
  const measured = await timed(NODE_STARTS, 1, () => spawnSync(process.execPath, ["-e", "0"]));
  return { kind: "limit", what: "node -e 0", measured };
}

/** The same, with what the command itself adds to it. */
export function beyond(start: Beside, { p50 }: Measurement): Beside {
  const added = Math.round(p50 - (start.measured?.p50 ?? 0)).toLocaleString("en-US");
  return { ...start, what: `${start.what} (${added} ms less, by p50)` };
}
