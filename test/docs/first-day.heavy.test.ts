/** docs/first-day.md: each of the ten texts is what the command line says now, and ends in a command that is complete. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { FIRST_DAY_PAGE, firstDayPage, playAll } from "../../scripts/first-day-page.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { fixOf, SCENES, type Scene } from "./first-day-scenes.ts";

const PAGE = resolve(import.meta.dirname, "../..", FIRST_DAY_PAGE);
/** What a fix of the catalogue holds where a name belongs. */
const PLACEHOLDER = /\b(?:BASE|COMMIT|TARGET|FILE|NAME|REV|TEXT|RULE|RESOURCE)\b/;

describe("the first ten denials", () => {
  let said: ReadonlyMap<Scene, string> = new Map();
  before(async () => {
    said = await playAll({ after });
  });

  it("stand in docs/first-day.md as the command line says them", () => {
    assert.equal(SCENES.length, 10);
    assert.equal(readFileSync(PAGE, "utf8"), firstDayPage(said), "run node scripts/first-day-page.ts");
  });

  for (const scene of SCENES) {
    it(`${scene.code} ends in a command with nothing left to fill in: ${scene.title}`, async () => {
      const text = said.get(scene) ?? "";
      assert.match(text, /^(?:DENIED|WAITING) {2}prod /);
      const [, command = ""] = /`([^`]+)`$/.exec(fixOf(text, scene.code)) ?? [];
      assert.doesNotMatch(command, PLACEHOLDER);
      const resign = /^git rebase -f -S [0-9a-f]{7} && git push --force-with-lease$/;
      if (!command.startsWith("sluice ")) assert.match(command, resign);
      else await assertExists(command);
    });
  }
});

/** The command is there, and has every option that the line gives it. */
async function assertExists(line: string): Promise<void> {
  const words = line.split(" ").slice(1);
  const entry = COMMANDS.find(({ name }) => [words.slice(0, 2).join(" "), words[0]].includes(name));
  assert.ok(entry !== undefined, line);
  const { options } = await entry.load();
  const given = words.filter((word) => word.startsWith("--")).map((word) => word.slice(2));
  assert.deepEqual(
    given.filter((name) => options[name] === undefined),
    [],
    line,
  );
}
