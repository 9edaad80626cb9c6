/** Extensions of certificates and requests as Go's crypto/x509 reads them. Policy constraints and mappings are not offered. */
import {
  boolean,
  childrenOf,
  context,
  DerError,
  type Element,
  expect,
  Fields,
  namedBits,
  octets,
  oid,
  onlyChild,
  readDer,
  smallInteger,
  TAG,
} from "../../signature/x509-der.ts";
import type { RegoValue } from "../rego-value.ts";
import { formatAddress } from "./address.ts";
import { LimitError, object } from "./call.ts";
import { base64, ids, orNull, unsigned } from "./x509-fields.ts";
import { goUrl } from "./x509-url.ts";

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

type Names = Record<"dns" | "email" | "ip" | "uri", string[]>;

export interface ExtensionParts {
  basic: { readonly isAuthority: boolean; readonly pathLength: number } | null;
  keyUsage: number;
  extendedKeyUsage: number[];
  unknownUsage: string[];
  names: Names & { uriValues: RegoValue[]; bytes: Uint8Array[] };
  permitted: Constraints;
  excluded: Constraints;
  constraintsAreCritical: boolean;
  subjectKeyId: Uint8Array | null;
  authorityKeyId: Uint8Array | null;
  ocsp: string[];
  issuing: string[];
  lists: string[];
  policies: string[];
  unhandled: string[];
}

export interface Constraints {
  dns: string[];
  email: string[];
  uri: string[];
  ranges: { readonly ip: Uint8Array; readonly mask: Uint8Array }[];
}

const EXTENDED_USAGES = [
  ...["2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4"],
  ...["1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7", "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9"],
  ...["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.2.1.22", "1.3.6.1.4.1.311.61.1.1"],
];

export function readExtension(element: Element): Extension {
  const fields = new Fields(element);
  const id = oid(fields.next(TAG.oid));
  const flag = fields.optional(TAG.boolean);
  const value = octets(fields.next(TAG.octetString));
  fields.end();
  return { id, critical: flag !== null && boolean(flag), value };
}

function noConstraints(): Constraints {
  return { dns: [], email: [], uri: [], ranges: [] };
}

export function readExtensions(list: readonly Extension[]): ExtensionParts {
  const parts: ExtensionParts = {
    ...{ basic: null, keyUsage: 0, extendedKeyUsage: [], unknownUsage: [], subjectKeyId: null, authorityKeyId: null },
    ...{ ocsp: [], issuing: [], lists: [], policies: [], unhandled: [], constraintsAreCritical: false },
    names: { dns: [], email: [], ip: [], uri: [], uriValues: [], bytes: [] },
    permitted: noConstraints(),
    excluded: noConstraints(),
  };
  for (const extension of list) {
    const isHandled = READERS[extension.id]?.(parts, extension) ?? false;
    if (extension.critical && !isHandled) parts.unhandled.push(extension.id);
  }
  return parts;
}

/** By identifier: false where something in it was not understood. */
const READERS: Readonly<Record<string, (parts: ExtensionParts, extension: Extension) => boolean>> = {
  "2.5.29.15": (parts, { value }) => {
    parts.keyUsage = namedBits(readDer(value)).reduce((sum, bit, at) => sum + (bit ? 2 ** at : 0), 0);
    return true;
  },
  "2.5.29.19": (parts, { value }) => {
    const fields = new Fields(readDer(value));
    const flag = fields.optional(TAG.boolean);
    const length = fields.optional(TAG.integer);
    parts.basic = {
      isAuthority: flag !== null && boolean(flag),
      pathLength: length === null ? -1 : smallInteger(length),
    };
    return true;
  },
  "2.5.29.17": (parts, { value }) => readNames(parts, readDer(value)),
  "2.5.29.30": (parts, { value, critical }) => readConstraints(parts, readDer(value), critical),
  "2.5.29.31": (parts, { value }) => {
    for (const one of childrenOf(readDer(value))) {
      const full = childrenOf(one).find(({ tag }) => tag === context(0));
      for (const name of full === undefined ? [] : childrenOf(onlyChild(full)))
        if (name.tag === 0x86) parts.lists.push(latin(name));
    }
    return true;
  },
  "2.5.29.35": (parts, { value }) => {
    parts.authorityKeyId = childrenOf(readDer(value)).find(({ tag }) => tag === 0x80)?.content ?? null;
    return true;
  },
  "2.5.29.37": (parts, { value }) => {
    for (const one of childrenOf(readDer(value))) {
      const at = EXTENDED_USAGES.indexOf(oid(one));
      if (at >= 0) parts.extendedKeyUsage.push(at);
      else parts.unknownUsage.push(oid(one));
    }
    return true;
  },
  "2.5.29.14": (parts, { value }) => {
    parts.subjectKeyId = octets(readDer(value));
    return true;
  },
  "2.5.29.32": (parts, { value }) => {
    parts.policies.push(...childrenOf(readDer(value)).map((one) => oid(new Fields(one).next(TAG.oid))));
    return true;
  },
  "1.3.6.1.5.5.7.1.1": (parts, { value }) => {
    for (const one of childrenOf(readDer(value))) {
      const fields = new Fields(one);
      const method = oid(fields.next(TAG.oid));
      const place = fields.next();
      if (place.tag !== 0x86) continue;
      if (method === "1.3.6.1.5.5.7.48.1") parts.ocsp.push(latin(place));
      if (method === "1.3.6.1.5.5.7.48.2") parts.issuing.push(latin(place));
    }
    return true;
  },
  "2.5.29.33": notOffered,
  "2.5.29.36": notOffered,
  "2.5.29.54": notOffered,
};

