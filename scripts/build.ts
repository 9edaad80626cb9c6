/**
 * npm run build: the toolchain, then dist/, each only when its sources have changed.
 *
 *   exit 0 built or up to date, 1 something does not compile, 2 Go is missing or `npm ci` was not run
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { BuildFailure, buildToolchain, progressLine } from "./build-toolchain.ts";
import { PACKAGE_ROOT } from "./root.ts";

const DIST = join(PACKAGE_ROOT, "dist");
/** Names what dist/ was made from; not part of the published package. */
const KEY_FILE = "build.key";
/** The first words of all commands, for bin/sluice.cjs. */
const COMMANDS_FILE = "commands.json";
/** Beside the sources: what decides the emitted bytes. The lock names the version of everything that is bundled. */
const SETTINGS = ["package-lock.json", "tsconfig.json", "scripts/build.ts"];
/**
 * What starts by itself, each a file that needs no other: the command line, and the threads that it starts by name from
 * where the bundle lies. All end up in dist/cli, so that a path from there to the package's root is the same as from
 * src/gate.
 */
const ENTRIES = {
  start: "src/cli/start.ts",
  worker: "src/policy/worker.ts",
  "sqlite/writer": "src/log/stores/sqlite/writer.ts",
  "sqlite/indexer": "src/log/stores/sqlite/indexer.ts",
  verifier: "src/log/stores/sqlite/verifier.ts",
};
/** Found in node_modules when a log in PostgreSQL is opened; nothing else pays for it. */
const APART = ["pg"];
/** Functions that few policies call; a thread reads such a file when a policy does. */
const BUILTIN_FAMILIES = "src/policy/builtins";

/** Brings toolchain/bin and dist/ up to date, with progress on standard error. @throws BuildFailure */
export async function build(): Promise<void> {
  const toolchain = await buildToolchain({ onProgress: progressLine(process.stderr) });
  const key = sourceKey();
  const isCurrent = isUpToDate(key);
  if (!isCurrent) await compile(key);
  const state = (built: boolean): string => (built ? "built" : "up to date");
  process.stderr.write(`toolchain: ${state(toolchain.built)}, dist: ${state(!isCurrent)}\n`);
}

/** As build(), for a script: a failure becomes its sentence and an exit code. Answers whether all is built. */
export async function isBuilt(): Promise<boolean> {
  try {
    await build();
    return true;
  } catch (failure) {
    if (!(failure instanceof BuildFailure)) throw failure;
    process.stderr.write(`${process.stderr.isTTY ? "\n" : ""}${failure.message}\n`);
    process.exitCode = failure.exitCode;
    return false;
  }
}

/**
 * Bundles beside dist/ and puts the finished folder in its place, so that nothing ever sees half of it or a stale file.
 * One file instead of some 250: finding and reading each costs more than what is in it. What only some commands need is
 * in functions that run when it is asked for. Types are for `npm run check`.
 */
async function compile(key: string): Promise<void> {
  const finished = `${DIST}.${process.pid}.tmp`;
  const former = `${DIST}.${process.pid}.old`;
  process.stderr.write("dist: bundling\n");
  try {
    await bundle(join(finished, "cli"));
    writeFileSync(join(finished, "cli", "package.json"), '{"type":"commonjs"}\n');
    writeFileSync(join(finished, COMMANDS_FILE), `${JSON.stringify(await commandNames())}\n`);
    writeFileSync(join(finished, KEY_FILE), `${key}\n`);
    if (existsSync(DIST)) renameSync(DIST, former);
    renameSync(finished, DIST);
  } finally {
    for (const folder of [finished, former]) rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle(folder: string): Promise<void> {
  const { build: bundled } = await import("esbuild").catch(() => {
    throw new BuildFailure("The bundler is missing: run `npm ci` first.", 2);
  });
  const outcome = await bundled({
    absWorkingDir: PACKAGE_ROOT,
    entryPoints: { ...ENTRIES, ...familyEntries() },
    plugins: [FAMILIES_APART, SCHEMA_READER_LATER],
    outdir: folder,
    bundle: true,
    external: APART,
    // not "esm", which would load every module of Node that any command needs before the first line runs
    format: "cjs",
    define: { "import.meta.url": "moduleUrl", "import.meta.dirname": "__dirname" },
    banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    platform: "node",
    target: "node24",
    legalComments: "eof",
    logLevel: "silent",
    write: false,
  }).catch((failure: Error) => {
    throw new BuildFailure(`dist: src/ does not bundle: ${failure.message}`, 1);
  });
  if (outcome.warnings.length > 0) throw new BuildFailure(`dist: ${outcome.warnings[0]?.text}`, 1);
  for (const { path, text } of outcome.outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, inAscii(text));
  }
}

/**
 * A single other character makes V8 read and keep the whole text at two bytes a character: a twentieth of what a short
 * command takes. In comments the escape is as good; in strings, patterns and templates whose raw text nobody reads, the same.
 */
function inAscii(script: string): string {
  return script.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What `import("./builtins/x.ts")` in src/policy/builtins.ts names: those modules that export BUILTINS. */
function familyEntries(): Readonly<Record<string, string>> {
  const files = globSync(`${BUILTIN_FAMILIES}/*.ts`, { cwd: PACKAGE_ROOT }).sort();
  const isFamily = (file: string): boolean =>
    readFileSync(join(PACKAGE_ROOT, file), "utf8").includes("export const BUILTINS");
  return Object.fromEntries(files.filter(isFamily).map((file) => [`builtins/${basename(file, ".ts")}`, file]));
}

const FAMILIES_APART: Plugin = {
  name: "families apart",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/builtins\/[a-z]+\.ts$/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path: path.replace(/\.ts$/, ".js"), external: true } : undefined,
    );
  },
};

/** zod's reader of JSON Schema takes as long to start as reading a configuration, and one command calls it. */
const SCHEMA_READER_LATER: Plugin = {
  name: "schema reader later",
  setup({ onResolve, onLoad }) {
    const namespace = "later";
    onResolve({ filter: /^\.\/from-json-schema\.js$/, namespace: "file" }, ({ resolveDir, path }) => ({
      path: join(resolveDir, path),
      namespace,
    }));
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `export const fromJSONSchema = (...given) => require(${JSON.stringify(path)}).fromJSONSchema(...given);`,
      resolveDir: PACKAGE_ROOT,
    }));
  },
};

/** bin/sluice.cjs keeps what V8 made of the bundle for each of these names apart. */
async function commandNames(): Promise<readonly string[]> {
  const { COMMANDS } = await import("../src/cli/commands.ts");
  return [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0] ?? ""))].sort();
}

function isUpToDate(key: string): boolean {
  const file = join(DIST, KEY_FILE);
  return existsSync(file) && readFileSync(file, "utf8").trim() === key;
}

function sourceKey(): string {
  const hash = createHash("sha256");
  for (const file of [...globSync("src/**/*.ts", { cwd: PACKAGE_ROOT }).sort(), ...SETTINGS]) {
    const content = readFileSync(join(PACKAGE_ROOT, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

if (import.meta.main) await isBuilt();
