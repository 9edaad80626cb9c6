/** Whose approval would count today: people with a key for it, or with an authority that may certify one. */
import { APPROVAL_NAMESPACE } from "../decision/envelope.ts";
import type { Instant } from "../lib/time.ts";
import { objectionToCertifying, objectionToKey } from "../signature/key-use.ts";
import type { Owner, Trust } from "../signature/trust.ts";

/** Sorted by id; robots and forges never approve. */
export function possibleApprovers(trust: Trust, at: Instant): readonly Owner[] {
  return trust.owners
    .filter((owner) => owner.class === "person")
    .filter((owner) => hasKey(owner, trust, at) || isCertified(owner, trust, at))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function hasKey(owner: Owner, trust: Trust, at: Instant): boolean {
  return trust.keys.some(
    (key) =>
      key.owner.id === owner.id &&
      key.owner.class === owner.class &&
      objectionToKey(key, trust, at, APPROVAL_NAMESPACE) === null,
  );
}

/** An authority for SSH certificates speaks for their address, so that they can get a certificate to approve with. */
function isCertified(owner: Owner, trust: Trust, at: Instant): boolean {
  const { sshAuthorities = [] } = trust;
  return sshAuthorities.some((one) => objectionToCertifying(one, owner, trust, at, APPROVAL_NAMESPACE) === null);
}
