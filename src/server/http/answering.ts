/** One request, from its head to the end of its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import * as z from "zod";
import { asSluiceError, SluiceError } from "../../lib/errors.ts";
import type { Clock } from "../../lib/time.ts";
import type { Access } from "../access/authenticate.ts";
import type { Principal } from "../access/principal.ts";
import { addressAccount } from "../access/rate-limit.ts";
import type { ServiceView } from "../view.ts";
import { hasBody, parseAs, queryObject, readBytes, readJson } from "./body.ts";
import { verifiedSubject } from "./client-certificate.ts";
import { cacheControl, securityHeaders } from "./headers.ts";
import { type Asked, matchRoute, readTarget } from "./match.ts";
import type { Paces } from "./paces.ts";
import { problemOf } from "./problem.ts";
import { type Answer, type Call, RAW_BODY, type Route } from "./route.ts";
import type { Traffic } from "./traffic.ts";

/** A check fetches, renders and evaluates; everything else reads. */
const DEADLINE_MS = { read: 30_000, open: 30_000, act: 600_000 } as const;
const ONCE = ["authorization", "host", "content-type", "content-encoding", "content-length", "expect"] as const;
/** Names of this machine, with or without a port. */
const LOCAL_HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/;

/** What a server answers with; access changes when it is reloaded. */
export interface Serving {
  readonly view: ServiceView;
  access: Access;
  /** True where no access is configured. */
  readonly isLocal: boolean;
  readonly isSecure: boolean;
  readonly routes: readonly Route[];
  readonly traffic: Traffic;
  readonly paces: Paces;
  readonly clock: Clock;
  readonly onRequest: (seen: RequestSeen) => void;
}

/** For the service's own log: names and numbers, no values that a caller wrote, no credentials. */
export interface RequestSeen {
  readonly requestId: string;
  readonly method: string;
  /** Id of the route, `none` where there was none. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly role: Principal["role"];
  readonly person: string | null;
  /** What it was refused with; null where it was not. */
  readonly code: string | null;
  /** Of an `internal` refusal: for whoever operates the service, never for the caller. */
  readonly cause: unknown;
}

interface Outcome {
  readonly answer: Answer;
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal: SluiceError | null;
}

interface Told {
  route: Route | null;
  principal: Principal;
}

/** Never rejects. */
export async function answerRequest(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const started = performance.now();
  const account = addressAccount(request.socket.remoteAddress ?? "");
  const told: Told = { route: null, principal: { role: "nobody", person: null, targets: null, account } };
  const outcome = await outcomeOf(serving, request, response, told).catch((thrown) =>
    refusalOutcome(thrown, requestId),
  );
  const status = outcome.answer.status ?? 200;
  await write(serving, request, response, outcome, requestId);
  const milliseconds = performance.now() - started;
  const route = told.route?.id ?? "none";
  const method = request.method ?? "";
  serving.traffic.seen({ method, route, status, seconds: milliseconds / 1000 });
  const { role, person } = told.principal;
  const code = outcome.refusal?.code ?? null;
  const cause = code === "internal" ? outcome.refusal?.cause : null;
  serving.onRequest({ requestId, method, route, status, milliseconds, role, person, code, cause });
}

async function outcomeOf(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
  told: Told,
): Promise<Outcome> {
  refuseRepeated(request);
  if (serving.isLocal) refuseForeignHost(request);
  const { message } = identify(serving, request, told); //                                           3
  const asked = readTarget(request.url ?? "");
  const match =
    asked === null ? { kind: "none" as const } : matchRoute(serving.routes, request.method ?? "", asked.segments);
  if (match.kind === "route") told.route = match.route;
  refuseHaste(serving, told); //                                                                     4
  if (asked === null || match.kind === "none") throw nothingThere(asked);
  if (match.kind === "method") throw new OtherMethods(match.allow);
  const { route, parameters } = match;
  refuseRole(route, told.principal, message); //                                                     5
  const signal = signalOf(response, DEADLINE_MS[route.pace]);
  const values = await readValues(request, response, route, asked); //                               6
  checkParameters(route, parameters);
  await recordAuditor(serving, told.principal, route, request.url ?? "", asked); //                  7
  const { view, routes, traffic } = serving;
  const headers = ownHeaders(route, request);
  const call: Call = {
    view,
    principal: told.principal,
    parameters,
    ...values,
    headers,
    now: serving.clock(),
    signal,
    routes,
    traffic,
  };
  return { answer: await untilAborted(route.handle(call), signal), headers: {}, refusal: null }; //   8
}

/** node:http keeps the first of some headers and passes over the others; a proxy before it may keep the last. */
function refuseRepeated({ headersDistinct }: IncomingMessage): void {
  const repeated = ONCE.find((name) => (headersDistinct[name]?.length ?? 0) > 1);
  if (repeated !== undefined) throw new SluiceError("request-invalid", `The header ${repeated} stands twice.`);
}

/** A page of somebody else's can make a browser on this machine call us under a name of its own (DNS rebinding). */
function refuseForeignHost({ headers }: IncomingMessage): void {
  if (LOCAL_HOST.test(headers.host ?? "")) return;
  throw new SluiceError(
    "host-unknown",
    "The service listens for this machine only, and the request names another host.",
  );
}

function identify({ access }: Serving, request: IncomingMessage, told: Told): { readonly message: string } {
  const authorization = request.headers.authorization ?? null;
  const found = access.authenticate({ authorization, subject: verifiedSubject(request.socket as Partial<TLSSocket>) });
  if (found.kind === "refused") return found;
  told.principal = found.principal;
  return { message: "" };
}

function refuseHaste({ paces }: Serving, { route, principal }: Told): void {
  const pace = route?.pace ?? "read";
  if (pace === "open") return;
  const seconds = (principal.role === "nobody" ? paces.stranger : paces[pace]).take(principal.account);
  if (seconds > 0) throw new TooSoon(seconds);
}

