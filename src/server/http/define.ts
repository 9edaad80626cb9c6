/** What routes are written with. */
import * as z from "zod";
import { SluiceError } from "../../lib/errors.ts";
import { type CallerRole, mayTouch, type Principal } from "../access/principal.ts";
import type { Answer, Route, RouteDraft } from "./route.ts";

/** Whoever may look: persons of every role, and anybody on a machine that is its own. */
export const READERS: readonly CallerRole[] = ["local", "reader", "auditor", "approver", "operator", "admin"];
export const EVERYBODY: readonly CallerRole[] = ["nobody", ...READERS, "caller"];

/** Orders and hints; what may be more says so. */
const MAXIMUM_BODY_BYTES = 64 * 1024;

export const NO_QUERY = z.strictObject({});

export function defineRoute<Query extends z.ZodType = typeof NO_QUERY, Body extends z.ZodType = z.ZodNull>(
  draft: RouteDraft<Query, Body>,
): Route {
  return {
    ...draft,
    pace: draft.pace ?? "read",
    isLogged: draft.isLogged ?? draft.method === "GET",
    query: draft.query ?? NO_QUERY,
    body: draft.body ?? null,
    bodyBytes: draft.bodyBytes ?? MAXIMUM_BODY_BYTES,
    headers: draft.headers ?? {},
    refusals: draft.refusals ?? [],
    otherType: draft.otherType ?? null,
    parameters: draft.parameters ?? {},
    handle: draft.handle as Route["handle"], // the server parses with these very schemas before it calls
  };
}

export function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, type = "text/plain; charset=utf-8"): Answer {
  return { type, body };
}

/** @throws SluiceError `route-unknown`: what is not there and what a caller may not know of look alike */
export function found<T>(value: T | null, what: string): T {
  if (value !== null) return value;
  throw new SluiceError("route-unknown", `There is no ${what}.`);
}

/** @throws SluiceError `not-permitted` for a target that the caller's access leaves out */
export function permitTarget(principal: Principal, target: string): void {
  if (mayTouch(principal, target)) return;
  throw new SluiceError("not-permitted", `This access is for ${principal.targets?.join(", ")} only.`);
}

/** Who acts, by name. @throws SluiceError `person-needed` */
export function namedPerson({ person }: Principal): string {
  if (person !== null) return person;
  throw new SluiceError("person-needed", "Whoever acts is named in the log, and this caller has no name.", {
    fix: "configure access in gate.yaml, and send a token",
  });
}
