/** Entries that rest on what the log says of a target: recorded only where it still says the same. */
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDraft, Receipt } from "../log/entry.ts";

/** Each takes some milliseconds; proposals of the target may be recorded meanwhile, four at once. */
const MAXIMUM_ATTEMPTS = 50;

interface Built<T> {
  /** All of them about the target. */
  readonly drafts: readonly EntryDraft[];
  readonly made: T;
}

interface Followed<T> {
  readonly receipts: readonly Receipt[];
  readonly made: T;
}

/**
 * Records what `build` makes of the log in one transaction. Where anything of the target was recorded since `build` was
 * asked, by this process or another, it is asked again: so what two of them would both record is recorded once. Without
 * drafts nothing is.
 * @throws what `build` and appending throw; `log-moved` when something came between every time
 */
export async function appendFollowing<T>(
  log: DecisionLog,
  target: string,
  build: () => Promise<Built<T>>,
): Promise<Followed<T>> {
  for (let attempt = 1; ; attempt++) {
    const [newest] = await log.find({ target, order: "newest", limit: 1 });
    const { drafts, made } = await build();
    const [first, ...others] = drafts;
    if (first === undefined) return { receipts: [], made };
    try {
      const receipts = await log.appendAll([{ ...first, follows: newest?.leafHash ?? null }, ...others]);
      return { receipts, made };
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== "log-moved" || attempt === MAXIMUM_ATTEMPTS) throw thrown;
    }
  }
}
