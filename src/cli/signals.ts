/** How a command that runs until it is told otherwise is told. */

export interface Stopping {
  /** The first SIGTERM or SIGINT. Another one ends the process as it would any other. */
  readonly stopped: Promise<NodeJS.Signals>;
  forget(): void;
}

/** Heard from the first moment on, so that no signal of a supervisor falls into the start. */
export function listenForStop(): Stopping {
  const { promise: stopped, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const stop = (signal: NodeJS.Signals): void => {
    forget();
    resolve(signal);
  };
  const forget = (): void => {
    process.off("SIGTERM", stop).off("SIGINT", stop);
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  return { stopped, forget };
}
