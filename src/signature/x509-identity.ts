/** Whose name a certificate carries, by the words of the authority that issued it. */
import { asciiLower } from "./email.ts";
import { fulcioIssuer, fulcioName, isIdentity } from "./fulcio-identity.ts";
import type { Owner, X509Authority } from "./trust.ts";
import type { Certificate } from "./x509-certificate.ts";

/** The one person or robot; null where the certificate names nobody who is listed, or two. */
export function ownerOf(certificate: Certificate, { names }: X509Authority): Owner | null {
  const owners =
    names.kind === "emails"
      ? certificate.extensions.emails
          .map(asciiLower)
          .filter((email) => names.patterns.some((pattern) => speaksFor(pattern, email)))
          .flatMap((email) => names.owners.get(email) ?? [])
      : names.identities.filter((one) => isIdentity(certificate, one)).map((one) => one.owner);
  const [owner, second] = new Set(owners);
  return second === undefined ? (owner ?? null) : null;
}

/** `*@example.com` for every address of exactly that domain, otherwise the address itself. */
function speaksFor(pattern: string, email: string): boolean {
  return pattern.startsWith("*@") ? email.endsWith(pattern.slice(1)) : email === pattern;
}

/** The certificate's own words, for a message. */
export function shownName(certificate: Certificate): string {
  const { emails } = certificate.extensions;
  const issuer = fulcioIssuer(certificate);
  const name = fulcioName(certificate)?.text ?? emails.join(", ");
  const shown = JSON.stringify(name.slice(0, 200));
  return issuer === null ? shown : `${shown} of ${JSON.stringify(issuer.slice(0, 200))}`;
}
