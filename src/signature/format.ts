/** What every signature format offers. One file a format in formats/, and a line in formats.ts. */
import type { Instant } from "../lib/time.ts";
import type { Answer } from "./mathematics.ts";
import type { Refusal } from "./refusal.ts";
import type { Certification, KeyTerms, Owner, Trust } from "./trust.ts";
import type { SignatureFormat, Signer } from "./verification.ts";

export { type Refusal, refusal } from "./refusal.ts";

/** What is known of a key that signed: listed itself, or certified by a listed authority. */
export interface UsedKey {
  readonly owner: Owner;
  readonly fingerprint: string;
  readonly terms: KeyTerms;
}

/** A listed key made this signature: the mathematics is right. Whether the key may be used is judged afterwards. */
export interface Match {
  readonly key: UsedKey;
  /** Of the key that signed: a subkey's own where one did. */
  readonly signingKey: string;
  readonly hardware: Signer["hardware"];
  /** What the key's own certificate says against it at an instant; null when nothing. */
  readonly objectionAt: (at: Instant) => Refusal | null;
  /**
   * Instants at which objectionAt() may begin to say something else, each the first of what comes after it. What the
   * key's terms and its owner say is not among them.
   */
  readonly turningPoints: () => readonly Instant[];
  /** SSH only: where a certificate says whose the key is. */
  readonly certification?: Certification;
}

export interface Matched {
  readonly kind: "matched";
  /** At least one; several only where a list names one key on several lines. */
  readonly matches: readonly Match[];
}

export interface SignedBytes {
  /** The armoured block, or its bare binary content. */
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
  /** What an SSH signature was made for: `git` for commits. OpenPGP has no such field. */
  readonly namespace: string;
}

export interface FormatVerifier {
  /** MUST NOT throw for any bytes. Whose the signature is; no time decides about that. */
  match(signed: SignedBytes): Promise<Matched | Refusal>;
}

export interface Format {
  readonly name: SignatureFormat;
  /** First and last line of the armour. */
  readonly begin: string;
  readonly end: string;
  /** Prepares the listed keys of this format once. @throws SluiceError `trust-key-invalid` */
  open(trust: Trust, answer: Answer): FormatVerifier;
}
