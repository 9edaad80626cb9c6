/** `uuid.parse` (RFC 4122), and the functions whose answers have to be recorded. */
import { createHash } from "node:crypto";
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, type CallContext, number, object, smallIntegerOf, textOf } from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  "uuid.parse": (operands) => parse(textOf(operands, 0)),
  "uuid.rfc4122": (operands, context) => generate(textOf(operands, 0), context),
  "rand.intn": (operands, context) => {
    const bound = Math.abs(smallIntegerOf(operands, 1));
    return number(bound === 0 ? 0 : draw(`${textOf(operands, 0)}-${bound}`, bound, context));
  },
};

function draw(name: string, bound: number, { draw }: CallContext): number {
  if (draw === null) throw new BuiltinError("nothing random is known to a policy");
  return draw(name, bound);
}

/** Version 4; the same name gives the same one within an evaluation. */
function generate(name: string, context: CallContext): string {
  const seed = [0, 1, 2, 3].map((part) => draw(`uuid-${part}-${name}`, 2 ** 32, context));
  const hex = createHash("sha256").update(seed.join()).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const FORMS = [
  /^(?:urn:uuid:)?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i,
  /^.([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12}).$/is,
  /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i,
];
const DOMAINS = ["Person", "Group", "Org"] as const;
/** From 1582-10-15 to 1970, in units of 100 ns. */
const GREGORIAN_OFFSET = 0x01b21dd213814000n;

/** undefined for a text that is none. */
function parse(text: string): RegoValue | undefined {
  const groups = FORMS.map((form) => form.exec(text)).find((found) => found !== null);
  if (groups === null || groups === undefined) return undefined;
  const hex = groups.slice(1).join("").toLowerCase();
  const bytes = Buffer.from(hex, "hex");
  const version = (bytes[6] ?? 0) >> 4;
  const parsed = { version: number(version), variant: variantOf(bytes[8] ?? 0) };
  if (version !== 1 && version !== 2) return object(parsed);
  const low = BigInt(bytes.readUInt32BE(0));
  const time = (BigInt(bytes.readUInt16BE(6) & 0x0fff) << 48n) | (BigInt(bytes.readUInt16BE(4)) << 32n) | low;
  const timed = {
    ...parsed,
    time: number(BigInt.asIntN(64, (time - GREGORIAN_OFFSET) * 100n)),
    nodeid: (hex.slice(20).match(/../g) ?? []).join("-"),
    macvariables: macOf(bytes[10] ?? 0),
    clocksequence: number(bytes.readUInt16BE(8) & 0x3fff),
  };
  if (version === 1) return object(timed);
  const domain = bytes[9] ?? 0;
  return object({ ...timed, id: number(bytes.readUInt32BE(0)), domain: DOMAINS[domain] ?? `Domain${domain}` });
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return "RFC4122";
  if ((byte & 0xe0) === 0xc0) return "Microsoft";
  return (byte & 0xe0) === 0xe0 ? "Future" : "Reserved";
}

function macOf(byte: number): string {
  return `${byte & 2 ? "local" : "global"}:${byte & 1 ? "multicast" : "unicast"}`;
}
