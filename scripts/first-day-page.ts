/**
 * Writes docs/first-day.md: the ten denials that a newcomer meets first, as the command line says them now.
 * `node scripts/first-day-page.ts`; a test holds the page to what it writes.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { wrap } from "../src/cli/help.ts";
import { firstDayWorld, SCENES, type Scene, steady } from "../test/docs/first-day-scenes.ts";
import type { Scope } from "../test/support/temp.ts";

const WIDTH = 118;
export const FIRST_DAY_PAGE = "docs/first-day.md";

const LEAD = `# The first day

<!-- written by scripts/first-day-page.ts; change test/docs/first-day-scenes.ts, not this page -->

What a newcomer is told first, and what to type then. Each text below is printed by the command above it, in a test that
makes the change with real keys. The last words of each are the next command, with nothing left to fill in but what only
you can know. \`sluice explain CODE\` says more about any of them.

Before the first commit: \`sluice signing setup\` tells git to sign, \`sluice trust request\` prints the block with which a
colleague adds you, and \`sluice check\` shows on your machine what a gate would say.
`;

/** What every scene printed, by its code. */
export async function playAll(scope: Scope): Promise<ReadonlyMap<Scene, string>> {
  const base = await firstDayWorld(scope);
  const said = new Map<Scene, string>();
  for (const scene of SCENES) {
    const { stdout, stderr } = await scene.play(base.copy(scope));
    said.set(scene, steady(stdout + stderr));
  }
  return said;
}

export function firstDayPage(said: ReadonlyMap<Scene, string>): string {
  const sections = [...said].map(([{ title, code, story, command }, text], index) => {
    return `## ${index + 1}. ${title}: ${code}\n\n${wrap(story, WIDTH).join("\n")}\n\n\`\`\`\n$ ${command}\n${text.trimEnd()}\n\`\`\`\n`;
  });
  return `${LEAD}\n${sections.join("\n")}`;
}

async function writePage(root: string): Promise<void> {
  const cleanups: (() => void)[] = [];
  try {
    const said = await playAll({ after: (cleanup) => void cleanups.push(cleanup) });
    writeFileSync(join(root, FIRST_DAY_PAGE), firstDayPage(said));
  } finally {
    for (const cleanup of cleanups.reverse()) cleanup();
  }
}

if (import.meta.main) await writePage(resolve(import.meta.dirname, ".."));
