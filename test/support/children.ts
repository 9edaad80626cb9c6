/** Which children this process starts: what is asked of git, as the system sees it. */
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** The words after `git` of every child that `work` starts, sorted, but for those of a server in this process. */
export async function childrenOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const started: { readonly process: ChildProcess }[] = [];
  const hear = (message: unknown): void => void started.push(message as { readonly process: ChildProcess });
  subscribe("child_process", hear);
  try {
    await work();
    const words = started.map(({ process }) => process.spawnargs[1] ?? "");
    return words.filter((word) => word !== "http-backend").sort();
  } finally {
    unsubscribe("child_process", hear);
  }
}
