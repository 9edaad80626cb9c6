/**
 * What landed goes first, also before proposals that have begun: before each of the two steps that cost most they stand
 * aside until no landing runs. They hold nothing meanwhile that a landing could wait for, so a landing shares the policies'
 * threads with those evaluations only that were under way when it came.
 */
import type { Services } from "../gate/services.ts";

/** Open, or closed until it is opened. */
export class Way {
  #opening: PromiseWithResolvers<void> | null = null;

  set(isOpen: boolean): void {
    if (isOpen) {
      this.#opening?.resolve();
      this.#opening = null;
    } else {
      this.#opening ??= Promise.withResolvers();
    }
  }

  /** Resolves when it is open, or `stop` is aborted: then there is nothing left to wait for. */
  async free(stop: AbortSignal | undefined): Promise<void> {
    while (this.#opening !== null && stop?.aborted !== true) {
      const stopped = Promise.withResolvers<void>();
      const wake = (): void => stopped.resolve();
      stop?.addEventListener("abort", wake, { once: true });
      await Promise.race([this.#opening.promise, stopped.promise]);
      stop?.removeEventListener("abort", wake);
    }
  }
}

/** The same services; signatures and policies wait until the way is free. */
export function givingWay(services: Services, way: Way): Services {
  const { receipts, engine, signal } = services;
  return {
    ...services,
    receipts: {
      receive: async (...asked) => {
        await way.free(signal);
        return receipts.receive(...asked);
      },
    },
    engine: {
      ...engine,
      evaluate: async (...asked) => {
        await way.free(signal);
        return engine.evaluate(...asked);
      },
    },
  };
}
