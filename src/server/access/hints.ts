/**
 * Signed hints: "look at this repository". A webhook in the form of Standard Webhooks 1.0 (standardwebhooks.com), which
 * several forges and relays speak and openssl can write:
 *
 *   webhook-id: <unique>   webhook-timestamp: <seconds>   webhook-signature: v1,<base64> [v1,<base64> ...]
 *   signature = HMAC-SHA-256(secret, id "." timestamp "." body)
 *
 * and the webhooks of three forges, each with the same secret:
 *
 *   GitHub           x-hub-signature-256: sha256=<hex of HMAC-SHA-256(secret, body)>
 *   Gitea, Forgejo   x-gitea-signature: <the same hex>
 *   GitLab           x-gitlab-token: <the secret itself>
 *
 * These name no time and sign no id, so that one which somebody saw can be sent again: it wakes a poll, and nothing else.
 * The body is never looked into: a hint wakes the poll of one repository and carries no fact.
 */
import { createHash, createHmac } from "node:crypto";
import { resolve } from "node:path";
import type { GateConfiguration } from "../../config/gate-yaml.ts";
import { type Environment, readSecret } from "../../config/secret.ts";
import { decodeBase64, equalBytes, utf8 } from "../../lib/bytes.ts";
import { SluiceError } from "../../lib/errors.ts";
import type { Clock, Instant } from "../../lib/time.ts";

/** Older, and newer than our clock. */
const TOLERANCE_MS = 5 * 60_000;
/** Only who holds a secret adds to them; each is forgotten when its timestamp alone would be refused. */
const MAXIMUM_REMEMBERED = 10_000;
const MAXIMUM_SIGNATURES = 10;
/** Of a secret: 192 bits. */
const SHORTEST_SECRET_BYTES = 24;
const ID = /^[A-Za-z0-9_-]{1,128}$/;
const SECONDS = /^[1-9][0-9]{0,11}$/;
const PREFIX = "whsec_";

export interface SignedHint {
  readonly repository: string;
  /** The headers as they came; null for one that did not. */
  readonly id: string | null;
  readonly timestamp: string | null;
  readonly signature: string | null;
  readonly body: Uint8Array;
}

export const FORGE_HEADERS = {
  github: "x-hub-signature-256",
  gitlab: "x-gitlab-token",
  gitea: "x-gitea-signature",
} as const;
export type HintForge = keyof typeof FORGE_HEADERS;

export interface ForgeHint {
  readonly repository: string;
  readonly forge: HintForge;
  /** The header as it came; null where it did not. */
  readonly signature: string | null;
  readonly body: Uint8Array;
}

/** By name of a repository. */
export type HintSecrets = ReadonlyMap<string, Uint8Array>;

export interface Hints {
  /** @throws SluiceError `hint-unsigned`, `hint-signature`, `hint-expired`, `hint-replayed`, `too-many-requests` */
  check(hint: SignedHint): void;
  /** @throws SluiceError `hint-unsigned`, `hint-signature` */
  checkForge(hint: ForgeHint): void;
  replaceSecrets(secrets: HintSecrets): void;
}

/** @throws SluiceError `secret-missing`, `secret-readable-by-others`, `gate-configuration-invalid` for one that is short */
export function readHintSecrets({ gate, folder }: GateConfiguration, environment: Environment): HintSecrets {
  const secrets = Object.entries(gate.repositories).flatMap(([name, { hint }]): [string, Uint8Array][] =>
    hint === undefined ? [] : [[name, secretBytes(name, readSecret(hint.secret, resolve(folder), environment))]],
  );
  return new Map(secrets);
}

/** `whsec_` and base64, as Standard Webhooks writes a secret; any other text is its own bytes. */
function secretBytes(repository: string, text: string): Uint8Array {
  const bytes = text.startsWith(PREFIX) ? (decodeBase64(text.slice(PREFIX.length)) ?? new Uint8Array()) : utf8(text);
  if (bytes.byteLength >= SHORTEST_SECRET_BYTES) return bytes;
  throw new SluiceError("gate-configuration-invalid", `The hint secret of ${repository} is shorter than 24 bytes.`, {
    fix: "openssl rand -base64 32 > hint.secret && chmod 600 hint.secret",
  });
}

export function openHints(given: HintSecrets, clock: Clock): Hints {
  let secrets = given;
  const seen = new Map<string, Instant>();
  return {
    replaceSecrets: (next) => {
      secrets = next;
    },
    checkForge({ repository, forge, signature, body }) {
      if (signature === null || signature === "")
        throw new SluiceError("hint-unsigned", `The webhook lacks ${FORGE_HEADERS[forge]}.`);
      const secret = secrets.get(repository);
      if (secret === undefined || !isOfForge(forge, secret, body, signature)) throw notSigned();
    },
    check(hint) {
      const { repository, body } = hint;
      const { id, timestamp, signature } = hint;
      if (id === null || timestamp === null || signature === null || !ID.test(id) || !SECONDS.test(timestamp)) {
        throw new SluiceError("hint-unsigned", "The hint lacks webhook-id, webhook-timestamp or webhook-signature.");
      }
      const secret = secrets.get(repository);
      if (secret === undefined || !isSigned(secret, `${id}.${timestamp}.`, body, signature)) throw notSigned();
      const at = Number(timestamp) * 1000;
      const now = clock();
      if (Math.abs(now - at) > TOLERANCE_MS) {
        throw new SluiceError("hint-expired", "The hint was signed more than five minutes from now.");
      }
      remember(seen, `${repository} ${id}`, at + TOLERANCE_MS, now);
    },
  };
}

function notSigned(): SluiceError {
  return new SluiceError("hint-signature", "No repository of that name has a secret that made this signature.");
}

/** Digests are compared, in constant time: that of a token says nothing of how much of it is right. */
function isOfForge(forge: HintForge, secret: Uint8Array, body: Uint8Array, signature: string): boolean {
  if (forge === "gitlab") return equalBytes(digestOf(utf8(signature)), digestOf(secret));
  const hex = forge === "github" ? /^sha256=([0-9a-f]{64})$/.exec(signature)?.[1] : signature;
  if (hex === undefined || !/^[0-9a-f]{64}$/.test(hex)) return false;
  const expected = new Uint8Array(createHmac("sha256", secret).update(body).digest());
  return equalBytes(new Uint8Array(Buffer.from(hex, "hex")), expected);
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Every signature that came is compared, each in constant time. */
function isSigned(secret: Uint8Array, head: string, body: Uint8Array, signatures: string): boolean {
  const expected = new Uint8Array(createHmac("sha256", secret).update(head).update(body).digest());
  let found = false;
  for (const one of signatures.split(" ").slice(0, MAXIMUM_SIGNATURES)) {
    const given = one.startsWith("v1,") ? decodeBase64(one.slice("v1,".length)) : null;
    if (given !== null && equalBytes(given, expected)) found = true;
  }
  return found;
}

function remember(seen: Map<string, Instant>, name: string, until: Instant, now: Instant): void {
  for (const [known, end] of seen) if (end < now) seen.delete(known);
  if (seen.has(name)) throw new SluiceError("hint-replayed", "This very hint was taken before.");
  if (seen.size >= MAXIMUM_REMEMBERED)
    throw new SluiceError("too-many-requests", "Too many hints came in five minutes.");
  seen.set(name, until);
}
