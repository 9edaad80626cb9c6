import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { COMMANDS, PLANNED } from "../src/cli/commands.ts";
import { CODES } from "../src/lib/codes.ts";
import { VERSION } from "../src/lib/version.ts";
import { STORES } from "../src/log/stores.ts";
import { DIALECTS } from "../src/policy/dialects.ts";
import { APPLIERS } from "../src/release/appliers.ts";
import { CHANNELS } from "../src/release/channels.ts";
import { RENDERERS } from "../src/render/renderers.ts";
import { FORMATS } from "../src/signature/formats.ts";
import { findCycle, folderOf, ROOT, readSources, type SourceFile } from "./support/source-graph.ts";

/** Imports only point left. */
const ROW = "lib git signature render policy decision log release admission forge config gate server agent cli".split(
  " ",
);
const SOURCES = readSources();

/** A capability -> the pattern that shows its use -> the files that may have it. Everything else gets it as an argument. */
const CAPABILITIES: readonly { what: string; pattern: RegExp; allowed: readonly RegExp[] }[] = [
  {
    what: "starts a process",
    pattern: /"node:child_process"/,
    allowed: [
      /^src\/git\/process\.ts$/, // the only git
      /^src\/git\/cat-file\.ts$/, // the type of the process that process.ts started
      /^src\/policy\/toolchain\.ts$/, // the compiler
      /^src\/cli\/approve\.ts$/, // ssh-keygen signs with the agent or the hardware that holds a person's key
      /^src\/cli\/signing-key\.ts$/, // ssh-keygen makes a key, and asks for its passphrase by itself
      /^src\/cli\/demo.*\.ts$/, // plays the person at the keyboard
      /^src\/cli\/doctor.*\.ts$/, // asks the machine's programs for their versions
    ],
  },
  { what: "starts a thread", pattern: /"node:worker_threads"/, allowed: [/^src\/policy\//, /^src\/log\/stores\//] },
  {
    what: "opens a connection",
    pattern: /"node:(?:net|http|https|http2|tls|dgram|dns)"|(?:await|return|=)\s+fetch\(/,
    allowed: [
      /^src\/(?:server|forge)\//,
      /^src\/policy\/toolchain\.ts$/, // the type of a pipe
      /^src\/log\/witness\/client\.ts$/, // asks the log's witnesses
      /^src\/gate\/external-fetch\.ts$/, // asks the sources that the operator declares
    ],
  },
  {
    what: "opens a database",
    pattern: /"node:sqlite"/,
    allowed: [/^src\/log\/stores\//, /^src\/agent\//, /^src\/cli\/demo.*\.ts$/], // the agent's lock; the demo forges a log
  },
  { what: "speaks to PostgreSQL", pattern: /"pg"/, allowed: [/^src\/log\/stores\/postgres\//] },
  { what: "reads the environment", pattern: /\bprocess\.env\b/, allowed: [/^src\/config\/environment\.ts$/] },
  {
    what: "reads its arguments or leaves",
    pattern: /\bprocess\.(?:argv|exit|exitCode|cwd|stdout|stderr|stdin)\b/,
    allowed: [/^src\/cli\/(?:start|main|output)\.ts$/, /^src\/cli\/demo.*\.ts$/], // the demo starts itself again
  },
  {
    what: "reads the wall clock",
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bTemporal\.Now\b/,
    allowed: [/^src\/cli\/main\.ts$/], // hands it to every command
  },
  { what: "draws weak random numbers", pattern: /\bMath\.random\b/, allowed: [] },
  {
    what: "draws random numbers",
    pattern: /\brandom(?:Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/,
    allowed: [
      /^src\/cli\/main\.ts$/, // hands them to every command
      /^src\/config\/cache-key\.ts$/, // a key for this machine's own cache
      /^src\/git\/store\.ts$/, // names of temporary files
      /^src\/policy\/sealed-file\.ts$/, // names of temporary files
      /^src\/cli\/demo-world\.ts$/, // the keys of a demo's own gate
    ],
  },
  { what: "writes to the console", pattern: /\bconsole\./, allowed: [] },
  { what: "evaluates text as code", pattern: /[=(,]\s*eval\(|\bnew Function\(|"node:vm"/, allowed: [] },
  {
    what: "brings the messages of 60 languages along (import * as z, so that they stay out of dist/)",
    pattern: /\{ z \} from "zod"/,
    allowed: [],
  },
  { what: "has a default export", pattern: /^export default\b/m, allowed: [] },
  {
    what: "waits while it is loaded",
    pattern: /^await\b|^(?:export )?const [^=]*= await\b|^for await\b/m,
    allowed: [],
  },
];

/** What a folder may never touch, by name of the imported module. */
const PURE: readonly { folder: string; forbidden: RegExp }[] = [
  { folder: "lib", forbidden: /^node:(?!crypto$|util$)/ },
  { folder: "render", forbidden: /^node:(?!crypto$|util$|path\/posix$)/ },
  { folder: "decision", forbidden: /^node:(?!crypto$|util$)/ },
  { folder: "signature", forbidden: /^node:(?!crypto$|util$|buffer$)/ },
];

function describeFiles(files: readonly SourceFile[]): readonly string[] {
  return files.map(({ path }) => path);
}

describe("the folder row", () => {
  it("names every folder of src/", () => {
    const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(
      folders.map(({ name }) => name).filter((name) => !ROW.includes(name)),
      [],
    );
  });

  it("has imports that only point left", () => {
    const wrong = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ to }) => to.startsWith("src/") && ROW.indexOf(folderOf(to)) > ROW.indexOf(folderOf(path)))
        .map(({ to }) => `${path} imports ${to}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("has imports of files that exist, inside src/, with their extension", () => {
    const wrong = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ to }) => /[/.]/.test(to) && /^[./]|^(?:src|test|scripts|bin|dist)\//.test(to))
        .filter(({ to }) => !to.startsWith("src/") || !existsSync(join(ROOT, to)))
        .map(({ to }) => `${path} imports ${to}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("has no cycle between files", () => {
    assert.equal(findCycle(SOURCES)?.join(" -> ") ?? null, null);
  });

  it("is read by a parser that sees imports of every form", () => {
    const main = SOURCES.find(({ path }) => path === "src/cli/commands.ts");
    assert.ok(main?.imports.some(({ to, isLazy }) => to === "src/cli/check.ts" && isLazy));
    assert.ok(main?.imports.some(({ to, isLazy }) => to === "src/cli/command.ts" && !isLazy));
    const looped = [
      { path: "a", code: "", imports: [{ to: "b", isLazy: false }] },
      { path: "b", code: "", imports: [{ to: "a", isLazy: true }] },
    ];
    assert.deepEqual(findCycle(looped), ["a", "b", "a"]);
  });
});

describe("what the outside world is reached by", () => {
  for (const { what, pattern, allowed } of CAPABILITIES) {
    it(`stands only where it is allowed: ${what}`, () => {
      const found = SOURCES.filter(({ code }) => pattern.test(code));
      const wrong = found.filter(({ path }) => !allowed.some((place) => place.test(path)));
      assert.deepEqual(describeFiles(wrong), []);
    });
  }

  for (const { folder, forbidden } of PURE) {
    it(`is not reached from ${folder}/`, () => {
      const wrong = SOURCES.filter(({ path }) => folderOf(path) === folder).flatMap(({ path, imports }) =>
        imports.filter(({ to }) => forbidden.test(to)).map(({ to }) => `${path} imports ${to}`),
      );
      assert.deepEqual(wrong, []);
    });
  }

  it("is only packages that package.json declares, and built-in modules by their node: name", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const outside = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ to }) => !to.startsWith("src/") && !to.startsWith("node:"))
        .filter(({ to }) => dependencies[to.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? ""] === undefined)
        .map(({ to }) => `${path} imports ${to}`),
    );
    assert.deepEqual(outside, []);
  });
});

describe("a list and the folder beside it", () => {
  const lists = [
    { list: "src/signature/formats.ts", members: FORMATS },
    { list: "src/policy/dialects.ts", members: DIALECTS },
    { list: "src/render/renderers.ts", members: RENDERERS },
    { list: "src/log/stores.ts", members: STORES },
    { list: "src/release/channels.ts", members: CHANNELS },
    { list: "src/release/appliers.ts", members: APPLIERS },
  ];
  for (const { list, members } of lists) {
    const folder = list.replace(/\.ts$/, "");
    it(`agree: ${folder}`, () => {
      const files = globSync(`${folder}/*.ts`, { cwd: ROOT }).sort();
      const imported = SOURCES.find(({ path }) => path === list)?.imports.map(({ to }) => to) ?? [];
      assert.deepEqual(
        files.filter((file) => !imported.includes(file)),
        [],
        "a file that the list does not name",
      );
      assert.equal(members.length, files.length, "as many members as files");
    });
  }

  it("agree: the table of commands and the files that export one", async () => {
    const exported = SOURCES.filter(({ path }) => /^src\/cli\/[^/]+\.ts$/.test(path)).flatMap(({ path, code }) =>
      [...code.matchAll(/^export const (\w+)(?:: Command = |\s*=.*\bsatisfies Command\b)/gm)].map(
        ([, name]) => `${path} ${name}`,
      ),
    );
    const table = SOURCES.find(({ path }) => path === "src/cli/commands.ts")?.code ?? "";
    const listed = [...table.matchAll(/import\("\.\/([\w-]+\.ts)"\)\)\.(\w+)/g)].map(
      ([, file, name]) => `src/cli/${file} ${name}`,
    );
    assert.deepEqual(listed.toSorted(), exported.toSorted());
    assert.equal(listed.length, COMMANDS.length);
  });

  it("agree: the name in the table and the name that a command has", async () => {
    for (const { name, load } of COMMANDS) assert.equal((await load()).name, name);
    const names = COMMANDS.map(({ name }) => name);
    assert.equal(new Set([...names, ...PLANNED]).size, names.length + PLANNED.length, "no name twice, none both");
  });

  it("agree: the codes and the files that bring them, no code twice", () => {
    const files = globSync("src/lib/codes/*.ts", { cwd: ROOT });
    const keys = files.flatMap((file) => {
      const { code } = SOURCES.find(({ path }) => path === file) ?? { code: "" };
      return [...code.matchAll(/^ {2}"?([a-z][a-z0-9-]*)"?: \{/gm)].map(([, key = ""]) => key);
    });
    assert.deepEqual(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      [],
    );
    assert.deepEqual(keys.toSorted(), Object.keys(CODES).toSorted());
    const spread = readFileSync(join(ROOT, "src/lib/codes.ts"), "utf8");
    assert.deepEqual(
      files.filter((file) => !spread.includes(`./codes/${basename(file)}`)),
      [],
    );
  });
});

describe("the version", () => {
  it("is the same in package.json, in the sources and in the toolchain's packages", () => {
    const files = ["package.json", ...globSync("toolchain/packages/*/package.json", { cwd: ROOT })];
    for (const file of files) {
      const { version } = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { version: string };
      assert.equal(version, VERSION, file);
    }
  });
});
