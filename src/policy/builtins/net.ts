/** `net.cidr_*` on addresses as numbers: IPv4 of 32 bits, IPv6 of 128; IPv4 written inside IPv6 counts as IPv4. */
import { isArray, type RegoValue } from "../rego-value.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import {
  BuiltinError,
  type BuiltinFamily,
  isObjectValue,
  isSet,
  itemsOf,
  LimitError,
  MAXIMUM_ITEMS,
  number,
  setOf,
  textOf,
} from "./call.ts";

interface Network {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
}

export const BUILTINS: BuiltinFamily = {
  "net.cidr_contains_matches": ([networks = null, others = null]) => containsMatches(networks, others),
  "net.cidr_expand": (operands) => expand(networkOf(textOf(operands, 0))),
  "net.cidr_is_valid": ([text]) => typeof text === "string" && parseNetwork(text) !== null,
  "net.cidr_merge": (operands) => setOf(merge(itemsOf(operands, 0).map(toMerge))),
};

function parseNetwork(text: string): Network | null {
  const [, address, length] = /^([^/]+)\/0*(\d{1,3})$/.exec(text) ?? [];
  if (address === undefined || length === undefined) return null;
  const parsed = parseAddress(address);
  if (parsed === null) return null;
  // The length counts bits of the form in which the address is written.
  const bits = address.includes(":") ? 128 : 32;
  const prefix = Number(length);
  if (prefix > bits) return null;
  if (bits === 128 && parsed.bits === 32) {
    if (prefix < 96) return network({ bits: 128, value: 0xffffn * 2n ** 32n + parsed.value }, prefix);
    return network(parsed, prefix - 96);
  }
  return network(parsed, prefix);
}

function network({ bits, value }: Address, prefix: number): Network {
  const size = 2n ** BigInt(bits - prefix);
  const first = (value / size) * size;
  return { bits, first, last: first + size - 1n, prefix };
}

function networkOf(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new BuiltinError("the text is not a network");
  return parsed;
}

function formatNetwork({ bits, first, prefix }: Network): string {
  return `${formatAddress({ bits, value: first })}/${prefix}`;
}

function expand({ bits, first, last }: Network): RegoValue {
  if (last - first >= BigInt(MAXIMUM_ITEMS)) throw new LimitError(`more than ${MAXIMUM_ITEMS} addresses`);
  const count = Number(last - first) + 1;
  return setOf(Array.from({ length: count }, (_, index) => formatAddress({ bits, value: first + BigInt(index) })));
}

const MAPPED = 0xffffn << 32n;
const ALL_MAPPED = MAPPED | 0xffffffffn;

/** In the space of IPv6, in which IPv4 has its place. */
interface Range {
  readonly first: bigint;
  readonly last: bigint;
  /** How the network is written as long as it is merged with none. */
  readonly text: string;
}

/** An address alone must be of IPv4 and has the network of its historical class, as in Go; it keeps its own bits. */
function toMerge(item: RegoValue): Range {
  if (typeof item !== "string") throw new BuiltinError("an element is not a string");
  const address = parseAddress(item);
  if (address === null) return rangeIn(networkOf(item));
  if (address.bits !== 32) throw new BuiltinError("IPv6 needs a prefix length");
  const top = Number(address.value >> 24n);
  const of = network(address, top < 0x80 ? 8 : top < 0xc0 ? 16 : 24);
  return { ...rangeIn(of), text: `${formatAddress(address)}/${of.prefix}` };
}

function rangeIn(of: Network): Range {
  const base = of.bits === 32 ? MAPPED : 0n;
  return { first: base | of.first, last: base | of.last, text: formatNetwork(of) };
}

/** Ranges that touch become one, and that the fewest networks that cover it. */
function merge(given: readonly Range[]): readonly string[] {
  const sorted = [...given].sort((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  const ranges: { first: bigint; last: bigint; text: string | null }[] = [];
  for (const { first, last, text } of sorted) {
    const before = ranges.at(-1);
    if (before === undefined || first > before.last + 1n) {
      ranges.push({ first, last, text });
    } else {
      before.last = before.last > last ? before.last : last;
      before.text = null;
    }
  }
  return ranges.flatMap(({ first, last, text }) => (text === null ? covered(first, last) : [text]));
}

function covered(first: bigint, last: bigint): readonly string[] {
  const isMapped = first >= MAPPED && last <= ALL_MAPPED;
  const networks = isMapped ? cover(32, first & 0xffffffffn, last & 0xffffffffn) : cover(128, first, last);
  return networks.map(formatNetwork);
}

function cover(bits: 32 | 128, first: bigint, last: bigint): readonly Network[] {
  const found: Network[] = [];
  for (let at = first; at <= last; ) {
    let prefix = bits as number;
    while (prefix > 0 && fits(at, bits, prefix - 1, last)) prefix--;
    const next = network({ bits, value: at }, prefix);
    found.push(next);
    at = next.last + 1n;
  }
  return found;
}

function fits(at: bigint, bits: number, prefix: number, last: bigint): boolean {
  const size = 2n ** BigInt(bits - prefix);
  return at % size === 0n && at + size - 1n <= last;
}

function compare(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Only pairs are looked at: without the one list, nothing wrong in the other matters. */
function containsMatches(networks: RegoValue, others: RegoValue): RegoValue {
  const found: RegoValue[] = [];
  const outer = namedTexts(networks);
  const inner = outer.length === 0 ? [] : namedTexts(others).map(([name, text]) => [name, rangeOf(text)] as const);
  for (const [name, text] of inner.length === 0 ? [] : outer) {
    const around = networkOf(text);
    for (const [other, range] of inner) if (contains(around, range)) found.push([name, other]);
  }
  return setOf(found);
}

/** `net.cidr_contains`: a network, and an address or another network. */
export function containsNetwork(outer: string, inner: string): boolean {
  const around = networkOf(outer);
  return contains(around, rangeOf(inner));
}

/** `net.cidr_intersects`: whether one begins inside of the other. */
export function intersectNetworks(a: string, b: string): boolean {
  const [left, right] = [networkOf(a), networkOf(b)];
  const start = ({ bits, first }: Network) => ({ bits, first, last: first });
  return contains(left, start(right)) || contains(right, start(left));
}

function contains(outer: Network, inner: Pick<Network, "bits" | "first" | "last">): boolean {
  return outer.bits === inner.bits && outer.first <= inner.first && inner.last <= outer.last;
}

function rangeOf(text: string): Pick<Network, "bits" | "first" | "last"> {
  const address = parseAddress(text);
  return address === null ? networkOf(text) : { bits: address.bits, first: address.value, last: address.value };
}

/** A text names itself; items of an array go by index, of a set by themselves, of an object by key. */
function namedTexts(value: RegoValue): readonly (readonly [RegoValue, string])[] {
  if (typeof value === "string") return [[value, value]];
  if (isArray(value)) return value.map((item, index) => [number(index), matchText(item)] as const);
  if (isSet(value)) return value.items.map((item) => [item, matchText(item)] as const);
  if (isObjectValue(value)) return value.entries.map(([key, item]) => [key, matchText(item)] as const);
  return [];
}

/** An array stands for its first item; what follows is for the policy's own use. */
function matchText(item: RegoValue): string {
  const first = isArray(item) ? item[0] : item;
  if (typeof first !== "string") throw new BuiltinError("an element must be a string or an array that is not empty");
  return first;
}
