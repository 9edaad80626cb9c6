/** One commit's signature, as the JSON of every command says it. */
import type { Verification } from "../../signature/verification.ts";

export function verificationReport(verification: Verification) {
  const { commit, kind, format, timeBasis } = verification;
  const signer = verification.signer === null ? null : signerReport(verification.signer);
  const rejected = verification.kind === "rejected";
  return {
    commit,
    kind,
    reason: rejected ? verification.reason : null,
    detail: rejected ? verification.detail : null,
    format,
    signer,
    timeBasis,
  };
}

export function signerReport({ person, class: kind, key, roles, hardware }: NonNullable<Verification["signer"]>) {
  return { person, class: kind, key, roles: [...roles].sort(), hardware };
}
