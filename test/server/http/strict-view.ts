/** A service that answers what a test says, in that order; a question that was not expected fails, one that was not asked too. */
import assert from "node:assert/strict";
import type { ServiceView } from "../../../src/server/view.ts";

type Methods = { readonly [K in keyof ServiceView]: ServiceView[K] };
type Result<K extends keyof Methods> = Awaited<ReturnType<Methods[K]>>;

export interface Expected {
  readonly method: keyof ServiceView;
  /** Compared with what the route asked; not compared where it is absent. */
  readonly asks?: readonly unknown[];
  answer(): Promise<unknown>;
}

/** `expects("targets", [], [...])`: this call, this answer; a function answers, or throws, by itself. */
export function expects<K extends keyof ServiceView>(
  method: K,
  asks: readonly unknown[] | null,
  answer: Result<K> | (() => Promise<Result<K>>),
): Expected {
  const give = typeof answer === "function" ? (answer as () => Promise<Result<K>>) : async () => answer;
  return { method, answer: give, ...(asks === null ? {} : { asks }) };
}

export interface StrictView {
  readonly view: ServiceView;
  expect(...calls: readonly Expected[]): void;
  /** Fails where something that was expected was not asked, or something else was. */
  finish(): void;
}

const METHODS = [
  "entries",
  "entry",
  "proof",
  "releases",
  "reviewState",
  "holds",
  "resource",
  "recordRead",
  "targets",
  "rules",
  "waivers",
  "releaseFile",
  "check",
  "hold",
  "resume",
  "release",
  "review",
  "adopt",
  "redact",
  "admit",
  "hint",
  "approvalTarget",
  "approve",
  "report",
  "rollback",
  "data",
  "readiness",
  "metrics",
] as const satisfies readonly (keyof ServiceView)[];

export function strictView(): StrictView {
  const waiting: Expected[] = [];
  const wrong: string[] = [];
  const take = async (method: keyof ServiceView, args: readonly unknown[]): Promise<unknown> => {
    const next = waiting.shift();
    if (next?.method !== method) {
      wrong.push(`${method} was asked, ${next?.method ?? "nothing"} was expected`);
      throw new Error("unexpected");
    }
    if (next.asks !== undefined) assert.deepEqual(args.slice(0, next.asks.length), next.asks);
    return next.answer();
  };
  const view = Object.fromEntries(
    METHODS.map((method) => [method, (...args: readonly unknown[]) => take(method, args)]),
  ) as unknown as ServiceView;
  return {
    view,
    expect: (...calls) => void waiting.push(...calls),
    finish() {
      assert.deepEqual(wrong.splice(0), []);
      assert.deepEqual(
        waiting.splice(0).map(({ method }) => method),
        [],
        "expected, and not asked",
      );
    },
  };
}
