/**
 * The listener for a cluster's API server: POST /v1/admit, over TLS, HTTP/1.1 and HTTP/2. Whatever goes wrong is a
 * refusal: in the form of a review where its uid is known, as a problem where it is not, which the API server takes for a
 * failure, and `failurePolicy: Fail` refuses.
 */
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { Socket } from "node:net";
import { resolve } from "node:path";
import { admissionAnswer, failureAnswer } from "../../admission/answer.ts";
import { MAXIMUM_REVIEW_BYTES, readReview } from "../../admission/read.ts";
import type { AdmissionRequest } from "../../admission/review.ts";
import { type AdmissionYaml, isLoopback } from "../../config/access-yaml.ts";
import { readConfigurationFile } from "../../config/configuration-file.ts";
import { readSecretFile } from "../../config/secret.ts";
import { asSluiceError, SluiceError } from "../../lib/errors.ts";
import { parseDuration } from "../../lib/time.ts";
import { ulid } from "../../lib/ulid.ts";
import { listenOn, usable } from "../listening.ts";
import type { RequestSeen } from "./answering.ts";
import { readBytes, refuseOtherTypes } from "./body.ts";
import { securityHeaders } from "./headers.ts";
import { problemOf } from "./problem.ts";
import type { ConnectionLimits, HttpOptions } from "./server.ts";

/** Above what Go's client keeps an idle connection for: a webhook call on a closed one is not repeated. */
const KEEP_ALIVE_MS = 120_000;
const MAXIMUM_HEADER_BYTES = 16 * 1024;
const MAXIMUM_STREAMS = 250;
/** A head has longer than an idle connection is kept: the API server keeps many, and asks on them when it likes. */
const LIMITS: ConnectionLimits & { readonly handshakeMs: number } = {
  headersMs: 125_000,
  requestMs: 30_000,
  handshakeMs: 10_000,
  checkMs: 1000,
  connections: 500,
};
/** Reviews that are read or judged at once; each may hold seven megabytes. */
const MAXIMUM_UNDER_WAY = 64;
const DEFAULT_DEADLINE_MS = 5000;
/** Before the API server stops waiting, `?timeout=10s`. */
const MARGIN_MS = 500;

export interface AdmissionOptions extends Pick<HttpOptions, "view" | "folder" | "clock" | "random" | "onRequest"> {
  readonly admission: AdmissionYaml;
  readonly limits?: typeof LIMITS;
}

export interface AdmissionServer {
  /** `https://127.0.0.1:9443`, with the port that was taken. */
  readonly url: string;
  /** Reads certificates and keys again; what is answered puts them in force. The deadline counts from the next request on. @throws what is wrong */
  reread(next: AdmissionYaml): () => void;
  close(graceMs: number): Promise<void>;
}

interface Reply extends Pick<RequestSeen, "status" | "code" | "cause"> {
  readonly type: string;
  readonly body: string;
}

