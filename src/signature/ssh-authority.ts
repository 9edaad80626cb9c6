/** For whom a certificate of a listed SSH authority stands. */
import { asciiLower } from "./email.ts";
import type { UsedKey } from "./format.ts";
import { matchesPatternList } from "./pattern.ts";
import type { Owner, Revocation, SshAuthority } from "./trust.ts";

/**
 * The certified key as its owner's, once for each listing of the authority under which the principals mean one owner.
 * @param revoked what the owner's own listing of the key says against it: lost is lost, whoever certified it
 */
export function certifiedKeys(
  fingerprint: string,
  principals: readonly string[],
  issuers: readonly SshAuthority[],
  revoked: Revocation | null,
): readonly UsedKey[] {
  return issuers.flatMap((issuer) => {
    const owner = ownerOfCertificate(principals, issuer);
    if (owner === null) return [];
    return [{ owner, fingerprint, terms: revoked === null ? issuer.terms : { ...issuer.terms, revoked } }];
  });
}

/**
 * The one owner whom these principals mean under this authority; null for nobody and for several. A certificate without
 * principals means nobody, although the specification lets it mean everybody.
 */
function ownerOfCertificate(principals: readonly string[], authority: SshAuthority): Owner | null {
  const named = principals.filter((one) => matchesPatternList(one, authority.principals));
  if (named.length === 0) return null;
  if (authority.owners === null) return ownerNamed(named);
  const emails = new Set(named.map(asciiLower));
  const [owner, second] = authority.owners.filter((one) => one.emails.some((email) => emails.has(email)));
  return second === undefined ? (owner ?? null) : null;
}

/** allowed_signers lists no people: the names that the authority certified are the owner. */
function ownerNamed(names: readonly string[]): Owner {
  const emails = names.filter((name) => name.includes("@")).map(asciiLower);
  const nothing = { roles: [], accounts: {}, left: null, mayChange: [], mayCarry: [] };
  return { id: names.join(), class: "person", emails, ...nothing };
}
