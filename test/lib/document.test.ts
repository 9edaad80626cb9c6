import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { readDocument } from "../../src/lib/document.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { nearest } from "../../src/lib/nearest.ts";
import { knownKeys } from "../../src/lib/schema-keys.ts";

const inner = z.strictObject({ left: z.string(), right: z.int().default(0) });
const schema = z.strictObject({
  name: z.string(),
  plain: inner.optional(),
  many: z.array(inner).default([]),
  named: z.record(z.string(), inner).default({}),
  either: z.union([z.strictObject({ file: z.string() }), z.strictObject({ env: z.string() })]).optional(),
  later: inner.prefault({ left: "" }).nullable(),
});

function refused(text: string): SluiceError {
  try {
    readDocument(text, "a.yaml", schema, "configuration-invalid");
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
    throw thrown;
  }
  throw new Error("was not refused");
}

const GOOD = "name: a\nlater: null\n";

describe("a document", () => {
  test("is read as YAML and as JSON alike", () => {
    const expected = { name: "a", many: [], named: {}, later: null };
    const read = (text: string) => readDocument(text, "a.yaml", schema, "configuration-invalid");
    assert.deepEqual(read(GOOD), expected);
    assert.deepEqual(read('{"name": "a", "later": null}'), expected);
  });

  test("days and times stay texts", () => {
    const days = z.array(z.string());
    const text = "- 2026-11-21\n- 2026-11-21T10:00:00Z\n- 2026-11-21T10:00:00.5Z\n";
    const read = readDocument(text, "a.yaml", days, "configuration-invalid");
    assert.deepEqual(read, ["2026-11-21", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.5Z"]);
  });

  const PLACES: readonly (readonly [string, string, number, number, RegExp])[] = [
    ["at the top", `${GOOD}nam: b\n`, 3, 1, /unknown key "nam"; did you mean "name"\?$/],
    ["in a map", `${GOOD}plain:\n  left: x\n  rihgt: 1\n`, 5, 3, /"rihgt"; did you mean "right"\?$/],
    ["in a list", `${GOOD}many:\n- left: x\n- {left: z, lefd: z}\n`, 5, 13, /"lefd"; did you mean "left"\?$/],
    ["under any name", `${GOOD}named:\n  b: {left: x, rigt: 1}\n`, 4, 16, /"rigt"; did you mean "right"\?$/],
    ["in a union", `${GOOD}either: {fiel: x}\n`, 3, 10, /"fiel"; did you mean "file"\?$/],
    ["behind a default", "name: a\nlater: {left: x, rigth: 1}\n", 2, 18, /"rigth"; did you mean "right"\?$/],
    ["with a slash", `${GOOD}a/b~c: 1\n`, 3, 1, /unknown key "a\/b~c"\.$/],
  ];
  for (const [where, text, line, column, message] of PLACES) {
    test(`names an unknown key ${where} by line and column, with the nearest known one`, () => {
      const { code, message: said, position } = refused(text);
      assert.equal(code, "configuration-invalid");
      assert.deepEqual(position, { file: "a.yaml", line, column });
      assert.match(said, message);
      assert.ok(said.startsWith(`a.yaml:${line}:${column} `));
    });
  }

  test("a key of one member of a union is no misspelling where another member stands", () => {
    assert.match(refused(`${GOOD}either: {file: a, env: b}\n`).message, /^a\.yaml:3:\d+ /);
  });

  test("a member that knows every key that stands there is the one that was meant", () => {
    assert.match(refused(`${GOOD}either: {env: 1}\n`).message, /either\.env/);
    assert.match(refused(`${GOOD}either: {file: 1}\n`).message, /either\.file/);
  });

  test("a member that is no map is not the one that was meant where a map stands", () => {
    const forms = z.strictObject({
      key: z.union([z.string(), z.strictObject({ file: z.string(), from: z.string() })]),
    });
    assert.throws(
      () => readDocument("key: {file: a, from: 1, fiel: b}\n", "a.yaml", forms, "configuration-invalid"),
      /a\.yaml:1:\d+ key\.from/,
    );
  });

  test("says in plain words what is expected where something else stands, too little or nothing", () => {
    const { message } = refused("plain: text\neither: abcdef\nnamed: 1\n");
    assert.deepEqual(
      message
        .split("\n")
        .map((line) => line.replace(/^\S+ /, ""))
        .sort(),
      [
        "either: {file: ...} or {env: ...} is expected.",
        "name: is missing; a text is expected.",
        "named: a map is expected.",
        "plain: a map is expected.",
      ],
    );
    const some = z.strictObject({ some: z.array(z.string()).min(1) });
    assert.throws(() => readDocument("some: []\n", "a.yaml", some, "configuration-invalid"), {
      message: "a.yaml:1:1 some: at least 1 entry is expected.",
    });
  });

  test("says all that is wrong, at most five, and the first one's place", () => {
    const { message, position } = refused("x1: 1\nx2: 2\nx3: 3\nx4: 4\nx5: 5\nx6: 6\n");
    assert.equal(message.split("\n").length, 5);
    assert.equal(position?.file, "a.yaml");
  });

  const HOSTILE: readonly (readonly [string, string])[] = [
    ["an alias", "name: &x a\nlater: null\nplain: {left: *x}\n"],
    ["a repeated key", `${GOOD}name: b\n`],
    ["__proto__", `${GOOD}__proto__: {}\n`],
    ["__proto__ in quotes", `${GOOD}"__proto__": {}\n`],
    ["two documents", `${GOOD}---\n${GOOD}`],
    ["fifty thousand levels", `name: ${"[".repeat(50_000)}`],
    ["a word that some readers take for true", "name: on\nlater: null\n"],
    ["a number in base 60", "name: 12:30:45\nlater: null\n"],
    ["a number beyond what all readers carry", "name: 5e20000\nlater: null\n"],
    ["nothing", ""],
  ];
  for (const [what, text] of HOSTILE) {
    test(`with ${what} is refused`, () => {
      const { code, message } = refused(text);
      assert.equal(code, "configuration-invalid");
      assert.match(message, /^a\.yaml(?::\d+:\d+)? is not valid YAML: /);
    });
  }

  test("that is empty or more than one is refused, and says which", () => {
    for (const text of ["", "# nothing\n"])
      assert.match(refused(text).message, /^a\.yaml is not valid YAML: .*no document/);
    assert.match(refused(`${GOOD}---\n${GOOD}`).message, /^a\.yaml is not valid YAML: .*more than one document/);
  });

  test("never throws anything but its own refusal, whatever the text", () => {
    const unit = fc.constantFrom(..."abn:{}[]-#&*!|>'\"%@` \n\t\r\u0000\ufeff?0.", "name", "__proto__", "<<");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        try {
          readDocument(text, "a.yaml", schema, "configuration-invalid");
        } catch (thrown) {
          assert.ok(thrown instanceof SluiceError && thrown.code === "configuration-invalid", String(thrown));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("known keys", () => {
  test("are found through every wrapping of a schema", () => {
    assert.deepEqual(knownKeys(schema, []), ["name", "plain", "many", "named", "either", "later"]);
    for (const path of [["plain"], ["many", 0], ["named", "b"], ["later"]]) {
      assert.deepEqual(knownKeys(schema, path), ["left", "right"], path.join("."));
    }
    assert.deepEqual(knownKeys(schema, ["either"]), ["file", "env"]);
    assert.deepEqual(knownKeys(schema, ["name"]), []);
    assert.deepEqual(knownKeys(schema, ["nothing", "here"]), []);
  });
});

describe("the nearest word", () => {
  const known = ["signatures", "approvals", "branch", "path", "mode"];
  const CASES: readonly (readonly [string, string | null])[] = [
    ["singatures", "signatures"],
    ["Branch", "branch"],
    ["pth", "path"],
    ["aproval", "approvals"],
    ["mdoe", "mode"],
    ["colour", null],
    ["zzzzzzzzzzz", null],
  ];
  for (const [word, expected] of CASES) {
    test(`to ${word} is ${expected ?? "none"}`, () => assert.equal(nearest(word, known), expected));
  }

  test("is a word itself where it is known, and there is none among none", () => {
    for (const word of known) assert.equal(nearest(word, known), word);
    assert.equal(nearest("mode", []), null);
  });
});
