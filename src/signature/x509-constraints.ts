/**
 * Name constraints of an authority (RFC 5280 section 4.2.1.10): for which names it may issue certificates at all.
 *
 *   NameConstraints  SEQUENCE { [0] permitted subtrees, [1] excluded subtrees }
 *   subtree          SEQUENCE { base GeneralName }            (minimum 0 and no maximum, which stand for themselves)
 *
 * E-mail addresses, DNS names and hosts of URIs are understood, which are the names that count here or could be taken for
 * one; where a constraint is of another kind, or none, the authority is not used. Compared as openssl does:
 *
 *   e-mail  `ada@example.com` that mailbox, `example.com` that host, `.example.com` the hosts below it
 *   DNS     `example.com` it and all below, `.example.com` all below
 *   URI     `example.com` that host, `.example.com` the hosts below it
 */
import { asciiLower } from "./email.ts";
import { childrenOf, context, contextPrimitive, DerError, type Element, Fields } from "./x509-der.ts";

type NameKind = "email" | "dns" | "uri";

interface Subtree {
  readonly kind: NameKind;
  /** With `@` in front of the host where it is one mailbox; the host in lower case. */
  readonly base: string;
}

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
  /** False where something in them is not understood: then they forbid everything. */
  readonly isKnown: boolean;
}

/** The alternative names of a certificate, exactly as certified. */
export interface CertifiedNames {
  readonly emails: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

const KINDS: ReadonlyMap<number, NameKind> = new Map([
  [contextPrimitive(1), "email"],
  [contextPrimitive(2), "dns"],
  [contextPrimitive(6), "uri"],
]);
const MAXIMUM_SUBTREES = 128;
const HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const ADDRESS = /^[0-9.]+$/;
const URI_HOST = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@]+?)(?::[0-9]{1,5})?(?:[/?#]|$)/i;

/** @throws DerError */
export function readNameConstraints(element: Element): NameConstraints {
  const fields = new Fields(element);
  const permitted = readSubtrees(fields.optional(context(0)));
  const excluded = readSubtrees(fields.optional(context(1)));
  fields.end();
  const all = [...permitted, ...excluded];
  const isKnown = all.length > 0 && all.every((one) => one !== null);
  return { permitted: permitted.filter(isRead), excluded: excluded.filter(isRead), isKnown };
}

function isRead(one: Subtree | null): one is Subtree {
  return one !== null;
}

/** null for each that is not understood. */
function readSubtrees(list: Element | null): readonly (Subtree | null)[] {
  const subtrees = list === null ? [] : childrenOf(list);
  if (subtrees.length > MAXIMUM_SUBTREES) throw new DerError("has too many name constraints");
  return subtrees.map(readSubtree);
}

function readSubtree(element: Element): Subtree | null {
  const [base, ...bounds] = childrenOf(element);
  const kind = KINDS.get(base?.tag ?? 0);
  if (base === undefined || kind === undefined || bounds.length > 0) return null;
  const text = Buffer.from(base.content).toString("latin1");
  const at = text.lastIndexOf("@");
  const [local, host] = [text.slice(0, at + 1), asciiLower(text.slice(at + 1))];
  const isMailbox = kind === "email" && /^[!-~]+@$/.test(local) && HOST.test(host);
  const isHost = local === "" && HOST.test(host.replace(/^\./, ""));
  return isMailbox || isHost ? { kind, base: local + host } : null;
}

/** The first of the names that the constraints forbid; null when they allow all. */
export function forbiddenName(names: CertifiedNames, { permitted, excluded, isKnown }: NameConstraints): string | null {
  const all = [
    ...names.emails.map((name) => ({ kind: "email" as const, name })),
    ...names.dnsNames.map((name) => ({ kind: "dns" as const, name })),
    ...names.uris.map((name) => ({ kind: "uri" as const, name })),
  ];
  const found = all.find(({ kind, name }) => {
    const [allowed, forbidden] = [permitted.filter(isOf(kind)), excluded.filter(isOf(kind))];
    if (isKnown && allowed.length === 0 && forbidden.length === 0) return false;
    const read = comparable(kind, name);
    if (!isKnown || read === null) return true;
    const isAllowed = allowed.length === 0 || allowed.some((one) => isWithin(read, one));
    // An address counts here in lower case, so that one is excluded however it is written.
    return !isAllowed || forbidden.some((one) => isWithin(folded(read), { ...one, base: asciiLower(one.base) }));
  });
  return found?.name ?? null;
}

function isOf(kind: NameKind): (one: Subtree) => boolean {
  return (one) => one.kind === kind;
}

interface Comparable {
  /** With its `@`; empty for what has none. */
  readonly local: string;
  readonly host: string;
}

/** null for what cannot be compared with a domain: it is forbidden wherever its kind is constrained. */
function comparable(kind: NameKind, name: string): Comparable | null {
  const at = kind === "email" ? name.lastIndexOf("@") : -1;
  const written = kind === "uri" ? (URI_HOST.exec(name)?.[1] ?? "") : name.slice(at + 1);
  const host = asciiLower(written);
  if (!HOST.test(host) || (kind === "uri" && ADDRESS.test(host)) || (kind === "email" && at < 1)) return null;
  return { local: name.slice(0, at + 1), host };
}

function folded({ local, host }: Comparable): Comparable {
  return { local: asciiLower(local), host };
}

function isWithin(name: Comparable, { kind, base }: Subtree): boolean {
  if (base.includes("@")) return name.local + name.host === base;
  if (base.startsWith(".")) return name.host.endsWith(base);
  const below = `.${base}`;
  return name.host === base || (kind === "dns" && name.host.endsWith(below));
}
