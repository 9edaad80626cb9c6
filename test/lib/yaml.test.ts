import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { dump } from "js-yaml";
import { canonicalJson, type JsonValue } from "../../src/lib/canonical.ts";
import { MAXIMUM_YAML_BYTES, readYamlDocuments, type YamlFailure } from "../../src/lib/yaml.ts";
import { REFUSED, SCALARS } from "./scalars.ts";

function read(text: string): JsonValue[] {
  const reading = readYamlDocuments(text, "web.yaml");
  assert.equal(reading.kind, "documents", JSON.stringify(reading));
  return reading.kind === "documents" ? reading.documents.map((document) => document.value) : [];
}

function refusal(text: string): YamlFailure {
  const reading = readYamlDocuments(text, "web.yaml");
  assert.equal(reading.kind, "refused", `accepted ${JSON.stringify(text.slice(0, 200))}`);
  if (reading.kind !== "refused") throw new Error("unreachable");
  assert.equal(reading.failure.file, "web.yaml");
  assert.ok(reading.failure.line >= 1 && reading.failure.column >= 1);
  return reading.failure;
}

describe("plain scalars", () => {
  test("the table holds more than two hundred of them, each once", () => {
    assert.ok(SCALARS.length > 200, `${SCALARS.length}`);
    assert.equal(new Set(SCALARS.map(([text]) => text)).size, SCALARS.length);
  });

  for (const [text, expected] of SCALARS) {
    test(`${JSON.stringify(text)} is ${expected === REFUSED ? "refused as ambiguous" : JSON.stringify(expected)}`, () => {
      const source = `a:\n  b: ${text}\n`;
      if (expected !== REFUSED) return assert.deepEqual(read(source), [{ a: { b: expected } }]);
      const { code, line, column, message } = refusal(source);
      assert.deepEqual({ code, line, column }, { code: "yaml-ambiguous", line: 2, column: 6 });
      assert.ok(text.length < 3 || !message.includes(text), "a refusal never quotes a value, which may be a secret");
    });
  }

  test("the same texts in quotes are texts", () => {
    for (const [text] of SCALARS.filter(([scalar]) => !/["'\\\t]/.test(scalar))) {
      assert.deepEqual(read(`- "${text}"\n- '${text}'\n`), [[text, text]]);
    }
  });
});

/** Name, text, code, and where: what an attacker or an accident writes. */
const REFUSALS: readonly (readonly [string, string, YamlFailure["code"], line: number, column: number])[] = [
  ["a key that stands twice", "a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", 3, 1],
  ["a key that stands twice, once in quotes", 'a: 1\n"a": 2\n', "yaml-duplicate-key", 2, 1],
  ["a key that stands twice in a flow map", "x: {a: 1, a: 2}\n", "yaml-duplicate-key", 1, 11],
  ["__proto__ as a key", "a:\n  __proto__: {x: 1}\n", "yaml-key", 2, 3],
  ["__proto__ written with an escape", 'a:\n  "__pr\\u006fto__": {x: 1}\n', "yaml-key", 2, 3],
  ["constructor as a key", "constructor: x\n", "yaml-key", 1, 1],
  ["a number as a key", "8080: x\n", "yaml-key", 1, 1],
  ["true as a key", "true: x\n", "yaml-key", 1, 1],
  ["null as a key", "~: x\n", "yaml-key", 1, 1],
  ["an empty key", ": x\n", "yaml-key", 1, 1],
  ["a word as a key that some read as true", "on: x\n", "yaml-ambiguous", 1, 1],
  ["a list as a key", "? [a]\n: x\n", "yaml-key", 1, 3],
  ["an alias as a key", "- &a x\n- {*a : y}\n", "yaml-key", 2, 4],
  ["an anchor on a key", "&a k: x\n", "yaml-key", 1, 4],
  ["a key of 2,000 characters", `${"k".repeat(2000)}: x\n`, "yaml-key", 1, 1],
  ["a merge key", "a: &a {x: 1}\nb:\n  <<: *a\n", "yaml-ambiguous", 3, 3],
  ["a merge key in quotes", 'a: &a {x: 1}\nb:\n  "<<": *a\n', "yaml-key", 3, 3],
  ["a tag that names code", 'a: !!js/function "x"\n', "yaml-tag", 1, 4],
  ["a standard tag", "a: !!str 1\n", "yaml-tag", 1, 4],
  ["a binary tag", "a: !!binary aGVsbG8=\n", "yaml-tag", 1, 4],
  ["a non-specific tag", "a: ! 1\n", "yaml-tag", 1, 4],
  ["a verbatim tag on a map", "a: !<x> {b: 1}\n", "yaml-tag", 1, 4],
  ["a directive", "%YAML 1.1\n---\na: 1\n", "yaml-ambiguous", 1, 1],
  ["an unknown directive", "%FOO bar\n---\na: 1\n", "yaml-ambiguous", 1, 1],
  ["a tab as indentation", "a:\n\tb: 1\n", "yaml-malformed", 2, 1],
  ["a tab after spaces", "a:\n  \tb: 1\n", "yaml-malformed", 2, 5],
  ["a tab after a dash", "a:\n- \tb\n", "yaml-malformed", 2, 3],
  ["a tab that begins a block of text", "a: |\n  \tb\n", "yaml-malformed", 2, 3],
  ["a line separator", "a: b\u2028c: d\n", "yaml-ambiguous", 1, 5],
  ["a line separator in a comment", "a: b # x\u2029c: d\n", "yaml-ambiguous", 1, 9],
  ["the next-line character", "a: b\u0085c: d\n", "yaml-malformed", 1, 5],
  ["a byte order mark in the middle", "a: 1\n\ufeffb: 2\n", "yaml-malformed", 2, 1],
  ["a carriage return alone", "a: 1\rb: 2\n", "yaml-malformed", 1, 5],
  ["a NUL", "a: b\0c\n", "yaml-malformed", 1, 5],
  ["an escape character in a comment", "# \u001b[31m\na: 1\n", "yaml-malformed", 1, 3],
  ["half of a surrogate pair", "a: \ud800\n", "yaml-malformed", 1, 1],
  ["half of a surrogate pair as an escape", 'a: "\\ud800"\n', "yaml-malformed", 1, 5],
  ["a code point beyond Unicode", 'a: "\\U00110000"\n', "yaml-malformed", 1, 5],
  ["an alias without its anchor", "a: *x\n", "yaml-malformed", 1, 4],
  ["an alias of an earlier document", "a: &x 1\n---\nb: *x\n", "yaml-malformed", 3, 4],
  ["an anchor with a colon in its name", "a: &x:y 1\n", "yaml-ambiguous", 1, 4],
  ["an anchor that contains itself", "a: &a [*a]\n", "yaml-alias-bomb", 1, 8],
  ["a second document without its marker", "a: 1\n...\nb: 2\n", "yaml-ambiguous", 2, 1],
  ["content beside a document marker", "--- a: 1\n", "yaml-ambiguous", 1, 1],
  ["content beside the second document marker", "a: 1\n--- {b: 2}\n", "yaml-ambiguous", 2, 1],
  ["a block of text at the end without a line end", "a: |\n  text", "yaml-ambiguous", 2, 7],
  ["a block of text as a document", "|\n  text\n", "yaml-ambiguous", 2, 1],
  ["a question mark in a flow list", "a: [http://x/?q]\n", "yaml-ambiguous", 1, 5],
  ["a colon before a closing bracket", "a: {b:}\n", "yaml-ambiguous", 1, 5],
  ["a key after a text in quotes on one line", '- "a"b: c\n', "yaml-malformed", 1, 6],
  ["an unclosed quote", 'a: "b\n', "yaml-malformed", 2, 1],
  ["a wrong indentation", "a:\n    b: 1\n  c: 2\n", "yaml-malformed", 3, 3],
];

describe("what has more than one meaning, or none, is refused with its place", () => {
  for (const [name, text, code, line, column] of REFUSALS) {
    test(name, () => {
      const failure = refusal(text);
      assert.deepEqual({ code: failure.code, line: failure.line, column: failure.column }, { code, line, column });
    });
  }
});

describe("bombs end in a refusal", () => {
  const letters = "abcdefghi".split("");
  const laughs = letters.map((name, i) => `${name}: &${name} [${Array(9).fill(i === 0 ? "x" : `*${letters[i - 1]}`)}]`);
  const BOMBS: readonly (readonly [string, string, YamlFailure["code"]])[] = [
    ["a billion laughs", `${laughs.join("\n")}\n`, "yaml-alias-bomb"],
    ["one long text, many aliases", `a: &a ${"x".repeat(100_000)}\nb: [${"*a, ".repeat(100)}]\n`, "yaml-alias-bomb"],
    ["50,000 opening brackets", "[".repeat(50_000), "yaml-too-deep"],
    ["50,000 opening braces", "{a: ".repeat(50_000), "yaml-too-deep"],
    ["50,000 dashes", "- ".repeat(50_000), "yaml-too-deep"],
    ["101 levels", `${"[".repeat(101)}${"]".repeat(101)}`, "yaml-too-deep"],
    [
      "levels hidden in aliases",
      `a0: &a0 [1]\n${Array.from({ length: 200 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`).join("\n")}\n`,
      "yaml-too-deep",
    ],
    ["one byte too many", `a: ${"x".repeat(MAXIMUM_YAML_BYTES)}`, "yaml-too-large"],
  ];
  for (const [name, text, code] of BOMBS) test(name, () => assert.equal(refusal(text).code, code));

  test("a hundred levels and modest aliases are fine", () => {
    assert.equal(canonicalJson(read(`${"[".repeat(99)}${"]".repeat(99)}\n`)).length, 200);
    assert.deepEqual(read("a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n"), [
      { a: { b: [1] }, c: { b: [1] }, d: [{ b: [1] }, { b: [1] }] },
    ]);
  });
});

describe("documents", () => {
  test("are counted from 0 with their first line, and empty ones are left out", () => {
    const text = "# head\n---\n---\n# only a comment\n---\n\na: 1\n--- # second\nb: 2\n---\n";
    const reading = readYamlDocuments(text, "web.yaml");
    assert.deepEqual(reading, {
      kind: "documents",
      documents: [
        { index: 2, line: 7, value: { a: 1 } },
        { index: 3, line: 9, value: { b: 2 } },
      ],
    });
  });

  test("may begin with a byte order mark and end their lines the way Windows does", () => {
    assert.deepEqual(read("\ufeffa: 1\r\nb: |\r\n  x\r\n  y\r\n...\r\n"), [{ a: 1, b: "x\ny\n" }]);
  });

  test("an explicit null is a value, not an empty document", () => assert.deepEqual(read("--- # x\nnull\n"), [null]));

  test("text in quotes and blocks stays text", () => {
    assert.deepEqual(read("a: \"yes\"\nb: '010'\nc: |\n  no\nd: >-\n  1\n  2\n"), [
      { a: "yes", b: "010", c: "no\n", d: "1 2" },
    ]);
  });

  test("tabs are fine inside lines and in the text of blocks", () => {
    assert.deepEqual(read("a: x\ty\nscript: |\n  if\n  \tthen\n"), [{ a: "x\ty", script: "if\n\tthen\n" }]);
  });
});

const key = fc.string().filter((text) => !["__proto__", "constructor", "<<"].includes(text));

/** Values that both forms can hold; hazards such as line separators have their own tests above. */
const json = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string(),
    fc.constantFrom("yes", "010", "<<", "é😀", "a\tb\nc\n", "# x", "- y", "\\", '"'),
    fc.integer({ min: -1e9, max: 1e9 }),
    fc.boolean(),
    fc.constant(null),
  ),
  value: fc.oneof(
    { maxDepth: 5 },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value as fc.Arbitrary<JsonValue>;

describe("properties", () => {
  test("never throws for any text", () => {
    const pieces = [
      "a",
      ":",
      " ",
      "- ",
      "\n",
      "[",
      "]",
      "{",
      "}",
      ",",
      "?",
      "|",
      ">",
      "&a",
      "*a",
      "!",
      '"',
      "'",
      "#",
      "\t",
      "---",
      "...",
      "0",
      "1_",
      "\\",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (parts) => {
        assert.ok(["documents", "refused"].includes(readYamlDocuments(parts.join(""), "f").kind));
      }),
      { numRuns: 2_000 },
    );
  });

  test("the canonical form is YAML too and reads back as itself", () => {
    fc.assert(
      fc.property(json, (value) => {
        const canonical = canonicalJson(value);
        assert.deepEqual(read(`v: ${canonical}\n`).map(canonicalJson), [`{"v":${canonical}}`]);
      }),
      { numRuns: 300 },
    );
  });

  test("what a writer of YAML quotes with care reads back unchanged", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = dump({ v: value }, { forceQuotes: true, quoteStyle: "double", noRefs: true });
        assert.deepEqual(read(text).map(canonicalJson), [canonicalJson({ v: value })]);
      }),
      { numRuns: 300 },
    );
  });
});
