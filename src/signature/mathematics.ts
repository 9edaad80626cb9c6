/**
 * What is asked of OpenSSL about a signature, and who answers: the thread that asks, at once, or for a range also those of
 * libuv's pool, so that all cores verify while the next commits are read, and the service listens meanwhile.
 */
import { type KeyObject, type VerifyKeyObjectInput, verify } from "node:crypto";

/** Whether `key` made `signature` over `data`. */
export interface Question {
  /** Name of the hash; null where the algorithm brings its own (Ed25519). */
  readonly algorithm: string | null;
  readonly data: Uint8Array;
  readonly key: KeyObject | VerifyKeyObjectInput;
  readonly signature: Uint8Array;
}

/** The same answer whoever gives it; false for null, since what cannot be asked is not true. Throws or rejects alike. */
export type Answer = (question: Question | null) => boolean | Promise<boolean>;

/** At once. @throws where OpenSSL cannot compute with it */
export function isTrue(question: Question | null): boolean {
  if (question === null) return false;
  const { algorithm, data, key, signature } = question;
  return verify(algorithm, data, key, signature);
}

/**
 * For a range, of which verifyEach() has several commits under way: what they ask at one time is answered in one go, before
 * they go on. One after the other, each reads its commit after OpenSSL's tables have driven the code that reads out of the
 * processor's caches: that costs a fifth of everything besides the mathematics. Throws or rejects as isTrue() does.
 */
export function together(): Answer {
  let waiting: (() => void)[] = [];
  const answerAll = (): void => {
    const now = waiting;
    waiting = [];
    for (const answerOne of now) answerOne();
  };
  return (question) => {
    if (question === null) return false;
    if (waiting.length === 0) queueMicrotask(answerAll);
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    waiting.push(() => {
      try {
        resolve(isTrue(question));
      } catch (cause) {
        reject(cause);
      }
    });
    return promise;
  };
}

/** The same with all cores. Whoever asks one after the other would wait for another thread each time: isTrue() is theirs. */
export function withPool(): Answer {
  const here = together();
  return (question) => (question === null || isCheap(question) ? here(question) : isTrueElsewhere(question));
}

/** RSA is verified in about the time that handing it to another thread takes. */
function isCheap({ key }: Question): boolean {
  return (key as KeyObject).asymmetricKeyType === "rsa";
}

function isTrueElsewhere({ algorithm, data, key, signature }: Question): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(algorithm, data, key, signature, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}
