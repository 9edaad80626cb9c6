/**
 * What a route is. The list in routes.ts is the only place that says which there are, who may call them, and what goes in
 * and comes out: the server, the page of roles and the OpenAPI document all read it.
 */
import * as z from "zod";
import type { Instant } from "../../lib/time.ts";
import type { CallerRole, Principal } from "../access/principal.ts";
import type { ServiceView } from "../view.ts";
import type { Traffic } from "./traffic.ts";

/** Bytes of any type, not read here but by whoever knows what they are. */
export const RAW_BODY = z.instanceof(Uint8Array);

export type Method = "GET" | "POST";

/** `read`: cheap, many a minute. `act`: judges, logs or changes something, so fewer. `open`: for probes, never counted. */
export type Pace = "read" | "act" | "open";

export interface Answer {
  /** 200 unless said. */
  readonly status?: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  /** `no-store` unless said. */
  readonly caching?: "immutable" | "briefly";
}

/** What a handler is given: everything in it was checked. */
export interface Call<Query = unknown, Body = unknown> {
  readonly view: ServiceView;
  readonly principal: Principal;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** The route's own headers; null for one that did not come. */
  readonly headers: Readonly<Record<string, string | null>>;
  /** When it was asked, by the server's clock. */
  readonly now: Instant;
  /** Aborted when the caller has gone or the time is over. */
  readonly signal: AbortSignal;
  /** The list that this route stands in. */
  readonly routes: readonly Route[];
  /** What the server saw of requests since it began. */
  readonly traffic: Traffic;
}

interface Told {
  readonly summary: string;
  /** JSON of this schema; or a text or bytes of this type. */
  readonly answer: z.ZodType | { readonly type: string };
}

export interface Route extends Told {
  readonly id: string;
  readonly method: Method;
  /** Segments with a parameter in braces, `/v1/decisions/{id}`; `{path+}` takes all that is left. */
  readonly path: string;
  /** Who may call it; `nobody` for callers without credentials. */
  readonly roles: readonly CallerRole[];
  readonly pace: Pace;
  /** True where an auditor's call is logged before the answer leaves. */
  readonly isLogged: boolean;
  readonly query: z.ZodType;
  /** null where no body is read; RAW_BODY where it is taken as it is. */
  readonly body: z.ZodType | null;
  /** How large a body may be. */
  readonly bodyBytes: number;
  /** Headers of its own that it reads, in small letters, and what each says. */
  readonly headers: Readonly<Record<string, string>>;
  /** Codes that it refuses with, beside those of every route. */
  readonly refusals: readonly string[];
  /** Another type that it answers with where it is asked to. */
  readonly otherType: string | null;
  /** What each parameter of the path looks like. */
  readonly parameters: Readonly<Record<string, z.ZodType>>;
  handle(call: Call): Promise<Answer>;
}

/** A route whose handler is typed by its own schemas. */
export interface RouteDraft<Query extends z.ZodType, Body extends z.ZodType> extends Told {
  readonly id: string;
  readonly method: Method;
  readonly path: string;
  readonly roles: readonly CallerRole[];
  readonly pace?: Pace;
  readonly isLogged?: boolean;
  readonly query?: Query;
  readonly body?: Body;
  readonly bodyBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly refusals?: readonly string[];
  readonly otherType?: string;
  readonly parameters?: Readonly<Record<string, z.ZodType>>;
  handle(call: Call<z.output<Query>, z.output<Body>>): Promise<Answer>;
}