function latin({ content }: Element): string {
  if (content.some((byte) => byte > 0x7f)) throw new DerError("has a name that is not ASCII");
  return Buffer.from(content).toString("latin1");
}

function notOffered(): never {
  throw new LimitError("policy constraints in certificates are not offered");
}

function readNames(parts: ExtensionParts, element: Element): boolean {
  const { names } = parts;
  for (const one of childrenOf(expect(element, TAG.sequence))) {
    if (one.tag === 0x81) names.email.push(latin(one));
    else if (one.tag === 0x82) names.dns.push(latin(one));
    else if (one.tag === 0x86) {
      const { value, text } = goUrl(latin(one));
      names.uri.push(text);
      names.uriValues.push(value);
    } else if (one.tag === 0x87) {
      names.ip.push(addressText(one.content));
      names.bytes.push(one.content);
    }
  }
  return names.email.length + names.dns.length + names.uri.length + names.ip.length > 0;
}

function addressText(bytes: Uint8Array): string {
  if (bytes.byteLength !== 4 && bytes.byteLength !== 16) throw new DerError("has an address of another length");
  return formatAddress({ bits: bytes.byteLength === 4 ? 32 : 128, value: unsigned(bytes) });
}

function readConstraints(parts: ExtensionParts, element: Element, critical: boolean): boolean {
  let isHandled = true;
  for (const side of childrenOf(expect(element, TAG.sequence))) {
    const into = side.tag === context(0) ? parts.permitted : parts.excluded;
    for (const subtree of childrenOf(side)) {
      const [base] = childrenOf(subtree);
      if (base?.tag === 0x81) into.email.push(latin(base));
      else if (base?.tag === 0x82) into.dns.push(latin(base));
      else if (base?.tag === 0x86) into.uri.push(latin(base));
      else if (base?.tag === 0x87) {
        const half = base.content.byteLength / 2;
        into.ranges.push({ ip: base.content.subarray(0, half), mask: base.content.subarray(half) });
      } else isHandled = false;
    }
  }
  parts.constraintsAreCritical = critical;
  return isHandled;
}

export function namesShown({ names }: ExtensionParts): Record<string, RegoValue> {
  return {
    DNSNames: orNull(names.dns),
    EmailAddresses: orNull(names.email),
    IPAddresses: orNull(names.ip),
    URIs: orNull(names.uriValues),
  };
}

export function constraintsShown(side: string, { dns, email, uri, ranges }: Constraints): Record<string, RegoValue> {
  return {
    [`${side}DNSDomains`]: orNull(dns),
    [`${side}IPRanges`]: orNull(ranges.map(({ ip, mask }) => object({ IP: addressText(ip), Mask: base64(mask) }))),
    [`${side}EmailAddresses`]: orNull(email),
    [`${side}URIDomains`]: orNull(uri),
  };
}

export function extensionList(list: readonly Extension[]): RegoValue {
  return orNull(
    list.map(({ id, critical, value }) => object({ Id: ids(id), Critical: critical, Value: base64(value) })),
  );
}
