import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { openCheckpoint, signCheckpoint } from "../../src/log/checkpoint.ts";
import { cosignaturesOf, cosignatureVerifier, cosigner, generateCosigningKey } from "../../src/log/cosignature.ts";
import { emptyRoot } from "../../src/log/merkle.ts";
import { generateNoteKey, noteSigner, noteVerifier } from "../../src/log/note.ts";

const LOG = generateNoteKey("gate.example/log", new Uint8Array(32).fill(1));
const ONE = generateCosigningKey("one.example/w", new Uint8Array(32).fill(2));
const TWO = generateCosigningKey("two.example/w", new Uint8Array(32).fill(3));
const KNOWN = [cosignatureVerifier(ONE.vkey), cosignatureVerifier(TWO.vkey)];
const AT = Date.parse("2026-11-21T12:00:00.789Z");
const { note: NOTE } = signCheckpoint("gate.example/log", 0, emptyRoot(), noteSigner(LOG.skey));
const TEXT = NOTE.slice(0, NOTE.indexOf("\n\n") + 1);
const [BY_ONE, BY_TWO] = [ONE, TWO].map(({ skey }) => cosigner(skey).cosign(TEXT, AT)) as [string, string];

function names(note: string, known = KNOWN): string {
  return (
    cosignaturesOf(note, known)
      ?.map(({ name }) => name)
      .join(" ") ?? "refused"
  );
}

describe("a cosignature", () => {
  it("verifies the example of the format's own description", () => {
    // C2SP tlog-cosignature: key type 0x04, time in front of the signature; a key of notes is not one of these
    assert.equal(Buffer.from(ONE.vkey.split("+").slice(2).join("+"), "base64")[0], 4);
    const signature = Buffer.from(BY_ONE.split(" ")[2] ?? "", "base64");
    assert.equal(signature.byteLength, 4 + 8 + 64);
    assert.equal(Number(signature.readBigUInt64BE(4)), Math.floor(AT / 1000));
  });

  it("counts each known witness once, whole seconds, beside the log's own signature", () => {
    assert.equal(names(NOTE), "");
    assert.equal(names(NOTE + BY_ONE + BY_TWO), "one.example/w two.example/w");
    assert.equal(names(NOTE + BY_ONE + BY_ONE), "one.example/w");
    assert.equal(names(NOTE + BY_ONE + BY_TWO, KNOWN.slice(1)), "two.example/w");
    assert.deepEqual(cosignaturesOf(NOTE + BY_ONE, KNOWN), [{ name: "one.example/w", at: AT - 789 }]);
    assert.equal(openCheckpoint(NOTE + BY_ONE, "gate.example/log", [noteVerifier(LOG.vkey)]).size, 0);
  });

  it("of a known witness that is wrong refuses the whole note: other text, other time, cut short", () => {
    const other = cosigner(ONE.skey).cosign(TEXT.replace("\n0\n", "\n1\n"), AT);
    const bytes = Buffer.from(BY_ONE.split(" ")[2] ?? "", "base64");
    const later = Buffer.from(bytes);
    later.writeBigUInt64BE(later.readBigUInt64BE(4) + 1n, 4);
    const line = (field: Buffer): string => `— one.example/w ${field.toString("base64")}\n`;
    assert.equal(names(NOTE + line(bytes)), "one.example/w");
    for (const wrong of [other, line(later), line(bytes.subarray(0, -1)), line(bytes.subarray(0, 12))])
      assert.equal(names(NOTE + BY_TWO + wrong), "refused", wrong);
  });

  it("is not made or checked with a key of notes, and a note is not signed with a witness's key", () => {
    assert.throws(() => cosigner(LOG.skey), { code: "note-key-invalid" });
    assert.throws(() => cosignatureVerifier(LOG.vkey), { code: "note-key-invalid" });
    assert.throws(() => noteSigner(ONE.skey), { code: "note-key-invalid" });
    assert.throws(() => noteVerifier(ONE.vkey), { code: "note-key-invalid" });
  });

  it("with any flipped bit in its line is refused or not counted", () => {
    const bits = Buffer.byteLength(BY_ONE) * 8;
    fc.assert(
      fc.property(fc.nat(bits - 1), (bit) => {
        const line = Buffer.from(BY_ONE);
        line[bit >> 3] = (line[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return names(NOTE + line.toString("utf8")) !== "one.example/w";
      }),
      { numRuns: 300 },
    );
  });
});
