import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  concatBytes,
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  equalBytes,
  gatherBytes,
  utf8,
} from "../../src/lib/bytes.ts";
import { fingerprint, sha256, sha256Base64, sha256Hex } from "../../src/lib/digest.ts";

const anyBytes = fc.uint8Array({ maxLength: 200 });

describe("base64", () => {
  test("any bytes come back, and the text is the one that Buffer writes", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const text = encodeBase64(bytes);
        assert.equal(text, Buffer.from(bytes).toString("base64"));
        assert.deepEqual(decodeBase64(text), bytes);
      }),
    );
  });

  test("of all texts only what re-encodes to itself is read", () => {
    const text = fc.string({ unit: fc.constantFrom(..."AQgw=+/-_ \n"), maxLength: 9 });
    fc.assert(
      fc.property(text, (one) => {
        const bytes = decodeBase64(one);
        if (bytes !== null) assert.equal(encodeBase64(bytes), one);
      }),
      { numRuns: 2000 },
    );
  });

  const refused = [
    "A",
    "AA",
    "AAA",
    "AA=",
    "AA===",
    "====",
    "AB==",
    "AAB=",
    "AA==\n",
    " AA==",
    "AA==AA==",
    "-_==",
    "AAA*",
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text)} is not read`, () => assert.equal(decodeBase64(text), null));
  }

  test("a view into a larger buffer is written without its surroundings", () => {
    const whole = Uint8Array.of(1, 2, 3, 4, 5);
    assert.equal(encodeBase64(whole.subarray(1, 3)), "AgM=");
    assert.equal(encodeHex(whole.subarray(1, 3)), "0203");
  });
});

describe("hexadecimal", () => {
  test("any bytes come back in small letters", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        assert.match(encodeHex(bytes), /^(?:[0-9a-f]{2})*$/);
        assert.deepEqual(decodeHex(encodeHex(bytes)), bytes);
      }),
    );
  });

  test("capitals, half a byte, and anything else is not read", () => {
    for (const text of ["A0", "0", "0g", "00 ", "00\n", "0x00"]) assert.equal(decodeHex(text), null, text);
  });
});

describe("text", () => {
  test("well-formed text comes back, a byte order mark too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        if (text.isWellFormed()) assert.equal(decodeUtf8(utf8(text)), text);
      }),
    );
    assert.equal(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
  });

  test("bytes that are not UTF-8 are no text: cut, overlong, surrogates, too high", () => {
    const broken = [[0xff], [0xc3], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]];
    for (const bytes of broken) assert.equal(decodeUtf8(Uint8Array.from(bytes)), null, bytes.join(" "));
  });
});

test("bytes are joined in their order, none included", () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 5 }), (parts) => {
      assert.deepEqual(
        [...concatBytes(...parts)],
        parts.flatMap((part) => [...part]),
      );
    }),
  );
});

test("bytes are equal exactly when every one is, whatever their lengths", () => {
  const few = fc.uint8Array({ max: 1, maxLength: 4 });
  fc.assert(
    fc.property(few, few, (a, b) => assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)),
    { numRuns: 500 },
  );
});

describe("digests", () => {
  test("the digest of nothing and of abc are those of FIPS 180-2", () => {
    assert.equal(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert.equal(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  test("all forms name the same digest, of text, bytes and parts", () => {
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 3 }), (parts) => {
        const whole = concatBytes(...parts);
        const expected = createHash("sha256").update(whole).digest();
        assert.equal(sha256Hex(whole), expected.toString("hex"));
        assert.equal(sha256Base64(whole), expected.toString("base64"));
        assert.deepEqual(sha256(...parts), new Uint8Array(expected));
      }),
    );
    assert.equal(sha256Hex("é"), sha256Hex(utf8("é")));
  });

  test("a fingerprint is the digest as OpenSSH prints it: without padding", () => {
    assert.equal(fingerprint(utf8("abc")), "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
  });
});

describe("bytes of a stream", () => {
  const tooLarge = () => new RangeError("too many");

  test("come in one piece, however many pieces they came in", async () => {
    const one = Uint8Array.of(7);
    const whole = await gatherBytes(Readable.from(Array.from({ length: 300_000 }, () => one)), 300_000, tooLarge);
    assert.deepEqual([whole.byteLength, new Set(whole)], [300_000, new Set([7])]);
    assert.deepEqual(await gatherBytes(Readable.from([]), 0, tooLarge), new Uint8Array());
  });

  test("are refused at the first one too many, and no more is read", async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += 1;
        yield Uint8Array.of(1, 2);
      }
    }
    await assert.rejects(gatherBytes(endless(), 9, tooLarge), { message: "too many" });
    assert.equal(read, 5);
  });
});
