/** Go's Certificate.Verify: the first chain from the leaf to the root that holds, or none. */
import { X509Certificate } from "node:crypto";
import { parseAddress } from "./address.ts";
import { BuiltinError, LimitError } from "./call.ts";
import type { Constraints } from "./x509-extensions.ts";
import { unsigned } from "./x509-fields.ts";
import type { GoCertificate } from "./x509-read.ts";

export interface VerifyOptions {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Numbers of Go's ExtKeyUsage; empty = for servers. */
  readonly usages: readonly number[];
}

const ANY_USAGE = 0;
const SERVERS = 1;
const CERTIFICATE_SIGN = 32;
const MAXIMUM_SIGNATURES = 100;
/** Go refuses MD5 and SHA-1, and does no DSA. */
const REFUSED_ALGORITHMS: ReadonlySet<number> = new Set([0, 1, 2, 3, 7, 8, 9]);

/** First the root, then those between, last the leaf. @returns leaf first, or null where nothing holds. */
export function verifyChain(all: readonly GoCertificate[], options: VerifyOptions): readonly GoCertificate[] | null {
  const [root, ...rest] = all;
  const leaf = rest.pop();
  if (root === undefined || leaf === undefined)
    throw new BuiltinError("must supply at least two certificates to be able to verify");
  if (leaf.parts.unhandled.length > 0 || !isFit(leaf, [], options, "leaf")) return null;
  if (options.name !== "" && !hasName(leaf, options.name)) return null;
  const search = new Search(root, rest, options);
  const chains = same(leaf, root) ? [[leaf]] : search.from([leaf]);
  return chains.find((chain) => isUsable(chain, options.usages)) ?? null;
}

function same(a: GoCertificate, b: GoCertificate): boolean {
  return Buffer.compare(a.der, b.der) === 0;
}

class Search {
  readonly #root: GoCertificate;
  readonly #between: readonly GoCertificate[];
  readonly #options: VerifyOptions;
  #left = MAXIMUM_SIGNATURES;

  constructor(root: GoCertificate, between: readonly GoCertificate[], options: VerifyOptions) {
    this.#root = root;
    this.#between = between;
    this.#options = options;
  }

