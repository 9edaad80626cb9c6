/**
 * Who a Fulcio certificate was issued to (sigstore/fulcio docs/oid-info.md): the identity provider's URL, in extension
 * 1.3.6.1.4.1.57264.1.8 as a UTF8String (older: 1.1, bare), and what the provider vouched for, in the subject
 * alternative name. An identity is both together, never the name alone: another provider may let anybody have it.
 */
import { decodeUtf8 } from "../lib/bytes.ts";
import { asciiLower } from "./email.ts";
import type { FulcioIdentity } from "./trust.ts";
import type { Certificate } from "./x509-certificate.ts";
import { expect, orClause, readDer, TAG } from "./x509-der.ts";

const ISSUER = "1.3.6.1.4.1.57264.1.8";
const OLD_ISSUER = "1.3.6.1.4.1.57264.1.1";

/** The identity provider; null where the certificate names none, or two. */
export function fulcioIssuer({ extensions }: Certificate): string | null {
  const current = extensions.others.get(ISSUER);
  const old = extensions.others.get(OLD_ISSUER);
  const oldText = old === undefined ? null : decodeUtf8(old);
  if (current === undefined) return oldText;
  const text = orClause(() => ({ issuer: decodeUtf8(expect(readDer(current), TAG.utf8String).content) }));
  const issuer = typeof text === "string" ? null : text.issuer;
  return old !== undefined && oldText !== issuer ? null : issuer;
}

/** The name that the provider vouched for; null where there is not exactly one. */
export function fulcioName({ extensions }: Certificate): { kind: "email" | "uri"; text: string } | null {
  const names = [
    ...extensions.emails.map((text) => ({ kind: "email" as const, text })),
    ...extensions.uris.map((text) => ({ kind: "uri" as const, text })),
  ];
  const [name, second] = names;
  return second === undefined ? (name ?? null) : null;
}

export function isIdentity(certificate: Certificate, identity: FulcioIdentity): boolean {
  const name = fulcioName(certificate);
  if (name === null || fulcioIssuer(certificate) !== identity.issuer) return false;
  const wanted = identity.name;
  switch (wanted.kind) {
    case "email":
      return name.kind === "email" && asciiLower(name.text) === wanted.email;
    case "uri":
      return name.kind === "uri" && name.text === wanted.uri;
    case "pattern":
      return name.kind === "uri" && matchesWhole(name.text, wanted.pattern);
  }
}

/** `*` stands for one or more characters other than `/`; everything else for itself, from the first to the last character. */
function matchesWhole(text: string, pattern: string): boolean {
  const [segments, wanted] = [text.split("/"), pattern.split("/")];
  return segments.length === wanted.length && segments.every((one, index) => matchesSegment(one, wanted[index] ?? ""));
}

/** Each part at the first place that leaves a character for the star before it: no going back, so no text takes long. */
function matchesSegment(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let end = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, end + 1);
    if (at === -1) return false;
    end = at + part.length;
  }
  return text.endsWith(last) && text.length - last.length > end;
}
