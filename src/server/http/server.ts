/**
 * The listener for people and machines. One request is answered in this order, and the first refusal ends it:
 *
 *   1 limits of node:http (header bytes, time to arrive, connections)   5 the role, against the list of routes
 *   2 the host, where only this machine may call                        6 query and body, bounded, into closed types
 *   3 who calls                                                         7 an auditor's call is logged
 *   4 how often, by account; then which route                           8 the handler, until its deadline
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { resolve } from "node:path";
import type { Duplex } from "node:stream";
import { type AccessYaml, isLoopback, type ListenYaml } from "../../config/access-yaml.ts";
import { readConfigurationFile } from "../../config/configuration-file.ts";
import { readSecretFile } from "../../config/secret.ts";
import { SluiceError } from "../../lib/errors.ts";
import type { Clock } from "../../lib/time.ts";
import { ulid } from "../../lib/ulid.ts";
import { type Access, localAccess, openAccess } from "../access/authenticate.ts";
import { listenOn, usable } from "../listening.ts";
import type { ServiceView } from "../view.ts";
import { answerRequest, type RequestSeen, type Serving } from "./answering.ts";
import { openPaces } from "./paces.ts";
import { problemOf } from "./problem.ts";
import { ROUTES } from "./routes.ts";
import { openTraffic } from "./traffic.ts";

const MAXIMUM_HEADER_BYTES = 16 * 1024;
const MAXIMUM_HEADERS = 100;
/** Above what proxies and clients keep an idle connection for, so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000;
const MAXIMUM_REQUESTS_PER_CONNECTION = 10_000;

/** What a connection may cost; milliseconds. */
export interface ConnectionLimits {
  /** From its beginning until the head of a request, or the TLS handshake, is whole. */
  readonly headersMs: number;
  /** Until the whole request is there. */
  readonly requestMs: number;
  /** How often both are looked at: so much later than due one may be ended. */
  readonly checkMs: number;
  /** At once; one more is closed. */
  readonly connections: number;
}

const LIMITS: ConnectionLimits = { headersMs: 10_000, requestMs: 30_000, checkMs: 1000, connections: 1000 };

export interface HttpOptions {
  readonly view: ServiceView;
  readonly listen: ListenYaml;
  /** Without it only this machine may call, and nobody is known by name. */
  readonly access: AccessYaml | undefined;
  /** Where relative paths of gate.yaml start. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  readonly limits?: ConnectionLimits;
  /** Called once for each request, after its answer. For the service's own log, which is never the audit log. */
  readonly onRequest: (seen: RequestSeen) => void;
}

export interface HttpServer {
  /** `http://127.0.0.1:8443`, with the port that was taken. */
  readonly url: string;
  /**
   * Reads certificates, keys and tokens again; what is answered puts them in force, and a request that is under way keeps
   * what it began with. Address, port, and whether there is TLS stay as they are until a restart. @throws what is wrong
   */
  reread(next: Pick<HttpOptions, "listen" | "access">): () => void;
  /** Takes nothing new, lets what is under way end for so long, then cuts it off. */
  close(graceMs: number): Promise<void>;
}

/** @throws SluiceError `listen-failed`, `listen-unsafe`, `secret-missing`, `tokens-invalid` and the like */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { listen, folder, clock, random } = options;
  const serving: Serving = {
    ...options,
    access: accessOf(options),
    isLocal: options.access === undefined,
    isSecure: listen.tls !== undefined,
    routes: ROUTES,
    traffic: openTraffic(),
    paces: openPaces(clock),
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    answerRequest(serving, request, response, ulid(clock(), random(10))).catch(() => void response.destroy());
  };
  const server = createListener(options);
  server.on("request", answer);
  server.on("checkContinue", answer);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
    refuseBroken(error, socket, ulid(clock(), random(10))),
  );
  server.maxConnections = (options.limits ?? LIMITS).connections;
  server.maxRequestsPerSocket = MAXIMUM_REQUESTS_PER_CONNECTION;
  server.maxHeadersCount = MAXIMUM_HEADERS;
  const place = await listenOn(server, listen);
  return {
    url: `${listen.tls === undefined ? "http" : "https"}://${place}`,
    reread(next) {
      const access = accessOf({ ...next, folder, clock });
      const tls = tlsOptions({ ...next, folder });
      if ((tls === null) !== (listen.tls === undefined) || serving.isLocal !== (next.access === undefined)) {
        throw new SluiceError("listen-unsafe", "TLS and access are not switched on or off while the service runs.", {
          fix: "restart the service",
        });
      }
      return () => {
        if (tls !== null && "setSecureContext" in server)
          (server as ReturnType<typeof createSecureServer>).setSecureContext(tls);
        serving.access = access;
      };
    },
    close: (graceMs) => closed(server, graceMs),
  };
}

function createListener(options: HttpOptions): Server {
  const { headersMs, requestMs, checkMs } = options.limits ?? LIMITS;
  const limits = {
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: checkMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
  const tls = tlsOptions(options);
  if (tls === null) return createServer(limits);
  const requestCert = options.access?.certificates !== undefined;
  // Without a certificate there are still tokens, so it is the route that refuses, not the handshake.
  return createSecureServer({ ...limits, ...tls, handshakeTimeout: headersMs, requestCert, rejectUnauthorized: false });
}

/** @throws SluiceError `listen-unsafe`: whoever made the options may not have read gate.yaml */
function accessOf({
  listen,
  access,
  folder,
  clock,
}: Pick<HttpOptions, "listen" | "access" | "folder" | "clock">): Access {
  if (!isLoopback(listen.address) && (access === undefined || listen.tls === undefined)) {
    throw new SluiceError("listen-unsafe", `The service would listen on ${listen.address} without TLS and access.`);
  }
  return access === undefined ? localAccess() : openAccess(access, folder, clock);
}

function tlsOptions({ listen, access, folder }: Pick<HttpOptions, "listen" | "access" | "folder">) {
  if (listen.tls === undefined) return null;
  const { certificate, key } = listen.tls;
  const clients = access?.certificates?.ca;
  const read = {
    cert: readConfigurationFile(resolve(folder, certificate)),
    key: readSecretFile(resolve(folder, key)),
    ...(clients === undefined ? {} : { ca: readConfigurationFile(resolve(folder, clients)) }),
    minVersion: "TLSv1.2" as const,
  };
  return usable(read, "listen.tls");
}

/** What node:http could not read: RFC 9112 asks for an answer and an end. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex, requestId: string): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const [line, refusal] = brokenAnswer(error.code);
  const body = `${JSON.stringify(problemOf(refusal, requestId))}\n`;
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function brokenAnswer(code: string | undefined): readonly [string, SluiceError] {
  if (code === "HPE_HEADER_OVERFLOW")
    return [
      "431 Request Header Fields Too Large",
      new SluiceError("request-too-large", "The head of the request is too large."),
    ];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return ["408 Request Timeout", new SluiceError("request-too-slow", "The request did not arrive in time.")];
  return ["400 Bad Request", new SluiceError("request-invalid", "This is no request of HTTP/1.1.")];
}

function closed(server: Server, graceMs: number): Promise<void> {
  return new Promise((done) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      done();
    });
    server.closeIdleConnections();
  });
}
