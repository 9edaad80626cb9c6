/** The pages about policies: a block with a path is that file from there on, a console block is what its commands print. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { write } from "../cli/policy-scene.ts";
import { ROOT } from "../policy/support.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const BLOCK = /^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm;
/** These change with the compiler; everything else is compared as it stands. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/sha256:[0-9a-f]{64}/g, "sha256:…"],
  [/\d+ KiB/g, "… KiB"],
];

function comparable(text: string): string {
  return CHANGING.reduce((changed, [pattern, word]) => changed.replaceAll(pattern, word), text);
}

/** Shown for people with a cluster. */
const NOT_RUN = "sh";
const PAGES = ["docs/policies.md", "docs/imported-policies.md"];

for (const name of PAGES) {
  test(`${name} shows files that work and what its commands really print`, async (t) => {
    const folder = tempFolder(t);
    const page = readFileSync(join(ROOT, name), "utf8");
    let commands = 0;
    for (const [, language, path = "", body = ""] of page.matchAll(BLOCK)) {
      if (language === NOT_RUN) continue;
      if (language !== "console") {
        assert.notEqual(path, "", `a block of ${language} without a path would be shown and never tried`);
        write(folder, { [path]: body });
        continue;
      }
      for (const part of body.split(/^\$ /m).slice(1)) {
        const [line = "", ...output] = part.split("\n");
        const [program, ...args] = line.split(" ");
        assert.equal(program, "sluice");
        const run = await runSluice(args, { cwd: folder });
        assert.equal(run.stderr, "");
        assert.equal(comparable(run.stdout), comparable(output.join("\n")), line);
        commands += 1;
      }
    }
    assert.ok(commands >= 5);
  });

  test(`${name} links to files that exist`, () => {
    const page = readFileSync(join(ROOT, name), "utf8");
    const links = [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    assert.ok(links.length > 0);
    for (const target of links) assert.ok(readFileSync(join(ROOT, "docs", target)).byteLength > 0, target);
  });
}