/** @throws SluiceError `listen-failed`, `listen-unsafe`, `secret-missing`, `configuration-missing` */
export async function serveAdmission(given: AdmissionOptions): Promise<AdmissionServer> {
  const { admission, folder } = given;
  const { headersMs, requestMs, handshakeMs, checkMs, connections } = given.limits ?? LIMITS;
  let options = given;
  const server = createSecureServer({
    ...tlsOptions(admission, folder),
    allowHTTP1: true,
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    settings: { maxConcurrentStreams: MAXIMUM_STREAMS, maxHeaderListSize: MAXIMUM_HEADER_BYTES },
    unknownProtocolTimeout: handshakeMs,
    handshakeTimeout: handshakeMs,
    connectionsCheckingInterval: checkMs,
  } as Parameters<typeof createSecureServer>[0]);
  Object.assign(server, {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
  });
  server.maxConnections = connections;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const sessions = new Set<{ close(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.setTimeout(KEEP_ALIVE_MS, () => session.close());
    session.on("error", () => session.destroy());
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  const underWay = { count: 0 };
  server.on("request", (request, response) => {
    answer(options, underWay, request, response).catch(() => void response.destroy());
  });
  return {
    url: `https://${await listenOn(server, admission)}`,
    reread(next) {
      const tls = tlsOptions(next, folder);
      return () => {
        server.setSecureContext(tls);
        options = { ...options, admission: next };
      };
    },
    close: (graceMs) => closed(server, sessions, sockets, graceMs),
  };
}

function tlsOptions({ address, tls }: AdmissionYaml, folder: string) {
  if (!isLoopback(address) && tls.clients === undefined) {
    throw new SluiceError("listen-unsafe", `Anybody who reaches ${address} could ask for admission.`);
  }
  const read = {
    cert: readConfigurationFile(resolve(folder, tls.certificate)),
    key: readSecretFile(resolve(folder, tls.key)),
    minVersion: "TLSv1.2" as const,
    ...(tls.clients === undefined
      ? {}
      : { ca: readConfigurationFile(resolve(folder, tls.clients)), requestCert: true, rejectUnauthorized: true }),
  };
  return usable(read, "admission.tls");
}

/** Never rejects. */
async function answer(
  options: AdmissionOptions,
  underWay: { count: number },
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const { clock, random, onRequest } = options;
  const started = performance.now();
  const requestId = ulid(clock(), random(10));
  request.on("error", () => undefined); // whoever goes away in the middle is answered nothing
  response.on("error", () => undefined);
  underWay.count += 1;
  const reply = await replyTo(options, underWay.count, request).catch((thrown) => problemReply(thrown, requestId));
  underWay.count -= 1;
  write(response, reply, requestId);
  const { status, code, cause } = reply;
  const milliseconds = performance.now() - started;
  const method = request.method ?? "";
  onRequest({ requestId, method, route: "admit", status, milliseconds, role: "caller", person: null, code, cause });
}

async function replyTo(options: AdmissionOptions, count: number, request: Http2ServerRequest): Promise<Reply> {
  const [path, query = ""] = (request.url ?? "").split("?");
  if (path !== "/v1/admit") throw new SluiceError("route-unknown", "There is nothing under this path.");
  if (request.method !== "POST") throw new SluiceError("method-unknown", "This path knows POST only.");
  if (count > MAXIMUM_UNDER_WAY) throw new SluiceError("too-many-requests", "Too many reviews are under way.");
  refuseOtherTypes(request);
  const signal = AbortSignal.timeout(deadlineMs(options.admission, query));
  const reading = readReview(await untilAborted(readBytes(request, MAXIMUM_REVIEW_BYTES), signal));
  if (reading.kind === "request") return judged(options, reading.request, signal);
  if (reading.uid === null) throw new SluiceError("request-invalid", reading.message);
  return reviewReply(failureAnswer(reading.uid, "request-invalid", reading.message), "request-invalid", null);
}

async function judged({ view }: AdmissionOptions, request: AdmissionRequest, signal: AbortSignal): Promise<Reply> {
  try {
    const verdict = await untilAborted(view.admit(request, signal), signal);
    return reviewReply(admissionAnswer(request.uid, verdict), verdict.allowed ? null : verdict.code, null);
  } catch (thrown) {
    const { code, message, cause } = asSluiceError(thrown);
    return reviewReply(failureAnswer(request.uid, code, message), code, code === "internal" ? cause : null);
  }
}

/** Ours, or a little before the caller's, whichever is sooner. */
function deadlineMs({ deadline }: AdmissionYaml, query: string): number {
  const own = parseDuration(deadline) ?? DEFAULT_DEADLINE_MS;
  const asked = parseDuration(new URLSearchParams(query).get("timeout") ?? "");
  return asked === null ? own : Math.max(1, Math.min(own, asked - MARGIN_MS));
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    const late = (): void => fail(new SluiceError("answer-too-slow", "It was not judged in time, so it is refused."));
    if (signal.aborted) late();
    signal.addEventListener("abort", late, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", late));
  });
}

function reviewReply(review: unknown, code: string | null, cause: unknown): Reply {
  return { status: 200, type: "application/json", body: JSON.stringify(review), code, cause };
}

function problemReply(thrown: unknown, requestId: string): Reply {
  const error = asSluiceError(thrown);
  const { code, cause } = error;
  const problem = problemOf(error, requestId);
  return {
    status: problem.status,
    type: "application/problem+json",
    body: JSON.stringify(problem),
    code,
    cause: code === "internal" ? cause : null,
  };
}

function write(response: Http2ServerResponse, reply: Reply, requestId: string): void {
  if (response.destroyed) return;
  const { status, type, body } = reply;
  response.writeHead(status, {
    ...securityHeaders(true),
    "cache-control": "no-store",
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "x-request-id": requestId,
    ...(status === 405 ? { allow: "POST" } : {}),
  });
  response.end(body);
}

function closed(
  server: Http2SecureServer,
  sessions: ReadonlySet<{ close(): void }>,
  sockets: ReadonlySet<Socket>,
  graceMs: number,
): Promise<void> {
  const first = server as unknown as { closeIdleConnections?(): void };
  return new Promise((done) => {
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy(); // whatever it speaks, or whether it has begun to
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      done();
    });
    for (const session of sessions) session.close();
    first.closeIdleConnections?.();
  });
}
