import assert from "node:assert/strict";
import { test } from "node:test";
import { printable, printableUpTo } from "../../src/lib/printable.ts";

test("leaves letters of every script, spaces and punctuation alone", () => {
  for (const text of ["Ada Lovelace", "Żółć", "山田太郎", "O'Neil <ada@example.com>", "a\\b", "𝒜🙂", ""]) {
    assert.equal(printable(text), text);
  }
});

test("writes escapes, line ends and other control characters as numbers", () => {
  assert.equal(printable("\u001b[31mred"), "\\u{1b}[31mred");
  assert.equal(printable("one\r\ntwo\tthree\u0000\u007f\u0085"), "one\\u{d}\\u{a}two\\u{9}three\\u{0}\\u{7f}\\u{85}");
  assert.equal(printable("a\u2028b\u2029c"), "a\\u{2028}b\\u{2029}c");
});

test("writes every character that turns the direction of writing as a number", () => {
  const marks = ["061c", "200e", "200f", "202a", "202b", "202c", "202d", "202e", "2066", "2067", "2068", "2069"];
  for (const mark of marks) {
    assert.equal(
      printable(`a${String.fromCodePoint(Number.parseInt(mark, 16))}b`),
      `a\\u{${mark.replace(/^0+/, "")}}b`,
    );
  }
});

test("writes what has no width as a number: zero width, byte order mark, tags, lone surrogates", () => {
  assert.equal(printable("a\u200bb\ufeffc\u00add"), "a\\u{200b}b\\u{feff}c\\u{ad}d");
  assert.equal(printable("\u{e0041}"), "\\u{e0041}");
  assert.equal(printable("\ud800x"), "\\u{d800}x");
});

test("cuts to a number of characters and says so, also a text of megabytes", () => {
  assert.equal(printableUpTo("short", 5), "short");
  assert.equal(printableUpTo("longer", 5), "long…");
  assert.equal(printableUpTo("x".repeat(5_000_000), 10), `${"x".repeat(9)}…`);
  assert.equal(printableUpTo("🙂🙂🙂", 3), "🙂🙂🙂");
});
