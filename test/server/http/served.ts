/** A listener on a free port over a strict view, and a client that shows everything of an answer. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request as plainRequest } from "node:http";
import { type RequestOptions, Agent as SecureAgent, request as secureRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { after } from "node:test";
import type { AccessYaml, ListenYaml, Role } from "../../../src/config/access-yaml.ts";
import { addToken, tokenText } from "../../../src/server/access/tokens.ts";
import type { RequestSeen } from "../../../src/server/http/answering.ts";
import { type ConnectionLimits, type HttpServer, serveHttp } from "../../../src/server/http/server.ts";
import type { Scope } from "../../support/temp.ts";
import { tempFolder } from "../../support/temp.ts";
import { type StrictView, strictView } from "./strict-view.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
export const FILE_SCOPE: Scope = { after: (cleanup) => void after(cleanup) };

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** The body as JSON; looking at it fails where it is none. */
  readonly json: Record<string, unknown>;
}

export interface Asking {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly tls?: RequestOptions;
}

export interface Served extends StrictView {
  readonly server: HttpServer;
  readonly folder: string;
  readonly seen: RequestSeen[];
  readonly tokens: Readonly<Record<Person, string>>;
  /** Milliseconds that the clock was set on. */
  clock: { now: number };
  ask(path: string, asking?: Asking): Promise<Reply>;
}

/** One token of each role, all of ada, an auditor's and an operator's for staging only. */
export type Person = Role | "staging-reader" | "staging-operator" | "staging-caller";
const PEOPLE: readonly Person[] = [
  "reader",
  "auditor",
  "approver",
  "operator",
  "admin",
  "caller",
  "staging-reader",
  "staging-operator",
  "staging-caller",
];

export async function serve(
  scope: Scope,
  options: {
    readonly access?: AccessYaml | null;
    readonly listen?: Partial<ListenYaml>;
    readonly limits?: ConnectionLimits;
  } = {},
): Promise<Served> {
  const folder = tempFolder(scope);
  const tokens = writeTokens(join(folder, "tokens.yaml"));
  const strict = strictView();
  const seen: RequestSeen[] = [];
  const clock = { now: NOW };
  const access = options.access === undefined ? { tokens: { file: "tokens.yaml" } } : (options.access ?? undefined);
  const server = await serveHttp({
    view: strict.view,
    listen: { address: "127.0.0.1", port: 0, ...options.listen },
    access,
    folder,
    clock: () => clock.now,
    random: randomBytes,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    onRequest: (one) => void seen.push(one),
  });
  scope.after(() => server.close(0));
  return { ...strict, server, folder, seen, tokens, clock, ask: (path, asking = {}) => ask(server.url, path, asking) };
}

function writeTokens(file: string): Readonly<Record<Person, string>> {
  const tokens = PEOPLE.map((person): [Person, string] => {
    const token = tokenText(new Uint8Array(randomBytes(32)));
    const limited = person.startsWith("staging-");
    const role = person.replace("staging-", "") as Role;
    addToken(
      file,
      {
        role,
        person: `${person}-ada`,
        ...(limited ? { targets: ["staging"] } : {}),
        ...(role === "auditor" ? { until: "2026-11-28" } : {}),
      },
      token,
    );
    return [person, token];
  });
  return Object.fromEntries(tokens) as Record<Person, string>;
}

export async function ask(
  url: string,
  path: string,
  { method = "GET", token, headers = {}, body, tls }: Asking,
): Promise<Reply> {
  const isText = typeof body === "string" || body instanceof Uint8Array;
  const sent = body === undefined || isText ? body : JSON.stringify(body);
  const agent = new (url.startsWith("https:") ? SecureAgent : Agent)({ keepAlive: true });
  const request = (url.startsWith("https:") ? secureRequest : plainRequest)(`${url}/`, {
    method,
    path,
    ...tls,
    agent,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(sent === undefined || isText ? {} : { "content-type": "application/json" }),
      ...(sent === undefined ? {} : { "content-length": Buffer.byteLength(sent as string) }),
      ...headers,
    } as Record<string, string>,
  });
  request.end(sent as string | undefined);
  const [response] = await once(request, "response");
  request.on("error", () => undefined); // of a body that nobody waited for
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  agent.destroy();
  const whole = Buffer.concat(chunks);
  return {
    status: response.statusCode,
    headers: response.headers,
    body: whole,
    text: whole.toString("utf8"),
    get json() {
      return JSON.parse(whole.toString("utf8")) as Record<string, unknown>;
    },
  };
}

/** Sends bytes as they are, and answers everything that comes until the other side ends. */
export async function raw(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined); // an answer may come with a reset behind it, which `once` would make a failure
  socket.write(bytes);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  await new Promise((done) => socket.once("close", done));
  return Buffer.concat(chunks).toString("utf8");
}