  from(chain: readonly GoCertificate[]): readonly (readonly GoCertificate[])[] {
    const chains: (readonly GoCertificate[])[] = [];
    if (this.#continues(chain, this.#root, "root")) chains.push([...chain, this.#root]);
    for (const one of this.#between)
      if (this.#continues(chain, one, "between")) chains.push(...this.from([...chain, one]));
    return chains;
  }

  #continues(chain: readonly GoCertificate[], issuer: GoCertificate, place: "root" | "between"): boolean {
    const child = chain.at(-1) as GoCertificate;
    if (issuer.subject !== child.issuer || chain.some((one) => same(one, issuer))) return false;
    if (this.#left-- <= 0) throw new LimitError("more than 100 signatures would have to be checked");
    return mayIssue(issuer) && isSigned(child, issuer) && isFit(issuer, chain, this.#options, place);
  }
}

function mayIssue({ parts, version }: GoCertificate): boolean {
  const { basic, keyUsage } = parts;
  if (version === 3 && basic === null) return false;
  if (basic !== null && !basic.isAuthority) return false;
  return keyUsage === 0 || (keyUsage & CERTIFICATE_SIGN) !== 0;
}

function isSigned(child: GoCertificate, issuer: GoCertificate): boolean {
  if (REFUSED_ALGORITHMS.has(child.signatureAlgorithm)) return false;
  try {
    return new X509Certificate(child.der).verify(new X509Certificate(issuer.der).publicKey);
  } catch {
    return false;
  }
}

function isFit(
  one: GoCertificate,
  below: readonly GoCertificate[],
  { at }: VerifyOptions,
  place: "leaf" | "between" | "root",
): boolean {
  const { basic, unhandled, permitted, excluded } = one.parts;
  if (unhandled.length > 0 || at < one.notBefore || at > one.notAfter) return false;
  if (place === "between" && (basic === null || !basic.isAuthority)) return false;
  if (basic !== null && basic.pathLength >= 0 && below.length - 1 > basic.pathLength) return false;
  return below.every(
    (child) => (child.issuer === child.subject && child !== below[0]) || isWithin(child, permitted, excluded),
  );
}

function isWithin({ parts: { names } }: GoCertificate, permitted: Constraints, excluded: Constraints): boolean {
  const uriHosts = names.uri.map((uri) => (URL.canParse(uri) ? new URL(uri).hostname : ""));
  const allow = (
    found: readonly string[],
    inside: readonly string[],
    outside: readonly string[],
    fits: typeof fitsDomain,
  ) =>
    found.every(
      (name) =>
        !outside.some((one) => fits(name, one)) && (inside.length === 0 || inside.some((one) => fits(name, one))),
    );
  const inRange = (bytes: Uint8Array, { ip, mask }: Constraints["ranges"][number]) =>
    ip.byteLength === bytes.byteLength && (unsigned(bytes) & unsigned(mask)) === (unsigned(ip) & unsigned(mask));
  return (
    allow(names.dns, permitted.dns, excluded.dns, fitsDomain) &&
    allow(names.email, permitted.email, excluded.email, fitsMailbox) &&
    allow(uriHosts, permitted.uri, excluded.uri, fitsUriHost) &&
    names.bytes.every(
      (bytes) =>
        !excluded.ranges.some((one) => inRange(bytes, one)) &&
        (permitted.ranges.length === 0 || permitted.ranges.some((one) => inRange(bytes, one))),
    )
  );
}

function fitsDomain(name: string, constraint: string): boolean {
  const [lower, wanted] = [name.toLowerCase(), constraint.toLowerCase()];
  if (wanted === "") return true;
  if (wanted.startsWith(".")) return lower.endsWith(wanted) && lower.length > wanted.length;
  return lower === wanted || lower.endsWith(`.${wanted}`);
}

function fitsMailbox(name: string, constraint: string): boolean {
  if (constraint.includes("@")) return name === constraint;
  const host = name.slice(name.lastIndexOf("@") + 1);
  return constraint.startsWith(".") ? fitsDomain(host, constraint) : host.toLowerCase() === constraint.toLowerCase();
}

function fitsUriHost(host: string, constraint: string): boolean {
  return host !== "" && parseAddress(host) === null && fitsDomain(host, constraint);
}

function isUsable(chain: readonly GoCertificate[], wanted: readonly number[]): boolean {
  const usages = wanted.length === 0 ? [SERVERS] : wanted;
  if (usages.includes(ANY_USAGE)) return true;
  const allowed = usages.filter((usage) =>
    chain.every(({ parts: { extendedKeyUsage, unknownUsage } }) => {
      if (extendedKeyUsage.length + unknownUsage.length === 0 || extendedKeyUsage.includes(ANY_USAGE)) return true;
      return extendedKeyUsage.includes(usage);
    }),
  );
  return allowed.length > 0;
}

/** Go's VerifyHostname: an address is only compared with addresses, a name with names and `*.` in their first part. */
function hasName({ parts: { names } }: GoCertificate, wanted: string): boolean {
  const address = parseAddress(wanted.startsWith("[") && wanted.endsWith("]") ? wanted.slice(1, -1) : wanted);
  if (address !== null)
    return names.bytes.some((bytes) => bytes.byteLength * 8 === address.bits && unsigned(bytes) === address.value);
  const host = wanted.toLowerCase().replace(/\.$/, "");
  return names.dns.some((name) => {
    const pattern = name.toLowerCase().split(".");
    const parts = host.split(".");
    if (host === "" || pattern.length !== parts.length) return false;
    return pattern.every((part, at) => (at === 0 && part === "*" ? true : part === parts[at]));
  });
}
