/** Who a client's certificate says that it is. */
import type { TLSSocket } from "node:tls";

/** Subject of a client certificate that an authority of ours issued for that use, its parts in the certificate's order; null for every other. */
export function verifiedSubject(socket: Partial<TLSSocket>): string | null {
  if (socket.authorized !== true) return null;
  const subject = socket.getPeerX509Certificate?.()?.subject;
  return subject === undefined ? null : subject.split("\n").join(", ");
}
