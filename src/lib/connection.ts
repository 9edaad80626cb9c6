/** What every client of ours asks of an address, and of a connection that failed. */

/** As a URL writes it, in brackets where it is IPv6. */
const THIS_MACHINE = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])$/;

/** Whether a URL says by itself that it means this machine: only there nothing between could read or change plain http. */
export function isThisMachine({ hostname }: URL): boolean {
  return THIS_MACHINE.test(hostname);
}

const TRUST = /^(?:CERT_|UNABLE_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_|HOSTNAME_MISMATCH|INVALID_CA|ERR_SSL_)/;

/** Whether the `code` of a failed connection is about the other side's certificate. */
export function isTrustFailure(code: string): boolean {
  return TRUST.test(code);
}
