/**
 * The catalogue of codes: each example really produces its code. Where an example is a command, a snippet or a file, it is
 * put to the door that a person would put it to; where it takes a disk or a broken part, the test that makes it is named.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, it } from "node:test";
import { CODES, type Code } from "../../src/lib/codes.ts";
import { commandTable } from "./explained/commands.ts";
import { commitTable } from "./explained/commits.ts";
import { ELSEWHERE_TABLE } from "./explained/elsewhere.ts";
import type { Elsewhere, Shown } from "./explained/entry.ts";
import { manifestTable } from "./explained/manifests.ts";
import { partTable } from "./explained/parts.ts";
import { POLICY_TABLE } from "./explained/policies.ts";

const TESTS = resolve(import.meta.dirname, "..");
const TABLES: readonly Readonly<Record<string, Shown>>[] = [
  await commandTable({ after }),
  await commitTable({ after }),
  await manifestTable({ after }),
  POLICY_TABLE,
  await partTable({ after }),
  ELSEWHERE_TABLE,
];

describe("each example of the catalogue produces its code", () => {
  it("each code is shown once, and nothing else is", () => {
    assert.deepEqual(TABLES.flatMap((table) => Object.keys(table)).sort(), Object.keys(CODES).sort());
  });

  for (const [code, shown] of TABLES.flatMap((table) => Object.entries(table))) {
    if (!("make" in shown)) {
      it(`${code}, in ${shown.file}`, () => assertNamed(code, shown));
      continue;
    }
    it(code, async (t) => {
      const answers = await shown.make(t, CODES[code as Code].example);
      assert.ok(answers.length > 0, "something was made");
      for (const [n, answer] of answers.entries()) {
        assert.ok(answer.includes(code), `form ${n + 1} met ${answer.join(", ") || "nothing"}`);
      }
    });
  }
});

/** The text stands once in the file, and the code stands between it and the next test. */
function assertNamed(code: string, { file, text }: Elsewhere): void {
  const parts = readFileSync(join(TESTS, file), "utf8").split(text);
  assert.equal(parts.length, 2, `${file} has this once: ${text}`);
  const [body = ""] = (parts[1] ?? "").split(/^\s*(?:test|it|describe)\(/m);
  assert.match(body, new RegExp(`(?<![\\w-])${code}(?![\\w-])`), `${file}: ${text}`);
}
