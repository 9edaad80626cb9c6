/**
 * Remembers what was said of a commit (DESIGN section 7, "caches"). A verdict follows from the commit's bytes, from the
 * trust, from the instant and from this code: the bytes' SHA-256, the trust's digest and the versions name the entry, and
 * the entry says for which instants it holds. Forgetting one never changes a verdict, only its speed.
 */
import { hash } from "node:crypto";
import type { Commit, ObjectFormat } from "../git/object.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Memo } from "../lib/memo.ts";
import type { Instant } from "../lib/time.ts";
import { VERSION } from "../lib/version.ts";
import type { Trust } from "./trust.ts";
import type { LastingVerification, Moment, Verifier } from "./verify.ts";

/** Goes up with every change of what a verifier says about the same bytes, trust and instant. */
const VERIFIER_VERSION = 5;

export interface VerificationMemory {
  /** The same verdicts as the verifier's; commits that are remembered for this instant are not verified again. */
  remembering(verifier: Verifier, trust: Pick<Trust, "digest">, objectFormat: ObjectFormat): Verifier;
}

/** Of one commit's bytes, as they lie in memory: dies with them. */
interface Held {
  readonly sha256: string;
  /** By scope: who verified, under which trust. */
  readonly found: Map<string, LastingVerification>;
}

/** `memo` is what outlives the commits in memory, and the process where it is sealed. */
export function openVerificationMemory(memo: Memo): VerificationMemory {
  const held = new WeakMap<Uint8Array, Held>();
  const holding = ({ raw }: Commit): Held => {
    const known = held.get(raw) ?? { sha256: hash("sha256", raw), found: new Map() };
    held.set(raw, known);
    return known;
  };
  return {
    remembering(verifier, { digest }, objectFormat) {
      const scope = sha256Hex([VERSION, VERIFIER_VERSION, objectFormat, digest].join("\n"));
      const lasting = async (commit: Commit, at: Moment): Promise<LastingVerification> => {
        const { sha256, found } = holding(commit);
        const inMemory = found.get(scope);
        if (inMemory !== undefined && isAbout(inMemory, commit, at)) return asOf(inMemory, at);
        const name = `${scope} ${sha256}`;
        const stored = recall(memo.get(name));
        const isKnown = stored !== null && isAbout(stored, commit, at);
        const known = isKnown ? stored : await verifier.verifyLasting(commit, at);
        if (known !== stored) memo.set(name, JSON.stringify(known));
        found.set(scope, known);
        return asOf(known, at);
      };
      return {
        ...verifier,
        verify: async (commit, at) => (await lasting(commit, at)).verification,
        verifyLasting: lasting,
      };
    },
  };
}

function recall(text: string | null): LastingVerification | null {
  return text === null ? null : (JSON.parse(text) as LastingVerification);
}

/** Of this commit, and at an instant for which it holds. */
function isAbout({ verification, from, until }: LastingVerification, { id }: Commit, { instant }: Moment): boolean {
  return verification.commit === id && holdsAt(from, until, instant);
}

function holdsAt(from: Instant | null, until: Instant | null, at: Instant): boolean {
  return (from === null || from <= at) && (until === null || at < until);
}

/** Whether the instant was a receipt is not part of what is remembered. */
function asOf(known: LastingVerification, { basis }: Moment): LastingVerification {
  const { verification } = known;
  return verification.timeBasis === basis ? known : { ...known, verification: { ...verification, timeBasis: basis } };
}
