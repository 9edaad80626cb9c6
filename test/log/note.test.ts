import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeBase64 } from "../../src/lib/bytes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { openCheckpoint, parseCheckpoint, signCheckpoint } from "../../src/log/checkpoint.ts";
import { emptyRoot } from "../../src/log/merkle.ts";
import { generateNoteKey, noteSigner, noteVerifier, openNote, parseNote } from "../../src/log/note.ts";

const ADA = generateNoteKey("ada.example/log", new Uint8Array(32).fill(1));
const LIN = generateNoteKey("lin.example/log", new Uint8Array(32).fill(2));
const TEXT = "If you think cryptography is the answer\n\nlook at the question.\n";
const NOTE = noteSigner(ADA.skey).sign(TEXT);
const KEYS = [noteVerifier(ADA.vkey)];

function rejection(note: string | Uint8Array, keys = KEYS): string {
  const opening = openNote(note, keys);
  return opening.kind === "rejected" ? opening.code : "verified";
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown.code;
    throw thrown;
  }
  return "none";
}

describe("a signed note", () => {
  it("verifies the example that Go's package documents", () => {
    // golang.org/x/mod/sumdb/note, package documentation: key and note of PeterNeumann
    const go = noteVerifier("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const line =
      "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    assert.equal(openNote(`${text}\n${line}`, [go]).kind, "verified");
    assert.equal(rejection(`${text.replace("cryptography", "Cryptography")}\n${line}`, [go]), "note-bad-signature");
  });

  it("returns the text up to the last empty line", () => {
    const opening = openNote(NOTE, KEYS);
    assert.equal(opening.kind === "verified" && opening.text, TEXT);
    assert.equal(opening.kind === "verified" && opening.by[0]?.name, "ada.example/log");
  });

  it("skips signatures of unknown keys, and needs one of a known key", () => {
    const second = noteSigner(LIN.skey)
      .sign(TEXT)
      .slice(TEXT.length + 1);
    assert.equal(rejection(NOTE + second), "verified");
    assert.equal(rejection(NOTE, [noteVerifier(LIN.vkey)]), "note-unknown-key");
    assert.equal(rejection(NOTE, []), "note-unknown-key");
  });

  it("fails as a whole when one signature of a known key is bad", () => {
    const bad = noteSigner(LIN.skey).sign("another text\n").split("\n\n")[1] as string;
    assert.equal(rejection(NOTE + bad), "verified");
    assert.equal(rejection(NOTE + bad, [...KEYS, noteVerifier(LIN.vkey)]), "note-bad-signature");
  });

  it("is refused when its form differs in any way", () => {
    const line = NOTE.slice(TEXT.length + 1);
    const forms: Record<string, string | Uint8Array> = {
      "a hyphen for the dash": NOTE.replace("—", "-"),
      "no newline at the end": NOTE.slice(0, -1),
      "no empty line": TEXT.replace("\n\n", "\n") + line,
      "no signature": `${TEXT}\n`,
      "a carriage return": NOTE.replace("\n", "\r\n"),
      "a tab": NOTE.replace(" ", "\t"),
      "two spaces": NOTE.replace("— ada", "—  ada"),
      "base64 without padding": NOTE.replace("=\n", "\n"),
      "base64 with another alphabet": NOTE.replaceAll("/", "_").replaceAll("+", "-"),
      "a plus in a name": NOTE.replace("— ada", "— a+a"),
      "an empty line after the signatures": `${NOTE}\n`,
      "101 signatures": `${TEXT}\n${line.repeat(101)}`,
      "bytes that are not UTF-8": Buffer.concat([Buffer.from([0xff]), Buffer.from(NOTE)]),
      "more than a megabyte": `${"x".repeat(1_000_000)}\n${NOTE}`,
    };
    for (const [what, note] of Object.entries(forms)) assert.equal(rejection(note), "note-malformed", what);
    assert.equal(rejection(`${TEXT}\n${line.repeat(100)}`), "verified");
  });

  it("refuses base64 that a lenient decoder would read as the same bytes", () => {
    const end = NOTE.at(-3) === "=" ? -4 : -3;
    for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
      const changed = `${NOTE.slice(0, end)}${last}${NOTE.slice(end + 1)}`;
      if (changed !== NOTE) assert.notEqual(rejection(changed), "verified");
    }
  });

  it("never verifies after any one byte was changed", () => {
    const bytes = Buffer.from(NOTE);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ flip;
        assert.notEqual(rejection(changed), "verified");
      }),
    );
  });

  it("reads no key whose text was changed or whose id is not its own", () => {
    for (const change of [
      ADA.vkey.slice(1),
      ADA.vkey.slice(0, -1),
      `${ADA.vkey} `,
      "a+b+c",
      "",
      ADA.vkey.replace(/[+][0-9a-f]{8}[+]/, "+00000000+"),
    ])
      assert.equal(
        codeOf(() => noteVerifier(change)),
        "note-key-invalid",
        change,
      );
    assert.equal(
      codeOf(() => noteVerifier(ADA.vkey.replace("ada", "eve"))),
      "note-key-invalid",
    );
    assert.equal(
      codeOf(() => noteSigner(ADA.skey.replace("ada", "eve"))),
      "note-key-invalid",
    );
    assert.equal(
      codeOf(() => noteSigner(ADA.vkey)),
      "note-key-invalid",
    );
    assert.equal(
      codeOf(() => generateNoteKey("a b", new Uint8Array(32))),
      "note-key-invalid",
    );
    assert.equal(noteSigner(`${ADA.skey}\n`).vkey, ADA.vkey);
  });

  it("takes nothing apart that it did not put together", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.ok(parseNote(text) === null || text.includes("\n\n— "))));
  });
});

