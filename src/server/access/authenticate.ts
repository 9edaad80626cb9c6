/** From what came with a request to who calls. */
import { resolve } from "node:path";
import { type AccessYaml, asGrant, type Grant } from "../../config/access-yaml.ts";
import { sha256Hex } from "../../lib/digest.ts";
import { type Clock, type Instant, parseTime } from "../../lib/time.ts";
import type { Authentication, Credentials, Principal } from "./principal.ts";
import { findToken, readTokens } from "./tokens.ts";

export interface Access {
  authenticate(credentials: Credentials): Authentication;
}

const LOCAL: Principal = { role: "local", person: null, targets: null, account: "local" };
const BEARER = /^Bearer +(\S{1,200})$/i;

/** Where no access is configured, and the service listens on loopback: whoever calls is on this machine, and nameless. */
export function localAccess(): Access {
  return { authenticate: () => ({ kind: "known", principal: LOCAL }) };
}

/**
 * Reads tokens.yaml once; opening it again takes a token away or brings one.
 * @throws SluiceError what readTokens() throws
 */
export function openAccess({ tokens, certificates }: AccessYaml, folder: string, clock: Clock): Access {
  const known = tokens === undefined ? [] : readTokens(resolve(folder, tokens.file));
  const subjects = new Map(Object.entries(certificates?.subjects ?? {}));
  const byToken = (authorization: string): Authentication => {
    const token = findToken(known, BEARER.exec(authorization)?.[1] ?? "");
    if (token === null) return refused("The token is none that is known here.");
    return granted(token, token.person, `token ${token.sha256}`, clock());
  };
  const byCertificate = (subject: string): Authentication => {
    const given = subjects.get(subject);
    if (given === undefined) return refused("The client certificate's subject is none that is known here.");
    const grant = asGrant(given);
    return granted(grant, grant.person ?? subject, `subject ${sha256Hex(subject)}`, clock());
  };
  return {
    authenticate({ authorization, subject }) {
      if (authorization !== null) return byToken(authorization); // a wrong token is not made right by a certificate
      return subject === null ? refused("A token or a client certificate is needed.") : byCertificate(subject);
    },
  };
}

function granted({ role, targets, until }: Grant, person: string, account: string, now: Instant): Authentication {
  const end = until === undefined ? null : parseTime(until);
  if (until !== undefined && (end === null || now >= end)) return refused(`This access ended on ${until}.`);
  return { kind: "known", principal: { role, person, targets: targets ?? null, account } };
}

function refused(message: string): Authentication {
  return { kind: "refused", message };
}
