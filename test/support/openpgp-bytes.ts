/** OpenPGP packets taken apart and put together again, so that each part can be wrong on purpose. */

export interface RawPacket {
  readonly tag: number;
  readonly body: Buffer;
}

/** Packets of old and new form with definite lengths, as gpg writes them. */
export function takeApart(binary: Uint8Array): RawPacket[] {
  const bytes = Buffer.from(binary);
  const packets: RawPacket[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const first = bytes.readUInt8(offset);
    const isNew = (first & 0x40) !== 0;
    const { size, length } = isNew ? newLength(bytes, offset + 1) : oldLength(bytes, offset + 1, first & 3);
    const start = offset + 1 + size;
    packets.push({ tag: isNew ? first & 0x3f : (first >> 2) & 0x0f, body: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return packets;
}

function newLength(bytes: Buffer, at: number): { size: number; length: number } {
  const first = bytes.readUInt8(at);
  if (first < 192) return { size: 1, length: first };
  if (first < 224) return { size: 2, length: ((first - 192) << 8) + bytes.readUInt8(at + 1) + 192 };
  return { size: 5, length: bytes.readUInt32BE(at + 1) };
}

function oldLength(bytes: Buffer, at: number, type: number): { size: number; length: number } {
  const size = 2 ** type;
  return { size, length: bytes.readUIntBE(at, size) };
}

/** New form, length of five bytes. */
export function putTogether(packets: readonly RawPacket[]): Buffer {
  return Buffer.concat(
    packets.map(({ tag, body }) => {
      const header = Buffer.from([0xc0 | tag, 0xff, 0, 0, 0, 0]);
      header.writeUInt32BE(body.length, 2);
      return Buffer.concat([header, body]);
    }),
  );
}

/** The binary content of an armoured block, checksum not looked at. */
export function dearmour(text: Uint8Array | string): Buffer {
  const lines = Buffer.from(text).toString("latin1").split("\n");
  const body = lines.slice(
    lines.indexOf("") + 1,
    lines.findIndex((line) => line.startsWith("-----END")),
  );
  return Buffer.from(body.filter((line) => !line.startsWith("=")).join(""), "base64");
}

/** Without checksum, which is optional. */
export function armourAs(kind: "SIGNATURE" | "PUBLIC KEY BLOCK" | "MESSAGE", binary: Uint8Array): string {
  const lines =
    Buffer.from(binary)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN PGP ${kind}-----`, "", ...lines, `-----END PGP ${kind}-----`, ""].join("\n");
}

/** Drops every unhashed subpacket of a signature body: issuers, and the back-signature that gpg keeps there. */
export function withoutUnhashed(body: Buffer): Buffer {
  const hashedEnd = 6 + body.readUInt16BE(4);
  const unhashedEnd = hashedEnd + 2 + body.readUInt16BE(hashedEnd);
  return Buffer.concat([body.subarray(0, hashedEnd), Buffer.of(0, 0), body.subarray(unhashedEnd)]);
}