describe("a checkpoint", () => {
  const signer = noteSigner(ADA.skey);
  const origin = "ada.example/log";

  it("is origin, size and root, signed", () => {
    const { note } = signCheckpoint(origin, 7, emptyRoot(), signer);
    const opened = openCheckpoint(note, origin, KEYS);
    assert.equal(opened.size, 7);
    assert.deepEqual(Buffer.from(opened.root), Buffer.from(emptyRoot()));
    assert.equal(note.split("\n").slice(0, 3).join("|"), `${origin}|7|${encodeBase64(emptyRoot())}`);
  });

  it("is refused in any other form", () => {
    const root = encodeBase64(emptyRoot());
    const texts = [
      `${origin}\n07\n${root}\n`,
      `${origin}\n-1\n${root}\n`,
      `${origin}\n9007199254740993\n${root}\n`,
      `${origin}\n7\n${root.slice(4)}\n`,
      `${origin}\n7\n${root}\nextension\n`,
      `${origin}\n7\n`,
      `\n7\n${root}\n`,
      `a b\n7\n${root}\n`,
    ];
    for (const text of texts) {
      assert.equal(parseCheckpoint(signer.sign(text)), null, text);
      assert.equal(
        codeOf(() => openCheckpoint(signer.sign(text), origin, KEYS)),
        "checkpoint-malformed",
        text,
      );
    }
  });

  it("is refused without a known key, with a bad signature, or from another log", () => {
    const { note } = signCheckpoint(origin, 7, emptyRoot(), signer);
    assert.equal(
      codeOf(() => openCheckpoint(note, origin, [noteVerifier(LIN.vkey)])),
      "note-unknown-key",
    );
    assert.equal(
      codeOf(() => openCheckpoint(note.replace("\n7\n", "\n8\n"), origin, KEYS)),
      "note-bad-signature",
    );
    assert.equal(
      codeOf(() => openCheckpoint("no note", origin, KEYS)),
      "note-malformed",
    );
    assert.equal(
      codeOf(() => openCheckpoint(note, "other.example/log", KEYS)),
      "log-origin-mismatch",
    );
  });
});
