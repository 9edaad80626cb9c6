/** From a request target to a route and its parameters. Only the canonical spelling of a path is one. */
import type { Route } from "./route.ts";

const MAXIMUM_TARGET_CHARACTERS = 4000;
/** Segments that mean somewhere else. */
const ELSEWHERE = new Set(["", ".", ".."]);

export interface Asked {
  /** Decoded segments; `/` has none. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

export type Match =
  | { readonly kind: "route"; readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  | { readonly kind: "method"; readonly allow: readonly string[] }
  | { readonly kind: "none" };

/** null for what is no origin-form target (RFC 9112 section 3.2.1), is too long, or spells a path in another way. */
export function readTarget(target: string): Asked | null {
  if (target.length > MAXIMUM_TARGET_CHARACTERS || !/^\/[!-~]*$/.test(target) || target.includes("#")) return null;
  const [path = "", ...rest] = target.split("?");
  const segments = path === "/" ? [] : path.slice(1).split("/").map(decodedSegment);
  if (segments.some((segment) => segment === null || ELSEWHERE.has(segment))) return null;
  const query = decodedQuery(rest.join("?"));
  return query === null ? null : { segments: segments as string[], query };
}

/** A slash or a NUL that comes out of a segment would be read differently further on. */
function decodedSegment(segment: string): string | null {
  try {
    const text = decodeURIComponent(segment);
    return /[/\\\0]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** URLSearchParams replaces what is no UTF-8; here it is refused. */
function decodedQuery(text: string): URLSearchParams | null {
  try {
    decodeURIComponent(text);
    return new URLSearchParams(text);
  } catch {
    return null;
  }
}

export function matchRoute(routes: readonly Route[], method: string, segments: readonly string[]): Match {
  const allow = new Set<string>();
  for (const route of routes) {
    const parameters = matchPath(route.path, segments);
    if (parameters === null) continue;
    if (route.method === method || (route.method === "GET" && method === "HEAD"))
      return { kind: "route", route, parameters };
    allow.add(route.method);
    if (route.method === "GET") allow.add("HEAD");
  }
  return allow.size === 0 ? { kind: "none" } : { kind: "method", allow: [...allow].sort() };
}

function matchPath(path: string, segments: readonly string[]): Readonly<Record<string, string>> | null {
  const parts = path === "/" ? [] : path.slice(1).split("/");
  const parameters: Record<string, string> = {};
  for (const [at, part] of parts.entries()) {
    const segment = segments[at];
    if (segment === undefined) return null;
    const name = /^\{([a-z]+)(\+?)\}$/.exec(part);
    if (name?.[1] === undefined) {
      if (part !== segment) return null;
    } else if (name[2] === "+") {
      parameters[name[1]] = segments.slice(at).join("/");
      return parameters;
    } else {
      parameters[name[1]] = segment;
    }
  }
  return parts.length === segments.length ? parameters : null;
}
