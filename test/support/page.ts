/** The commands of a page of docs/, run as they stand there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { sluiceCommand } from "./sluice.ts";
import type { World } from "./world.ts";

interface Page {
  readonly text: string;
  /** The code blocks below a heading, in their order. */
  blocks(title: string, language?: string): readonly string[];
}

export function readPage(name: string): Page {
  const text = readFileSync(resolve(import.meta.dirname, "../../docs", name), "utf8");
  return {
    text,
    blocks: (title, language = "sh") => {
      const section = text.split(/^## /m).find((one) => one.startsWith(`${title}\n`)) ?? "";
      const blocks = section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"));
      return [...blocks].map((match) => match[1] ?? "");
    },
  };
}

/** Blocks of one section share their variables; the first command that fails ends them. */
export function play(world: World, ...scripts: readonly string[]): string {
  return ending(0, world, ...scripts);
}

/** The same, which ends with this code. */
export function ending(code: number, world: World, ...scripts: readonly string[]): string {
  const sluice = `sluice() { "${process.execPath}" "${sluiceCommand()}" "$@"; }`;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: world.path("home"),
    TMPDIR: world.path("tmp"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const script = ["set -eu", sluice, ...scripts].join("\n");
  const run = spawnSync("bash", ["-c", script], { cwd: world.folder, env, encoding: "utf8" });
  assert.equal(run.status, code, `${run.stdout}${run.stderr}`);
  return run.stdout + run.stderr;
}
