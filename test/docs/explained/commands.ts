/** Codes of command lines and of what operators write: each example's own command, run as a process where it would be run. */

import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { runHere } from "../../support/in-process.ts";
import { deployment, document } from "../../support/shop.ts";
import { runSluice, type SluiceRun } from "../../support/sluice.ts";
import { type Scope, tempFolder } from "../../support/temp.ts";
import { makeWorld, type World } from "../../support/world.ts";
import { codesOf, commandOf, type Made, made } from "./entry.ts";

/** What makes the world of an example out of an adopted one. */
type Change = (world: World) => void | Promise<void>;

interface Place {
  readonly change?: Change;
  /** Words behind those of the example. */
  readonly more?: readonly string[];
  /** The command where the example names none. */
  readonly args?: readonly string[];
  /** What the output also holds. */
  readonly says?: RegExp;
}

/** The command in this process, as `sluice` runs it: the start of Node would be most of the time. */
async function runIn(
  folder: string,
  words: readonly string[],
  home: string,
): Promise<Pick<SluiceRun, "stdout" | "stderr">> {
  const known = COMMANDS.find(({ name }) => name === words.slice(0, 2).join(" ") || name === words[0]);
  if (known === undefined) return runSluice(words, { cwd: folder });
  return runHere(await known.load(), words.slice(known.name.split(" ").length), folder, Date.now, home);
}

function sluice(
  world: World,
  words: readonly string[],
  folder = world.repo.path,
): Promise<Pick<SluiceRun, "stdout" | "stderr">> {
  return runIn(
    folder,
    words.map((word) => (/^(?:gate|agent|witness)\.yaml$/.test(word) ? world.path(word) : word)),
    world.path("home"),
  );
}

const gateYaml = (change: (now: Record<string, unknown>) => Record<string, unknown>): Change => {
  return (world) => world.configure("gate.yaml", change);
};
const part = (now: Record<string, unknown>, key: string): Record<string, unknown> =>
  now[key] as Record<string, unknown>;
/** The example's own misspelling stands in the file, and the nearest key is named. */
const misspelt = (name: string, from: string, to: string, args: readonly string[]): Place => ({
  change: (world) => world.write(name, world.read(name).replace(`"${from}"`, `"${to}"`)),
  args,
  says: new RegExp(`unknown key \\W*${to}\\W*; did you mean \\W*${from}\\W*\\?`),
});
async function heldBy(world: World, person: string, reason: string): Promise<void> {
  for (const act of ["hold", "resume"])
    await sluice(world, [act, "prod", "--as", person, "--reason", reason, ...CONFIG]);
}
const CONFIG = ["--config", "gate.yaml"];
const CHECK = ["check", "--target", "prod"];
const JSON_FORMAT = ["--format", "json"];
const CONFIG_CHECK = ["config", "check", ...CONFIG, ...JSON_FORMAT];
const AGENT_CHECK = ["config", "check", "--agent", "agent.yaml", ...JSON_FORMAT];
const REASON = ["--reason", "what happened"];