/** Carries what Retry-After says. */
class TooSoon extends SluiceError {
  readonly seconds: number;
  constructor(seconds: number) {
    super("too-many-requests", `The next request is taken in ${seconds} seconds.`, { retryable: true });
    this.seconds = seconds;
  }
}

/** Carries what Allow says. */
class OtherMethods extends SluiceError {
  readonly allow: readonly string[];
  constructor(allow: readonly string[]) {
    super("method-unknown", `This path knows ${allow.join(", ")} only.`);
    this.allow = allow;
  }
}

function refuseRole(route: Route, principal: Principal, message: string): void {
  if (route.roles.includes(principal.role)) return;
  if (principal.role === "nobody") throw new SluiceError("not-authenticated", message);
  if (principal.role === "local") {
    throw new SluiceError("not-authenticated", "Whoever acts is named in the log, and no access is configured.", {
      fix: "set access in gate.yaml, make a token with `sluice token new`, and send it",
    });
  }
  const may = route.roles.filter((role) => role !== "local");
  throw new SluiceError("not-permitted", `The role ${principal.role} may not do this; ${may.join(", ")} may.`);
}

async function readValues(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  asked: Asked,
): Promise<Pick<Call, "query" | "body">> {
  const query = parseAs(route.query, queryObject(asked.query, listsOf(route.query)), "query");
  if (route.body === null) {
    if (hasBody(request)) throw new SluiceError("request-invalid", "This route reads no body.");
    return { query, body: null };
  }
  const announced = Number(request.headers["content-length"] ?? 0);
  if (request.headers.expect !== undefined && announced <= route.bodyBytes) response.writeContinue();
  if (route.body === RAW_BODY) return { query, body: await readBytes(request, route.bodyBytes) };
  return { query, body: parseAs(route.body, await readJson(request, route.bodyBytes), "body") };
}

/** OPA is told plainly that its log does not arrive: what it uploads there would be lost. */
function nothingThere(asked: Asked | null): SluiceError {
  return asked?.segments[0] === "logs"
    ? new SluiceError("not-supported", "OPA's upload of decision logs is not there yet.", {
        fix: "take `decision_logs` out of OPA's configuration, or name another service there",
      })
    : new SluiceError("route-unknown", "There is nothing under this path.");
}

/** Of one that came twice node:http makes one with a comma in it. */
function ownHeaders(route: Route, { headers }: IncomingMessage): Call["headers"] {
  const values = Object.keys(route.headers).map((name) => {
    const value = headers[name];
    return [name, typeof value === "string" ? value : null];
  });
  return Object.fromEntries(values) as Call["headers"];
}

/** Keys whose values are lists. */
function listsOf(query: z.ZodType): ReadonlySet<string> {
  const shape = query instanceof z.ZodObject ? query.shape : {};
  const isList = (schema: unknown): boolean =>
    schema instanceof z.ZodArray || (schema instanceof z.ZodDefault && isList(schema.def.innerType));
  return new Set(Object.keys(shape).filter((key) => isList(shape[key])));
}

/** What cannot be the name of anything is nothing that there is. */
function checkParameters(route: Route, parameters: Readonly<Record<string, string>>): void {
  for (const [name, schema] of Object.entries(route.parameters)) {
    if (!schema.safeParse(parameters[name]).success) {
      throw new SluiceError("route-unknown", "There is nothing under this path.");
    }
  }
}

async function recordAuditor(
  { view }: Serving,
  { role, person }: Principal,
  route: Route,
  url: string,
  asked: Asked,
): Promise<void> {
  if (role !== "auditor" || !route.isLogged) return;
  const target = asked.query.get("target");
  await view.recordRead({
    person: person ?? "",
    route: `${route.method} ${route.path}`,
    asked: url.slice(0, 2000),
    target,
  });
}

function signalOf(response: ServerResponse, deadlineMs: number): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new SluiceError("request-too-slow", "The caller has gone.")));
  return AbortSignal.any([gone.signal, AbortSignal.timeout(deadlineMs)]);
}

/** What the handler began goes on and is logged; only the caller waits no longer. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    const late = (): void => {
      const isGone = signal.reason instanceof SluiceError;
      fail(isGone ? signal.reason : new SluiceError("answer-too-slow", "The answer was not there in time."));
    };
    signal.addEventListener("abort", late, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", late));
  });
}

function refusalOutcome(thrown: unknown, requestId: string): Outcome {
  const refusal = asSluiceError(thrown);
  const problem = problemOf(refusal, requestId);
  const headers: Record<string, string> = {};
  if (refusal instanceof TooSoon) headers["retry-after"] = String(refusal.seconds);
  if (refusal instanceof OtherMethods) headers["allow"] = refusal.allow.join(", ");
  if (problem.status === 401) headers["www-authenticate"] = 'Bearer realm="sluice"';
  return {
    answer: { status: problem.status, type: "application/problem+json", body: JSON.stringify(problem) },
    headers,
    refusal,
  };
}

async function write(
  { isSecure }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
  { answer, headers }: Outcome,
  requestId: string,
): Promise<void> {
  if (response.destroyed) return;
  const body = typeof answer.body === "string" ? Buffer.from(answer.body, "utf8") : answer.body;
  response.writeHead(answer.status ?? 200, {
    ...securityHeaders(isSecure),
    "cache-control": cacheControl(answer),
    "content-type": answer.type,
    "content-length": body.byteLength,
    "x-request-id": requestId,
    ...headers,
  });
  const written = new Promise<void>((done) => {
    response.once("close", done);
    response.end(request.method === "HEAD" ? undefined : body, done);
  });
  await written;
}
