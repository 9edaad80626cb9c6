/** What fields of certificates become: values as Go's encoding/json writes those of its structures. */
import {
  childrenOf,
  DerError,
  type Element,
  Fields,
  integerHex,
  oid,
  readDer,
  TAG,
  wholeBits,
} from "../../signature/x509-der.ts";
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, LimitError, number, object } from "./call.ts";

const NAME_LISTS: Readonly<Record<string, string>> = {
  ...{ "2.5.4.6": "Country", "2.5.4.10": "Organization", "2.5.4.11": "OrganizationalUnit", "2.5.4.7": "Locality" },
  ...{ "2.5.4.8": "Province", "2.5.4.9": "StreetAddress", "2.5.4.17": "PostalCode" },
};
const CURVES: Readonly<Record<string, number>> = {
  ...{ "1.3.132.0.33": 28, "1.2.840.10045.3.1.7": 32, "1.3.132.0.34": 48, "1.3.132.0.35": 66 },
};

/** @throws BuiltinError where the bytes are none. */
export function orFailure<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof DerError) throw new BuiltinError(`the certificate ${thrown.message}`);
    throw thrown;
  }
}

export function publicKey(element: Element): Record<"PublicKeyAlgorithm" | "PublicKey", RegoValue> {
  const fields = new Fields(element);
  const algorithm = new Fields(fields.next(TAG.sequence));
  const id = oid(algorithm.next(TAG.oid));
  const bits = wholeBits(fields.next(TAG.bitString));
  switch (id) {
    case "1.2.840.113549.1.1.1": {
      const key = new Fields(readDer(bits));
      const modulus = number(integer(integerHex(key.next(TAG.integer))));
      const exponent = number(integer(integerHex(key.next(TAG.integer))));
      return { PublicKeyAlgorithm: number(1), PublicKey: object({ N: modulus, E: exponent }) };
    }
    case "1.2.840.10045.2.1": {
      const size = CURVES[oid(algorithm.next(TAG.oid))];
      if (size === undefined || bits[0] !== 4 || bits.byteLength !== 1 + 2 * size)
        throw new DerError("has a key on a curve that is not known");
      return { PublicKeyAlgorithm: number(3), PublicKey: point(bits.subarray(1, 1 + size), bits.subarray(1 + size)) };
    }
    case "1.3.101.112":
      return { PublicKeyAlgorithm: number(4), PublicKey: base64(bits) };
    case "1.3.101.110":
      throw new LimitError("X25519 keys in certificates are not offered");
    case "1.2.840.10040.4.1":
      throw new LimitError("DSA keys in certificates are not offered");
    default:
      return { PublicKeyAlgorithm: number(0), PublicKey: null };
  }
}

function point(x: Uint8Array, y: Uint8Array): RegoValue {
  return object({ Curve: object({}), X: number(unsigned(x)), Y: number(unsigned(y)) });
}

export function unsigned(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
}

export function integer(hex: string): bigint {
  return BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`));
}

export function nameOf(element: Element): RegoValue {
  const lists: Record<string, string[]> = Object.fromEntries(Object.values(NAME_LISTS).map((key) => [key, []]));
  const single: Record<"CommonName" | "SerialNumber", string> = { CommonName: "", SerialNumber: "" };
  const names: RegoValue[] = [];
  for (const part of childrenOf(element).flatMap((set) => childrenOf(set))) {
    const [type, value] = childrenOf(part);
    if (type === undefined || value === undefined) throw new DerError("has a malformed name");
    const id = oid(type);
    const text = directoryText(value);
    names.push(object({ Type: ids(id), Value: text }));
    const list = NAME_LISTS[id];
    if (list !== undefined) lists[list]?.push(text);
    if (id === "2.5.4.3") single.CommonName = text;
    if (id === "2.5.4.5") single.SerialNumber = text;
  }
  const shown = Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, orNull(list)]));
  return object({ ...shown, ...single, Names: orNull(names), ExtraNames: null });
}

/** UTF8String, PrintableString, T61String, IA5String, NumericString; BMPString. */
function directoryText({ tag, content }: Element): string {
  if (tag === 0x1e && content.byteLength % 2 === 1) throw new DerError("has half a character in a name");
  if (tag === 0x1e) return Buffer.from(content).swap16().toString("utf16le");
  if (tag === 0x14) return Buffer.from(content).toString("latin1");
  if (![0x0c, 0x13, 0x16, 0x12].includes(tag)) throw new DerError("has a name of an unknown form");
  return Buffer.from(content).toString("utf8");
}

export function orNull(list: readonly RegoValue[]): RegoValue {
  return list.length === 0 ? null : list;
}

export function idList(list: readonly string[]): RegoValue {
  return orNull(list.map(ids));
}

export function ids(dotted: string): RegoValue {
  return dotted.split(".").map(number);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** RFC 3339 without a fraction, as a certificate's times have none. */
export function goTime(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