export async function commandTable(scope: Scope) {
  const base = await makeWorld(scope, { target: { approvals: { count: 0 } } });
  const blank = await makeWorld(scope, { adopt: false, target: { approvals: { count: 0 } } });

  /** In a copy of the world, where gate.yaml lies beside the clone. */
  function inWorld({ change, more = [], args, says }: Place = {}, from = base): Made {
    return made(async (test, example) => {
      const world = from.copy(test);
      await change?.(world);
      const words = [...(args ?? commandOf(example)), ...more];
      const run = await sluice(world, words);
      if (says !== undefined && !says.test(run.stdout + run.stderr)) throw new Error(run.stdout + run.stderr);
      return [codesOf(run)];
    });
  }

  /** In an empty folder; the command is run `times`, and the last run counts. */
  function anywhere(times = 1, more: readonly string[] = []): Made {
    return made(async (test, example) => {
      const cwd = tempFolder(test);
      const words = [...commandOf(example), ...more];
      for (let n = 1; n < times; n++) await runIn(cwd, words, cwd);
      return [codesOf(await runIn(cwd, words, cwd))];
    });
  }

  return {
    usage: anywhere(),
    "not-supported": anywhere(),
    "explain-unknown": anywhere(),
    "key-exists": anywhere(2),
    "not-a-repository": anywhere(),
    "access-endless": anywhere(1, ["--file", "tokens.yaml"]),
    "gate-untrusted": inWorld({ more: ["--token-file", "../log.key", "--repository", "shop"] }),
    "configuration-missing": inWorld(),
    "init-exists": inWorld(),
    "unknown-revision": inWorld(),
    "empty-range": inWorld({ change: (world) => world.repo.checkout("main") }),
    "target-unknown": inWorld(),
    "resource-unknown": inWorld({
      change: (world) => void world.propose({ files: { "clusters/prod/api.yaml": null } }),
    }),
    "not-a-commit": made(async (test, example) => {
      const world = base.copy(test);
      return [codesOf(await sluice(world, [...commandOf(example), world.treeOf("HEAD")]))];
    }),
    "environment-unmapped": inWorld({
      change: (world) => void world.propose({ files: { "clusters/staging/web.yaml": "kind: x\n" } }),
    }),
    "configuration-absent": inWorld({
      change: (world) => {
        world.push({ files: { "sluice.yaml": null } });
        world.propose({ files: { "README.md": "again\n" } });
      },
      args: ["check"],
    }),
    "shallow-clone": made(async (test) => {
      const world = base.copy(test);
      world.push({ files: { "README.md": "again\n" } });
      world.repo.git(["clone", "--quiet", "--depth", "1", `file://${world.forge}`, world.path("shallow")]);
      return [codesOf(await sluice(world, ["check"], world.path("shallow")))];
    }),
    "refs-unreadable": inWorld({
      change: (world) => {
        world.write("HEAD", "ref: refs/heads/main\n");
        unlinkSync(join(world.repo.path, ".git/HEAD"));
        symlinkSync(world.path("HEAD"), join(world.repo.path, ".git/HEAD"));
      },
      args: ["check"],
    }),
    "alternates-refused": inWorld({
      change: (world) => {
        const other = world.path("other.git");
        world.repo.git(["clone", "--quiet", "--bare", world.forge, other]);
        writeFileSync(join(world.forge, "objects/info/alternates"), `${other}/objects\n`);
        world.propose({ files: { "README.md": "again\n" } });
      },
      args: ["check", ...CONFIG],
    }),
    "object-missing": made(async (test) => {
      const world = base.copy(test);
      world.propose({ files: { "README.md": "again\n" }, branch: "again" });
      world.repo.git(["-C", world.forge, "config", "uploadpack.allowFilter", "true"]);
      const partial = ["clone", "--quiet", "--no-checkout", "--filter=blob:none", "--branch=again"];
      world.repo.git([...partial, `file://${world.forge}`, world.path("partial")]);
      return [codesOf(await sluice(world, CHECK, world.path("partial")))];
    }),
    "url-refused": made(async (test) => {
      const said = [];
      for (const url of ["ext::sh -c ls", "https://user:token@host/repo.git"]) {
        const world = base.copy(test);
        world.configure("gate.yaml", () => ({ repositories: { shop: { url } } }));
        said.push(codesOf(await sluice(world, [...CHECK, ...CONFIG])));
      }
      return said;
    }),
    "head-not-fetchable": inWorld({
      change: (world) => {
        world.repo.branch("local", "origin/main");
        world.repo.commit({ files: { "README.md": "again\n" }, signWith: world.key("ada") });
      },
      args: ["check", ...CONFIG],
    }),
    "target-not-adopted": inWorld({ change: (world) => void world.propose() }, blank),
    "log-missing": inWorld({}, blank),
    "target-adopted": inWorld({ more: [...CONFIG, ...REASON] }),
    "entry-unknown": inWorld({ more: CONFIG }),
    "replay-not-a-decision": inWorld(),
    "simulate-nothing": inWorld({
      change: (world) => cpSync(join(world.repo.path, "policies"), join(world.repo.path, "next"), { recursive: true }),
    }),
    "replay-differs": made(async (test) => {
      const world = base.copy(test);
      await world.check(world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } }));
      world.configure("gate.yaml", (now) => {
        const prod = { ...part(part(now, "targets"), "prod"), minimum: { approvals: 2 } };
        return { targets: { prod } };
      });
      return [codesOf(await sluice(world, ["simulate", "--policies", "policies", ...CONFIG, ...JSON_FORMAT]))];
    }),
    "resource-not-live": inWorld({ more: ["--target", "prod", ...CONFIG] }),
    "hold-scope": inWorld({ more: CONFIG }),
    "nothing-held": inWorld({ more: CONFIG }),
    "hold-unnamed": inWorld(),
    "release-unknown": inWorld({ more: [...CONFIG, ...REASON] }),
    "release-held": made(async (test, example) => {
      const world = base.copy(test);
      await sluice(world, [...commandOf(example), ...CONFIG]);
      world.push({ files: { "README.md": "again\n" } });
      return [codesOf(await sluice(world, ["release", "prod", ...CONFIG]))];
    }),
    "backup-exists": made(async (test, example) => {
      const world = base.copy(test);
      const words = commandOf(example).map((word) => word.replace("/backup/", "../"));
      await sluice(world, words);
      return [codesOf(await sluice(world, words))];
    }),
    "bundle-exists": made(async (test, example) => {
      const world = base.copy(test);
      await sluice(world, commandOf(example));
      return [codesOf(await sluice(world, commandOf(example)))];
    }),
    "nothing-to-redact": inWorld({
      change: async (world) => void (await sluice(world, ["log", "redact", "--person", "ada", ...CONFIG, ...REASON])),
      more: [...CONFIG, ...REASON],
    }),
    "redaction-unnamed": inWorld({ change: (world) => heldBy(world, "ada", "what happened") }),
    "redaction-repeats": inWorld({ change: (world) => heldBy(world, "ops", "the password is hunter2"), more: CONFIG }),
    "audit-log-unreadable": inWorld({ more: ["--target", "prod", "--agent-user", "sluice-agent", ...CONFIG] }),
    "audit-log-empty": inWorld({
      change: (world) => world.write("audit.ndjson", ""),
      args: ["log", "reconcile", "--target", "prod", "--audit", "../audit.ndjson", "--agent-user", "sluice-agent"],
      more: CONFIG,
    }),
    "log-store-unknown": inWorld({
      change: gateYaml((now) => ({ log: { ...part(now, "log"), store: "mysql:shop" } })),
      args: ["release", "prod", ...CONFIG],
    }),
    "log-origin-mismatch": inWorld({
      change: (world) => world.write("gate.yaml", world.read("gate.yaml").replace("gate.example/log", "other/log")),
      args: CONFIG_CHECK,
    }),
    "log-readable-by-others": inWorld({
      change: (world) => chmodSync(world.path("data"), 0o755),
      args: ["release", "prod", ...CONFIG],
    }),
    "log-anchor-missing": inWorld({
      change: (world) => rmSync(world.path("anchor")),
      args: ["release", "prod", ...CONFIG],
    }),
    "secret-missing": inWorld({ change: (world) => rmSync(world.path("log.key")), args: CONFIG_CHECK }),
    "secret-readable-by-others": inWorld({
      change: (world) => chmodSync(world.path("log.key"), 0o644),
      args: CONFIG_CHECK,
    }),
    "note-key-invalid": inWorld({ change: (world) => world.write("agent.key", "hello\n"), args: AGENT_CHECK }),
    "agent-key-name": inWorld({
      change: (world) => world.configure("agent.yaml", () => ({ name: "prod-2" })),
      args: AGENT_CHECK,
    }),
    "branch-mismatch": inWorld({
      change: (world) => {
        const text = world.repo.read("sluice.yaml").replace('"main"', '"release"');
        world.repo.write({ "sluice.yaml": text });
      },
      args: CONFIG_CHECK,
    }),
    "listen-unsafe": inWorld({
      change: gateYaml(() => ({ listen: { address: "0.0.0.0", port: 8443 } })),
      args: CONFIG_CHECK,
    }),
    "revoked-key-invalid": inWorld({
      change: (world) => {
        world.configure("gate.yaml", () => ({ revoked: ["0xDEADBEEF"] }));
        world.propose({ files: { "README.md": "again\n" } });
      },
      args: ["check", ...CONFIG],
    }),
    "configuration-invalid": inWorld({
      change: (world) => {
        const now = JSON.parse(world.repo.read("sluice.yaml")) as { targets: { prod: object } };
        const prod = { ...now.targets.prod, singatures: {} };
        world.repo.write({ "sluice.yaml": document({ ...now, targets: { prod } }) });
      },
      args: ["config", "check", ...JSON_FORMAT],
      says: /sluice\.yaml:\d+:\d+.*unknown key \\?"singatures\\?"; did you mean \\?"signatures\\?"\?/s,
    }),
    "gate-configuration-invalid": inWorld(misspelt("gate.yaml", "repository", "repositry", CONFIG_CHECK)),
    "agent-configuration-invalid": inWorld(misspelt("agent.yaml", "releaseKeys", "relaseKeys", AGENT_CHECK)),
    "witness-configuration-invalid": inWorld({
      change: (world) => world.write("witness.yaml", document({ version: 1, log: [] })),
      args: ["witness", "--config", "witness.yaml"],
      says: /unknown key "log"; did you mean "logs"\?/,
    }),
    "tokens-invalid": inWorld({
      change: (world) => {
        world.write("tokens.yaml", document({ version: 1, tokens: [{ rôle: "reader" }] }), 0o600);
        world.configure("gate.yaml", () => ({ access: { tokens: { file: "tokens.yaml" } } }));
      },
      args: [
        "release",
        "prod",
        "--emergency",
        "--ticket",
        "INC-77",
        "--token-file",
        "../log.key",
        ...REASON,
        ...CONFIG,
      ],
      says: /unknown key \\?"rôle\\?"; did you mean \\?"role\\?"\?/,
    }),
    "agent-state-missing": inWorld({
      change: async (world) => {
        world.push({ files: { "README.md": "again\n" } });
        await world.release();
        await world.agent();
        rmSync(world.path("agent-state"), { recursive: true });
      },
      args: ["agent", "--once", "--config", "agent.yaml", ...JSON_FORMAT],
    }),
    "head-missing": inWorld({
      change: (world) => {
        rmSync(world.path("channel"), { recursive: true, force: true });
        mkdirSync(world.path("channel"));
      },
      args: ["agent", "--once", "--config", "agent.yaml", ...JSON_FORMAT],
    }),
  } as const;
}
