/** A Secret that cannot be read is refused at its place, and no message repeats what may be a value of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { render } from "./sources.ts";

const CANARY = "CANARYpw123";

/** What may stand behind `password:` in a Secret, and how that is refused. */
const YAML_VALUES: readonly (readonly [what: string, value: string, code: string])[] = [
  ["a password that begins with an asterisk", `*${CANARY}`, "yaml-malformed"],
  ["one that begins with an asterisk and has other characters", `*${CANARY}$x`, "yaml-ambiguous"],
  ["one that begins with an exclamation mark", `!${CANARY}`, "yaml-tag"],
  ["one that begins with two", `!!${CANARY}`, "yaml-tag"],
  ["one with an exclamation mark in it too", `!${CANARY}!x`, "yaml-malformed"],
  ["one with three", `!!${CANARY}!x`, "yaml-malformed"],
  ["one like a tag with a comma", `!${CANARY},x`, "yaml-malformed"],
  ["one like a tag with a brace", `!x${CANARY}{`, "yaml-malformed"],
  ["one like a tag with a per cent sign", `!x%${CANARY}`, "yaml-tag"],
  ["one like a tag of another kind", `!<${CANARY}`, "yaml-malformed"],
  ["one like a whole tag of another kind", `!<^${CANARY}> x`, "yaml-malformed"],
  ["one that begins with an ampersand and has other characters", `&${CANARY}$x`, "yaml-ambiguous"],
  ["one with two ampersands", `&a &${CANARY} x`, "yaml-malformed"],
  ["one that names itself", `&${CANARY} [*${CANARY}]`, "yaml-alias-bomb"],
  ["an asterisk in a map's key", `{*${CANARY} : x}`, "yaml-key"],
  ["one in braces, twice", `{${CANARY}, ${CANARY}}`, "yaml-duplicate-key"],
  ["one in two braces", `{{ ${CANARY} }}`, "yaml-key"],
  ["one in brackets that are not closed", `[${CANARY}`, "yaml-malformed"],
  ["one in brackets with a colon", `[${CANARY}?]`, "yaml-ambiguous"],
  ["one with a colon", `${CANARY}: x`, "yaml-malformed"],
  ["one with a quote that is not closed", `"${CANARY}`, "yaml-malformed"],
  ["one with a single quote that is not closed", `'${CANARY}`, "yaml-malformed"],
  ["one with an escape that is none", `"\\q${CANARY}"`, "yaml-malformed"],
  ["one with half of a surrogate pair", `"\\ud800${CANARY}"`, "yaml-malformed"],
  ["one with text behind its quotes", `"x"${CANARY}`, "yaml-malformed"],
  ["one that begins with a per cent sign", `%${CANARY}: [`, "yaml-malformed"],
  ["one that begins with an at sign", `@${CANARY}`, "yaml-malformed"],
  ["one that begins with a backtick", `\`${CANARY}`, "yaml-malformed"],
  ["one that begins like a block of text", `|${CANARY}`, "yaml-malformed"],
  ["one that begins like a folded block", `>${CANARY}`, "yaml-malformed"],
  ["a block of text that is not indented", `|\n${CANARY}\n`, "yaml-malformed"],
  ["lines of a block of text that became keys", `|\n  ${CANARY}: x\n  ${CANARY}: x`, "yaml-duplicate-key"],
  ["a line of a block of text that became a directive", `|\n%${CANARY}`, "yaml-ambiguous"],
  ["one behind a tab", `\n\t${CANARY}`, "yaml-malformed"],
  ["one with a control character", `${CANARY}\u0007`, "yaml-malformed"],
  ["a key without end", `\n    ? ${CANARY}\n      x\n    : y`, "yaml-key"],
];

const OTHER_YAML: readonly (readonly [what: string, text: string, code: string])[] = [
  ["a Secret that is a text", CANARY, "not-an-object"],
  ["a Secret that is a list", `- ${CANARY}\n`, "not-an-object"],
  ["a Secret that lost its metadata", `apiVersion: v1\nkind: Secret\n${CANARY}: x\n`, "not-an-object"],
  ["a value as the kind", `apiVersion: v1\nkind: "$${CANARY}"\nmetadata: {name: a}\n`, "identity-hostile"],
  ["a value as the name", `apiVersion: v1\nkind: Secret\nmetadata: {name: "$${CANARY}"}\n`, "identity-hostile"],
  ["a value as a field of a list", `apiVersion: v1\nkind: SecretList\n${CANARY}: x\nitems: []\n`, "list-ambiguous"],
  ["a value behind the three dots", `a: b\n... ${CANARY}\n`, "yaml-ambiguous"],
  ["a value behind the three dashes", `a: b\n--- ${CANARY}\n`, "yaml-ambiguous"],
];

const JSON_VALUES: readonly (readonly [what: string, value: string, code: string])[] = [
  ["a value without quotes", CANARY, "json-malformed"],
  ["a value that is not closed", `"${CANARY}`, "json-malformed"],
  ["a value with an escape that is none", `"${CANARY}\\q"`, "json-malformed"],
  ["a value with half of a surrogate pair", `"${CANARY}\\ud800"`, "json-malformed"],
  ["a value that is a key, twice", `{"${CANARY}": 1, "${CANARY}": 2}`, "json-duplicate-key"],
  ["text behind a value", `"x" ${CANARY}`, "json-malformed"],
  ["a number that is none", `1${CANARY}`, "json-malformed"],
];

async function assertSilent(path: string, text: string, code: string, canary = CANARY): Promise<void> {
  const { failures } = await render({ [path]: text });
  assert.deepEqual(
    failures.map((failure) => failure.code),
    [code],
  );
  for (const { message, line, column } of failures) {
    assert.ok(message.length > 10 && line !== null && column !== null, "the place and a sentence are there");
    assert.ok(!JSON.stringify(message).includes(canary), message);
  }
}

describe("a Secret that is refused repeats no value of it", () => {
  for (const [what, value, code] of YAML_VALUES) {
    test(`in YAML with ${what}`, async () => {
      const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: ${value}\n`;
      await assertSilent("app/a.yaml", text, code);
    });
  }
  for (const [what, text, code] of OTHER_YAML) {
    test(`in YAML that is ${what}`, () => assertSilent("app/a.yaml", text, code));
  }
  for (const [what, value, code] of JSON_VALUES) {
    test(`in JSON with ${what}`, async () => {
      const text = `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"password": ${value}}}`;
      await assertSilent("app/a.json", text, code);
    });
  }
  for (const number of ["0777123", "1_000_777", "0x77CAFE", "9007199254740993", "77:12:34", "2026-11-21"]) {
    test(`in YAML with the number ${number}`, async () => {
      const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {pin: ${number}}\n`;
      await assertSilent("app/a.yaml", text, "yaml-ambiguous", number);
    });
  }
  test("in JSON with a number that no reader carries", () =>
    assertSilent("app/a.json", '{"data": {"pin": 9007199254740993}}', "json-number", "9007199254740993"));
});

test("what is refused as an alias or a tag is told to be put in quotes", async () => {
  for (const [value, sign] of [
    ["*pw", "`*`"],
    ["!pw", "`!`"],
  ] as const) {
    const { failures } = await render({ "app/a.yaml": `stringData:\n  password: ${value}\n` });
    assert.ok(failures[0]?.message.includes(`write a text in quotes when it begins with ${sign}`));
  }
});
