/** Every scalar and layout through Sluice's reader and through sigs.k8s.io/yaml in the toolchain: each agrees, or is refused by Sluice. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../../src/lib/canonical.ts";
import { readYamlDocuments } from "../../src/lib/yaml.ts";
import { SCALARS } from "../lib/scalars.ts";
import type { Scope } from "../support/temp.ts";
import { ToolchainClient } from "../toolchain/client.ts";

const BINARY = join(import.meta.dirname, "../../toolchain/bin/rego");

interface TheirAnswer {
  readonly json?: string;
  readonly error?: string;
}

/** Fails when the toolchain is not built: `npm test` builds it first. */
async function askKubernetes(scope: Scope, documents: readonly string[]): Promise<readonly TheirAnswer[]> {
  const answer = await new ToolchainClient(BINARY, scope).ask("yaml", { documents });
  assert.ok(answer?.ok, "the toolchain did not answer; npm run build makes it");
  const results = answer.result.results as TheirAnswer[];
  assert.equal(results.length, documents.length);
  return results;
}

/** The value of a file with one document, or null where Sluice refuses it or finds another number of documents. */
function ours(text: string): { readonly value: JsonValue } | null {
  const reading = readYamlDocuments(text, "a.yaml");
  if (reading.kind === "refused" || reading.documents.length !== 1) return null;
  const [document] = reading.documents;
  return document === undefined || document.index !== 0 ? null : { value: document.value };
}

async function assertAgreement(scope: Scope, texts: readonly string[]): Promise<number> {
  const accepted = texts.flatMap((text) => {
    const own = ours(text);
    return own === null ? [] : [{ text, value: own.value }];
  });
  const theirs = await askKubernetes(
    scope,
    accepted.map(({ text }) => text),
  );
  for (const [index, { text, value }] of accepted.entries()) {
    const { json, error } = theirs[index] ?? {};
    assert.ok(json !== undefined, `Kubernetes refuses ${JSON.stringify(text)}: ${error}`);
    assert.deepEqual(JSON.parse(json), value, `Kubernetes reads ${JSON.stringify(text)} as ${json}`);
  }
  return accepted.length;
}

const PIECES = [
  ...["a", "b", "c:", "d: ", "- ", "-", "? ", ": ", ":", "\n", "\n  ", "\n ", "\n    ", "\n\n", "[", "]", "{", "}"],
  ...[", ", ",", "'", '"', "|", ">", "|-", ">-", "|+", "|2", ">1", "# c", " #c", "&x ", "*x", "\t", " ", "x", "1"],
  ...[
    "foo bar",
    "\\n",
    "\\",
    '"q"',
    "'s'",
    "''",
    "---",
    "\n---\n",
    "%",
    "@",
    "`",
    "!",
    "-a",
    "?a",
    ":a",
    "a:b",
    "k: v",
  ],
  ...["\n- ", "\n  - ", "\n- a: ", "key: |\n  text\n", "\r\n", "\u00a0", "é", "~", "true", "\\x41", "e\n f", "k:\n- "],
];
const BEGINNINGS = [
  ...["a: 1\n", "a:\n  b: ", "- a\n- ", "x: |\n  ", "x: >\n  ", 'x: "', "x: '", "x: {", "x: [", "x: a\n ", "a:\n- b\n"],
  ...[
    "k: &x v\nm: *x\n",
    "x:\n  y: |\n    l1\n\n     l2\n   ",
    "x: |\n\n\n  a\n",
    "x: >\n  a\n  b\n\n  c\n    d\n  e\n",
    "",
  ],
];

describe("Sluice and Kubernetes", () => {
  test("read every scalar of the table alike, where Sluice reads it", async (t) => {
    const accepted = await assertAgreement(
      t,
      SCALARS.map(([text]) => `a:\n  b: ${text}\n`),
    );
    assert.ok(accepted > 100, `only ${accepted} were compared`);
  });

  test("read the scalars alike as items, in flow collections and in quotes", async (t) => {
    const texts = SCALARS.map(([text]) => text);
    const forms = texts.flatMap((text) => [
      `- ${text}\n- x\n`,
      `a: [${text}, x]\n`,
      `a: {b: ${text} }\n`,
      `a: "${text}"\n`,
      `a: '${text}'\n`,
      `? ${text}\n: x\n`,
      `${text}: x\n`,
    ]);
    const accepted = await assertAgreement(t, forms);
    assert.ok(accepted > 500, `only ${accepted} were compared`);
  });

  test("know the difference: without refusals they would not agree", async (t) => {
    const [octal, word] = await askKubernetes(t, ["a: 010\n", "a: yes\n"]);
    assert.deepEqual([octal?.json, word?.json], ['{"a":8}', '{"a":true}']);
  });

  test("read layouts made of odd pieces alike, where Sluice reads them", async (t) => {
    const layout = fc
      .tuple(
        fc.constantFrom(...BEGINNINGS),
        fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 9 }),
        fc.constantFrom("", "\n", "}", "]", '"', "'"),
      )
      .map(([beginning, pieces, end]) => `${beginning}${pieces.join("")}${end}`);
    const accepted = await assertAgreement(t, fc.sample(layout, { numRuns: 6_000, seed: 20261121 }));
    assert.ok(accepted > 300, `only ${accepted} were compared`);
  });
});
