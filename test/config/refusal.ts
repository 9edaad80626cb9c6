import { SluiceError } from "../../src/lib/errors.ts";

/** What a reader refused; fails where it did not, or with anything that is not ours. */
export function refusal(read: () => unknown): SluiceError {
  try {
    read();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
    throw thrown;
  }
  throw new Error("was not refused");
}
