/** Certificates and revocation lists as files hold them: PEM blocks (RFC 7468), or one bare DER value. */
import { decodeBase64 } from "../lib/bytes.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*?)-----END \1-----/g;
const MAXIMUM_BLOCKS = 50;
const SEQUENCE = 0x30;

/** The contents of all blocks, each of which must have this label; a clause where the file holds anything else. */
export function readPem(bytes: Uint8Array, label: string): readonly Uint8Array[] | string {
  if (bytes[0] === SEQUENCE) return [bytes];
  const text = Buffer.from(bytes).toString("latin1");
  const blocks = [...text.matchAll(BLOCK)];
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (blocks.length !== begun) return "holds a damaged block";
  if (blocks.length === 0) return `holds no ${label}`;
  if (blocks.length > MAXIMUM_BLOCKS) return "holds more than 50 blocks";
  const other = blocks.find(([, found]) => found !== label);
  if (other !== undefined) return `holds a ${other[1]} where only ${label} may stand`;
  const decoded = blocks.map(([, , base64 = ""]) => decodeBase64(base64.replaceAll(/[\r\n]/g, "")));
  const whole = decoded.filter((one) => one !== null);
  return whole.length === decoded.length ? whole : "holds a damaged block";
}
