/** The authorities of a trust as people ask about them: who they are, for whom they may speak, whether they count. */
import { formatTime, type Instant } from "../lib/time.ts";
import { objectionToAuthority } from "../signature/key-use.ts";
import type { FulcioIdentity, SshAuthority, Trust, X509Authority } from "../signature/trust.ts";
import { anchorsOf, objectionToAnchors } from "../signature/x509-expiry.ts";
import type { AuthorityReport } from "./reports/schemas/trust-list.ts";

/** SSH first, then companies' own, then Sigstore's, each in the order of the file. */
export function listAuthorities(trust: Trust, at: Instant): readonly AuthorityReport[] {
  const { sshAuthorities = [], x509Authorities = [] } = trust;
  return [...sshAuthorities.map((one) => sshReport(one, trust, at)), ...inOrder(x509Authorities, trust, at)];
}

function inOrder(authorities: readonly X509Authority[], trust: Trust, at: Instant): readonly AuthorityReport[] {
  const reports = authorities.map((one) => x509Report(one, trust, at));
  return reports.sort((a, b) => (a.kind === b.kind ? 0 : a.kind === "x509" ? -1 : 1));
}

function sshReport(authority: SshAuthority, trust: Trust, at: Instant): AuthorityReport {
  const { id = null, fingerprint, principals, terms } = authority;
  const speaksFor = principals.split(",").map((name) => ({ name, issuer: null, owner: null }));
  const common = { kind: "ssh" as const, id, fingerprints: [fingerprint], speaksFor, hasRevocations: false };
  return { ...common, ...usable(objectionToAuthority(authority, trust, at)?.reason ?? null, terms.until) };
}

function x509Report(authority: X509Authority, trust: Trust, at: Instant): AuthorityReport {
  const { id, names, revocations } = authority;
  const anchors = anchorsOf(authority);
  const ends = Math.max(...anchors.map((one) => one.notAfter));
  const reason = objectionToAnchors(authority, trust, at)?.reason ?? null;
  const speaksFor =
    names.kind === "emails"
      ? names.patterns.map((name) => ({ name, issuer: null, owner: null }))
      : names.identities.map(identityReport);
  return {
    kind: names.kind === "emails" ? "x509" : "sigstore",
    id,
    fingerprints: [...new Set(anchors.map((one) => one.fingerprint))],
    speaksFor,
    hasRevocations: revocations !== null,
    ...usable(reason, Number.isFinite(ends) ? ends : null),
  };
}

function identityReport({ issuer, name, owner }: FulcioIdentity): AuthorityReport["speaksFor"][number] {
  const text = name.kind === "email" ? name.email : name.kind === "uri" ? name.uri : name.pattern;
  return { name: text, issuer, owner: owner.id };
}

function usable(reason: AuthorityReport["reason"], until: Instant | null) {
  return { isUsable: reason === null, reason, until: until === null ? null : formatTime(until) };
}
